#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace prospero::server {

/// XXH3, 64 bits. It finds damage, not malice.
uint64_t Checksum(absl::string_view bytes, uint64_t seed = 0);

/// Of what comes in parts.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(const RunningChecksum&) = delete;
  RunningChecksum& operator=(const RunningChecksum&) = delete;

  void Add(absl::string_view bytes);
  uint64_t value() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

/// 16 digits, lower case.
std::string Hex(uint64_t checksum);

}  // namespace prospero::server
