#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/accumulator.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/sample_encoder.h"
#include "engine/runtime/window.h"

namespace prospero {

/// Watches the variables of one selection in its rhythm. The selection has been checked.
/// On the strand only.
class SelectionRecorder {
 public:
  /// What one takes of memory [bytes].
  struct Needs {
    Needs(const VariableTable& variables, const Selection& selection);
    int64_t sample = 0;   ///< as bytes()
    int64_t scratch = 0;  ///< that its methods are given
    int64_t kept = 0;     ///< from step to step
  };

  SelectionRecorder(const VariableTable& variables, const Selection& selection);

  /// Of one sample in the recorder's store.
  const SampleLayout& layout() const { return layout_; }
  int64_t bytes() const { return layout_.bytes; }

  /// The network stands elsewhere: intervals begin anew.
  void Restart(Cursor cursor);
  /// Opens the gate when the last sample lies long enough back.
  void BeginSlice(Clock::Time now);

  /// True when a sample is due after this step. Takes the step into the aggregates.
  bool AfterStep(int64_t step, char* scratch);
  /// Writes a sample of the interval that ends now to `out`, bytes() long, aligned for doubles.
  /// False when it is to be left out, because nothing has changed.
  bool Emit(char* scratch, char* out);
  /// The same of the present values alone; disturbs nothing.
  void EmitPresent(char* scratch, char* out) const;

 private:
  bool Changed(const char* sample) const;

  struct Part {
    Window window;
    Accumulator accumulator;
  };

  std::vector<Part> parts_;
  const bool aggregates_;
  const int64_t every_;
  const Clock::Time::duration period_;  ///< 0: no bound on the rate
  SampleLayout layout_;
  const absl::optional<double> on_change_;
  std::unique_ptr<char[]> last_;  ///< the last sample that was not left out
  bool has_last_ = false;

  int64_t next_step_ = 0;
  bool open_ = true;
  Clock::Time now_;        ///< of this slice
  Clock::Time next_time_;  ///< not earlier than this
};

}  // namespace prospero
