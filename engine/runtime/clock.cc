#include "engine/runtime/clock.h"

namespace prospero {
namespace {

class MachineClock final : public Clock {
 public:
  Time Now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::Real() {
  static const MachineClock clock;
  return clock;
}

}  // namespace prospero
