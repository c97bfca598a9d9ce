#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/observer.h"
#include "engine/runtime/recording_options.h"
#include "engine/runtime/sample_encoder.h"
#include "engine/runtime/sample_ring.h"
#include "engine/runtime/selection_recorder.h"

namespace prospero {

/// The strand's end of one recording: copies values after steps into a store of its own, and
/// encodes them for all readers once per slice, or earlier when the store is full. So a step
/// neither locks nor allocates for its observers. On the strand only, but for what is said to be
/// otherwise.
class Recorder {
 public:
  /// On any thread. The selections have been checked. kResourceExhausted when `options.memory` has
  /// not enough for the least that it needs.
  static absl::StatusOr<std::shared_ptr<Recorder>> Make(const VariableTable& variables,
                                                        const std::vector<Selection>& selections,
                                                        int64_t retained_bytes,
                                                        const RecordingOptions& options);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Any thread.
  const std::shared_ptr<SampleRing>& ring() const { return ring_; }
  /// Of the memory that readers may hold beyond what they take, each [bytes]. Any thread.
  static constexpr int64_t kMaxChunkBytes = int64_t{256} << 10;

  /// The variables observed, some perhaps more than once.
  const std::vector<int>& variables() const { return variables_; }

  /// Lets a reader in, and begins with the first one.
  void Join(const std::shared_ptr<RingReader>& reader, const ObserverSpec& spec, Cursor cursor,
            Clock::Time now);
  bool begun() const { return begun_; }
  void BeginSlice(Clock::Time now);
  void AfterStep(Cursor cursor);
  void EpochChanged(Cursor cursor);
  void Add(const Event& event);
  void Publish(Cursor cursor);

 private:
  struct Staged {
    Place place;
    size_t offset;  ///< in the store
  };

  struct Needs;

  Recorder(const VariableTable& variables, const std::vector<Selection>& selections,
           const Needs& needs, const RecordingOptions& options);

  /// Sets aside what is needed to retain `more` bytes beside what is, as far as that is allowed.
  void MakeRoom(int64_t more);
  void Stage(uint32_t selection, Cursor cursor);
  std::shared_ptr<SampleChunk> Encode(size_t begin, size_t end) const;
  std::shared_ptr<const SampleChunk> EncodePresent(Cursor cursor);

  std::vector<SelectionRecorder> selections_;
  std::vector<int> variables_;
  std::unique_ptr<SampleEncoder> encoder_;
  MemoryPool* memory_ = nullptr;  ///< what it has taken from, if anything
  int64_t fixed_ = 0;             ///< bytes set aside for all but what is retained
  const std::shared_ptr<SampleRing> ring_;
  bool begun_ = false;
  int64_t wanted_ = 0;    ///< bytes to retain
  int64_t allowed_ = 0;   ///< set aside for that
  int64_t made_ = 0;      ///< samples published
  int64_t retained_ = 0;  ///< bytes published while `allowed_` was not yet reached

  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<char[]> store_;
  size_t store_size_ = 0;
  size_t store_used_ = 0;
  std::vector<Staged> staged_;
  std::vector<std::shared_ptr<SampleChunk>> chunks_;  ///< empty but while publishing
  std::vector<SampleRing::NumberedEvent> events_;
};

}  // namespace prospero
