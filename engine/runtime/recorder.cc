#include "engine/runtime/recorder.h"

#include <algorithm>
#include <utility>

#include "engine/runtime/slice_budget.h"

namespace prospero {
namespace {

/// Of the store, unless a single sample needs more.
constexpr int64_t kStoreBytes = int64_t{1} << 20;

/// Of what is retained, set aside at first.
constexpr int64_t kFirstBytes = int64_t{64} << 10;

/// Of a budget, in one chunk at most: what is evicted goes by chunks.
constexpr int64_t kChunksInBudget = 8;

std::unique_ptr<char[]> Bytes(size_t count) {
  return std::make_unique_for_overwrite<char[]>(count);
}

}  // namespace

/// [bytes]
struct Recorder::Needs {
  Needs(const VariableTable& variables, const std::vector<Selection>& selections) {
    int64_t largest = 0;
    int64_t together = 0;
    for (const Selection& selection : selections) {
      const SelectionRecorder::Needs one(variables, selection);
      scratch = std::max(scratch, one.scratch);
      largest = std::max(largest, one.sample);
      together += one.sample;
      kept += one.kept;
    }
    const int64_t whole_slice = SliceBudget::kMaxSteps * together;
    store = std::max(largest, std::min(kStoreBytes, whole_slice));
  }
  int64_t all() const { return scratch + store + kept; }

  int64_t scratch = 0;
  int64_t store = 0;
  int64_t kept = 0;
};

absl::StatusOr<std::shared_ptr<Recorder>> Recorder::Make(const VariableTable& variables,
                                                         const std::vector<Selection>& selections,
                                                         int64_t retained_bytes,
                                                         const RecordingOptions& options) {
  const Needs needs(variables, selections);
  const int64_t first = std::min(retained_bytes, kFirstBytes);
  if (options.memory != nullptr) {
    auto taken = options.memory->Take(needs.all() + first);
    if (!taken.ok()) return taken;
  }
  auto recorder = std::shared_ptr<Recorder>(new Recorder(variables, selections, needs, options));
  recorder->wanted_ = retained_bytes;
  recorder->allowed_ = first;
  return recorder;
}

Recorder::Recorder(const VariableTable& variables, const std::vector<Selection>& selections,
                   const Needs& needs, const RecordingOptions& options)
    : memory_(options.memory),
      fixed_(needs.all()),
      ring_(std::make_shared<SampleRing>(options.defer)),
      scratch_(Bytes(static_cast<size_t>(needs.scratch))),
      store_(Bytes(static_cast<size_t>(needs.store))),
      store_size_(static_cast<size_t>(needs.store)) {
  std::vector<SampleLayout> layouts;
  for (const Selection& selection : selections) {
    selections_.emplace_back(variables, selection);
    variables_.insert(variables_.end(), selection.variables.begin(), selection.variables.end());
    layouts.push_back(selections_.back().layout());
  }
  encoder_ = options.make_encoder ? options.make_encoder(layouts) : MakePlainEncoder(layouts);
  staged_.reserve(static_cast<size_t>(SliceBudget::kMaxSteps) * selections_.size());
}

Recorder::~Recorder() {
  if (memory_ != nullptr) memory_->Give(fixed_ + allowed_);
}

void Recorder::Join(const std::shared_ptr<RingReader>& reader, const ObserverSpec& spec,
                    Cursor cursor, Clock::Time now) {
  // What happened before is not for this one, and the store becomes free.
  if (begun_) Publish(cursor);
  const bool fresh = !std::exchange(begun_, true);
  wanted_ = std::max(wanted_, spec.retained_bytes);
  if (fresh) {
    ring_->Begin(cursor);
    for (SelectionRecorder& selection : selections_) {
      selection.Restart(cursor);
      selection.BeginSlice(now);
    }
  }
  const bool present = spec.start == ObserverSpec::Start::kSnapshot;
  ring_->Join(reader, cursor, fresh, present ? EncodePresent(cursor) : nullptr);
}

void Recorder::BeginSlice(Clock::Time now) {
  for (SelectionRecorder& selection : selections_) selection.BeginSlice(now);
}

void Recorder::AfterStep(Cursor cursor) {
  for (uint32_t i = 0; i < selections_.size(); ++i) {
    if (selections_[i].AfterStep(cursor.step, scratch_.get())) Stage(i, cursor);
  }
}

void Recorder::EpochChanged(Cursor cursor) {
  for (SelectionRecorder& selection : selections_) selection.Restart(cursor);
}

void Recorder::Add(const Event& event) {
  events_.push_back({made_ + static_cast<int64_t>(staged_.size()), event});
}

void Recorder::Stage(uint32_t selection, Cursor cursor) {
  const auto bytes = static_cast<size_t>(selections_[selection].bytes());
  // The step is shown only when all its samples are there: until then readers have not had it.
  if (store_used_ + bytes > store_size_) Publish({cursor.epoch, cursor.step - 1});
  if (!selections_[selection].Emit(scratch_.get(), store_.get() + store_used_)) return;
  staged_.push_back({{cursor, selection}, store_used_});
  store_used_ += bytes;
}

std::shared_ptr<SampleChunk> Recorder::Encode(size_t begin, size_t end) const {
  auto chunk = std::make_shared<SampleChunk>();
  chunk->entries.reserve(end - begin);
  size_t size = 0;
  for (size_t i = begin; i < end; ++i) {
    const Place& place = staged_[i].place;
    size += encoder_->Size(place.selection, place.cursor);
    chunk->entries.push_back({place, size});
  }
  chunk->data = Bytes(size);
  for (size_t i = begin; i < end; ++i) {
    const auto& [place, offset] = staged_[i];
    encoder_->Write(place.selection, place.cursor, store_.get() + offset,
                    chunk->data.get() + chunk->begin_of(i - begin));
  }
  return chunk;
}

std::shared_ptr<const SampleChunk> Recorder::EncodePresent(Cursor cursor) {
  auto chunk = std::make_shared<SampleChunk>();
  size_t size = 0;
  for (uint32_t i = 0; i < selections_.size(); ++i) {
    size += encoder_->Size(i, cursor);
    chunk->entries.push_back({{cursor, i}, size});
  }
  chunk->data = Bytes(size);
  for (uint32_t i = 0; i < selections_.size(); ++i) {
    selections_[i].EmitPresent(scratch_.get(), store_.get());
    encoder_->Write(i, cursor, store_.get(), chunk->data.get() + chunk->begin_of(i));
  }
  return chunk;
}

void Recorder::MakeRoom(int64_t more) {
  retained_ += more;
  if (retained_ <= allowed_ || allowed_ >= wanted_) return;
  const int64_t allowed = std::min(wanted_, std::max(2 * allowed_, retained_));
  if (memory_ != nullptr && !memory_->Take(allowed - allowed_).ok()) {
    retained_ = allowed_;
    return;
  }
  allowed_ = allowed;
}

void Recorder::Publish(Cursor cursor) {
  const auto most = static_cast<size_t>(std::min(kMaxChunkBytes, wanted_ / kChunksInBudget));
  for (size_t begin = 0; begin < staged_.size();) {
    size_t end = begin + 1;
    while (end < staged_.size() && staged_[end].offset - staged_[begin].offset < most) ++end;
    chunks_.push_back(Encode(begin, end));
    MakeRoom(chunks_.back()->bytes());
    begin = end;
  }
  made_ += static_cast<int64_t>(staged_.size());
  staged_.clear();
  store_used_ = 0;
  ring_->Publish(&chunks_, &events_, cursor, allowed_);
}

}  // namespace prospero
