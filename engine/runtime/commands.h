#pragma once

#include <string>
#include <vector>

#include "engine/core/network.h"
#include "engine/runtime/safety.h"

namespace prospero {

/// What a robot should obey: for every output population (an input `<population>.target` beside
/// `<population>.r`) the signal `<population>.command`, which is r while the network is safe and
/// the declared fallback otherwise; of a network that has diverged that is the declared value, or
/// zero. And the signal `safety.unsafe`, 1 or 0. Commands are computed when somebody asks and cost
/// nothing else.
///
/// On the strand only. The network holds its address.
class Commands {
 public:
  /// Adds the signals to the network's table. It must outlive the network.
  explicit Commands(Network& network);
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  /// What the commands fall back to. The spec has been checked.
  void Declare(const SafetySpec& spec);
  /// The network has become unsafe; HOLD is what r is now.
  void FallBack();
  void Recover();

 private:
  struct Command {
    int r;
    Fallback fallback = Fallback::kHold;
    std::string value;  ///< packed, empty: zero; what stands for r while the network is unsafe
  };
  void Compute(size_t position, void* packed) const;

  const Network& network_;
  std::vector<int> indices_;
  std::vector<Command> commands_;
  double unsafe_ = 0.0;
};

}  // namespace prospero
