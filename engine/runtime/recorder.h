#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/sample_queue.h"
#include "engine/runtime/selection_recorder.h"

namespace prospero {

/// The strand's end of one observer: copies values after steps into a store of its own and
/// hands them to the reader's queue once per slice, or earlier when the store is full. So a
/// step neither locks nor allocates for its observers. On the strand only.
class Recorder {
 public:
  /// The spec has been checked.
  Recorder(const VariableTable& variables, const ObserverSpec& spec,
           std::shared_ptr<SampleQueue> queue);

  /// The variables observed, some perhaps more than once.
  const std::vector<int>& variables() const { return variables_; }
  SampleQueue& queue() { return *queue_; }

  /// Begins to observe, with the present values if the spec says so.
  void Start(Cursor cursor, Clock::Time now);
  void BeginSlice(Clock::Time now);
  void AfterStep(Cursor cursor);
  void EpochChanged(Cursor cursor);
  void Add(const Event& event) { events_.push_back(event); }
  void Publish(Cursor cursor);

 private:
  struct Staged {
    uint32_t selection;
    Cursor cursor;
    size_t offset;  ///< in the store
  };

  void Stage(uint32_t selection, Cursor cursor);

  std::vector<SelectionRecorder> selections_;
  std::vector<int> variables_;
  const bool start_with_snapshot_;
  const size_t capacity_;
  const std::shared_ptr<SampleQueue> queue_;

  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<char[]> store_;
  size_t store_size_ = 0;
  size_t store_used_ = 0;
  std::vector<Staged> staged_;
  std::vector<ObservedSample> samples_;  ///< empty but while publishing; keeps its capacity
  std::vector<Event> events_;
};

}  // namespace prospero
