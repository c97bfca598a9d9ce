#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/core/variable.h"
#include "engine/runtime/clock.h"

namespace prospero {

/// What stands for values that do not come.
enum class Fallback : uint8_t {
  kHold,  ///< the last one
  kZero,
  kFailSafe,  ///< the declared one
};

/// How a network stops when what comes from outside stops.
struct SafetySpec {
  struct Input {
    int input = -1;                       ///< index in the network's table
    Clock::Time::duration timeout = {};   ///< wall time without a frame, > 0
    Fallback fallback = Fallback::kHold;  ///< a target is absent, whatever this is
    std::string fail_safe = {};           ///< packed; the variable's whole value, or one for all
  };
  struct Output {
    int command = -1;  ///< index of `<output population>.command`
    Fallback fallback = Fallback::kHold;
    std::string fail_safe = {};  ///< as Input::fail_safe
  };
  std::vector<Input> inputs = {};
  std::vector<Output> outputs = {};  ///< those that are not named hold
  bool keep_learning = false;
  absl::optional<Clock::Time::duration> driver_timeout = {};  ///< > 0; none: needs no driver

  bool watches() const { return !inputs.empty() || driver_timeout.has_value(); }
};

/// kInvalidArgument, naming the field ("inputs[0].timeout"), unless the spec fits the table of a
/// hosted network.
absl::Status CheckSafety(const SafetySpec& spec, const VariableTable& variables);

/// Notices, from signs of life and the time, which inputs are silent and whether the driver is
/// missing. It knows neither threads nor the network, and begins with nothing to watch. An input
/// is silent when no frame came for its timeout, until one comes.
class Safety {
 public:
  /// Forgets what was and counts from now on.
  void Declare(SafetySpec spec, Clock::Time now);
  const SafetySpec& spec() const { return spec_; }

  /// Begins to count anew: the network was started. What is silent remains so until it speaks.
  void Restart(Clock::Time now);
  /// Nothing is silent any more, nor will be: the network has a clock without time.
  void Suspend();

  void Frame(int input, Clock::Time now);
  void Driven(bool present, Clock::Time now);

  /// What has changed since the last call.
  struct Changes {
    std::vector<int> silent;    ///< positions in spec().inputs
    std::vector<int> returned;  ///< of these, too
    bool driver_missing = false;
    bool became_unsafe = false;
    bool became_safe = false;
    bool any() const {
      return !silent.empty() || !returned.empty() || driver_missing || became_unsafe || became_safe;
    }
  };
  void Look(Clock::Time now, Changes* changes);

  bool unsafe() const { return unsafe_; }
  /// When Look may next have something to tell though nobody spoke; none: never.
  absl::optional<Clock::Time> next_look() const;

 private:
  struct Watched {
    Clock::Time last_frame = {};
    bool silent = false;
    bool told = false;  ///< `silent`, as Look has last told it
  };

  SafetySpec spec_;
  std::vector<Watched> inputs_;
  bool active_ = false;
  bool driven_ = false;
  Clock::Time left_ = {};  ///< since when there is no driver
  bool missing_ = false;
  bool missing_told_ = false;
  bool unsafe_ = false;
};

}  // namespace prospero
