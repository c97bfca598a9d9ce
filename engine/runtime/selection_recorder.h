#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/accumulator.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/window.h"

namespace prospero {

/// Watches the variables of one selection in its rhythm. The selection has been checked.
/// On the strand only.
class SelectionRecorder {
 public:
  SelectionRecorder(const VariableTable& variables, const Selection& selection);

  int64_t scratch_bytes() const { return scratch_bytes_; }
  /// Of one sample in the recorder's store; a multiple of 8.
  int64_t bytes() const { return bytes_; }

  /// The network stands elsewhere: intervals begin anew.
  void Restart(Cursor cursor);
  /// Opens the gate when the last sample lies long enough back.
  void BeginSlice(Clock::Time now);

  /// True when a sample is due after this step. Takes the step into the aggregates.
  bool AfterStep(int64_t step, char* scratch);
  /// Writes a sample of the present values to `out`, bytes() long, aligned for doubles.
  void Emit(char* scratch, char* out);
  /// A sample as Emit wrote it, in pieces.
  std::vector<std::string> Unpack(const char* sample) const;

 private:
  struct Part {
    Window window;
    Accumulator accumulator;
  };

  std::vector<Part> parts_;
  const bool aggregates_;
  const int64_t every_;
  const Clock::Time::duration period_;  ///< 0: no bound on the rate
  int64_t scratch_bytes_ = 0;
  int64_t bytes_ = 0;

  int64_t next_step_ = 0;
  bool open_ = true;
  Clock::Time now_;        ///< of this slice
  Clock::Time next_time_;  ///< not earlier than this
};

}  // namespace prospero
