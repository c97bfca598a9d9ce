#include "engine/runtime/sample_encoder.h"

#include <cstring>

namespace prospero {
namespace {

class PlainEncoder final : public SampleEncoder {
 public:
  explicit PlainEncoder(std::vector<SampleLayout> layouts) : layouts_(std::move(layouts)) {}

  size_t Size(uint32_t selection, Cursor /*cursor*/) const override {
    size_t size = 0;
    for (const auto& part : layouts_[selection].parts) size += static_cast<size_t>(part.bytes);
    return size;
  }

  void Write(uint32_t selection, Cursor /*cursor*/, const char* values, char* out) const override {
    for (const SampleLayout::Part& part : layouts_[selection].parts) {
      const auto bytes = static_cast<size_t>(part.bytes);
      std::memcpy(out, values + part.offset, bytes);
      out += bytes;
    }
  }

 private:
  const std::vector<SampleLayout> layouts_;
};

}  // namespace

std::unique_ptr<SampleEncoder> MakePlainEncoder(const std::vector<SampleLayout>& layouts) {
  return std::make_unique<PlainEncoder>(layouts);
}

}  // namespace prospero
