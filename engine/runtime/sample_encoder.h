#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/runtime/cursor.h"

namespace prospero {

/// Where the values of one selection's sample lie before they are encoded.
struct SampleLayout {
  struct Part {
    int variable = 0;    ///< index in the network's table
    int64_t bytes = 0;   ///< its values, packed
    int64_t offset = 0;  ///< a multiple of 8
  };
  std::vector<Part> parts;
  int64_t bytes = 0;  ///< of the whole
};

/// Turns a sample into the bytes that its readers get: once, however many there are. Called on the
/// strand; must not block.
class SampleEncoder {
 public:
  virtual ~SampleEncoder() = default;
  /// Bytes that Write writes.
  virtual size_t Size(uint32_t selection, Cursor cursor) const = 0;
  /// `values` lie as the layout says; `out` has room for Size() bytes.
  virtual void Write(uint32_t selection, Cursor cursor, const char* values, char* out) const = 0;
};

/// Makes the encoder of a recording; one layout for each selection.
using MakeSampleEncoder =
    std::function<std::unique_ptr<SampleEncoder>(const std::vector<SampleLayout>&)>;

/// The values of the variables, one after the other, without padding.
std::unique_ptr<SampleEncoder> MakePlainEncoder(const std::vector<SampleLayout>& layouts);

}  // namespace prospero
