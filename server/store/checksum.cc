#include "server/store/checksum.h"

#include <xxhash.h>

#include <new>

#include "absl/strings/str_format.h"

namespace prospero::server {

struct RunningChecksum::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> hash;
};

uint64_t Checksum(absl::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

RunningChecksum::RunningChecksum() : state_(std::make_unique<State>()) {
  state_->hash.reset(XXH3_createState());
  if (state_->hash == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_->hash.get());
}

RunningChecksum::~RunningChecksum() = default;

void RunningChecksum::Add(absl::string_view bytes) {
  XXH3_64bits_update(state_->hash.get(), bytes.data(), bytes.size());
}

uint64_t RunningChecksum::value() const { return XXH3_64bits_digest(state_->hash.get()); }

std::string Hex(uint64_t checksum) { return absl::StrFormat("%016x", checksum); }

}  // namespace prospero::server
