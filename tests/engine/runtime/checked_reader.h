#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"
#include "tests/engine/runtime/observed_world.h"

namespace prospero {

/// A recording, what it must have made, and what must have been told.
struct KnownRecording {
  struct Told {
    size_t at = 0;  ///< samples made before it
    std::string message;
  };
  std::shared_ptr<Recorder> recorder;
  std::unique_ptr<ExpectedSamples> expected;
  size_t published = 0;  ///< of what was made
  std::vector<Told> events;
  bool begun = false;
};

/// One reader, and the check of all that it gets: no sample twice or out of order, none left out
/// without a gap or the end, values and places as they must be, progress only behind what was had.
class CheckedReader {
 public:
  CheckedReader(std::shared_ptr<KnownRecording> known, ObserverSpec spec)
      : known_(std::move(known)),
        spec_(std::move(spec)),
        reader_(std::make_shared<RingReader>(spec_, [this] { ++calls_; })) {}

  /// The strand lets it in.
  void Join(Cursor cursor, Clock::Time now) {
    const ExpectedSamples& expected = *known_->expected;
    fresh_ = !std::exchange(known_->begun, true);
    known_->recorder->Join(reader_, spec_, cursor, now);
    joined_ = cursor;
    backlog_ = made().size();
    at_ = spec_.start == ObserverSpec::Start::kBehind ? expected.Behind(spec_.behind) : backlog_;
    event_ = known_->events.size();
    const bool present = spec_.start == ObserverSpec::Start::kSnapshot;
    for (uint32_t i = 0; present && i < spec_.selections.size(); ++i) {
      present_.push_back({{cursor, i}, expected.Present(i)});
    }
  }

  /// `now`: where the network stood when all was published.
  void Take(int64_t most, int64_t bytes, Cursor now) {
    Observed seen;
    const bool waits = waits_;
    const int64_t calls = calls_;
    const bool found = ring().Take(*reader_, most, bytes, &seen);
    // Who waits is called when there is something to take, and only then.
    if (waits && seen.end.ok() && (most > 0) == (waited_with_ > 0)) {
      ASSERT_EQ(calls > 0, found);
    }
    if (seen.opened.has_value()) CheckOpened(*seen.opened);
    if (seen.gap.has_value()) CheckGap(*seen.gap, most);
    ASSERT_LE(static_cast<int64_t>(seen.samples.size()), most);
    const size_t from = at_;
    size_t told = 0;
    for (size_t i = 0; i <= seen.samples.size(); ++i) {
      for (; told < seen.events.size() && seen.events[told].after == i; ++told) {
        CheckEvent(seen.events[told].event, from, most > 0);
      }
      if (i < seen.samples.size()) CheckSample(seen.samples[i]);
    }
    ASSERT_EQ(told, seen.events.size());
    if (!found) CheckNothing(most, seen.end);
    CheckProgress(seen.progress, now);
    waits_ = !found;
    waited_with_ = most;
    calls_ = 0;
  }

  void Cancel() { ring().Cancel(*reader_); }
  /// Where one goes on who was cut off now; empty if that is nowhere.
  absl::optional<Place> GoOn(bool by_sample) const {
    if (evicted_to_.has_value()) return Place{*evicted_to_};
    if (by_sample && last_.has_value()) return last_;
    if (progress_.has_value()) return Place{*progress_};
    return absl::nullopt;
  }

  const std::shared_ptr<KnownRecording>& known() const { return known_; }
  const ObserverSpec& spec() const { return spec_; }
  bool ended() const { return evicted_to_.has_value(); }
  int64_t samples() const { return samples_; }
  int64_t lost() const { return lost_; }
  bool told_late() const { return told_late_; }

 private:
  SampleRing& ring() { return *known_->recorder->ring(); }
  const std::vector<ExpectedSamples::Sample>& made() const { return known_->expected->made(); }
  bool reliable() const { return spec_.delivery == ObserverSpec::Delivery::kReliable; }

  void CheckOpened(const Observed::Opened& opened) {
    ASSERT_FALSE(std::exchange(opened_, true));
    ASSERT_EQ(opened.cursor, joined_);
    ASSERT_EQ(opened.oldest.has_value(), !fresh_);
  }

  void CheckGap(const Gap& gap, int64_t most) {
    ASSERT_GT(most, 0);
    ASSERT_FALSE(reliable());
    if (gap.reason == Gap::Reason::kEvicted) {
      ASSERT_EQ(spec_.start, ObserverSpec::Start::kBehind);
      ASSERT_FALSE(std::exchange(told_late_, true));
      ASSERT_EQ(gap.first, spec_.behind.cursor);
      ASSERT_LE(gap.first, gap.last);
      late_until_ = gap.last;  // The next sample tells where it goes on.
      return;
    }
    ASSERT_GT(gap.count, 0);
    lost_ += gap.count;
    if (late_until_.has_value()) {
      // Where it goes on is still to be told.
      ASSERT_LE(*late_until_, gap.first);
      late_until_ = gap.last;
      return;
    }
    ASSERT_LE(at_ + static_cast<size_t>(gap.count), known_->published);
    ASSERT_EQ(gap.first, made()[at_].place.cursor);
    if (at_ >= backlog_) {
      ASSERT_GT(static_cast<int64_t>(known_->published - at_), gap.count);
    }
    at_ += static_cast<size_t>(gap.count);
    ASSERT_EQ(gap.last, made()[at_ - 1].place.cursor);
    last_ = made()[at_ - 1].place;
  }

  void CheckSample(const SampleView& sample) {
    ++samples_;
    if (present_taken_ < present_.size()) {
      ASSERT_EQ(sample.place, present_[present_taken_].place);
      ASSERT_EQ(sample.bytes, present_[present_taken_].bytes);
      last_ = sample.place;
      ++present_taken_;
      return;
    }
    if (late_until_.has_value()) {
      at_ = known_->expected->Behind(sample.place) - 1;
      if (at_ > 0) {
        ASSERT_EQ(made()[at_ - 1].place.cursor, *late_until_);
      }
      if (at_ == 0) {
        ASSERT_EQ(known_->expected->began(), *late_until_);
      }
      late_until_.reset();
    }
    ASSERT_LT(at_, known_->published);
    ASSERT_EQ(sample.place, made()[at_].place);
    ASSERT_EQ(sample.bytes, made()[at_].bytes);
    last_ = sample.place;
    ++at_;
  }

  /// `from`: where the samples begin that were taken with it.
  void CheckEvent(const Event& event, size_t from, bool in_order) {
    ASSERT_LT(event_, known_->events.size());
    const KnownRecording::Told& told = known_->events[event_++];
    ASSERT_EQ(event.message, told.message);
    if (in_order && !told_late_) {
      ASSERT_TRUE(told.at == at_ || told.at <= from);
    }
  }

  void CheckNothing(int64_t most, const absl::Status& end) {
    if (end.ok()) {
      if (most > 0 && !late_until_.has_value()) {
        ASSERT_EQ(at_, known_->published);
      }
      ASSERT_EQ(event_, known_->events.size());
      return;
    }
    ASSERT_EQ(Reason(end), "CURSOR_EVICTED");
    ASSERT_TRUE(reliable());
    Cursor oldest;
    ASSERT_TRUE(absl::SimpleAtoi(Metadata(end, "oldest_epoch"), &oldest.epoch));
    ASSERT_TRUE(absl::SimpleAtoi(Metadata(end, "oldest_step"), &oldest.step));
    evicted_to_ = oldest;
    // What it wanted next is gone; or was before the recording began.
    const bool wants_older = spec_.behind < Place{known_->expected->began()};
    if (wants_older && spec_.start == ObserverSpec::Start::kBehind) return;
    ASSERT_LT(at_, known_->published);
    ASSERT_LE(made()[at_].place.cursor, oldest);
  }

  void CheckProgress(absl::optional<Cursor> progress, Cursor now) {
    if (!progress.has_value()) {
      ASSERT_FALSE(progress_.has_value());
      return;
    }
    ASSERT_EQ(present_taken_, present_.size());
    if (progress_.has_value()) {
      ASSERT_LE(*progress_, *progress);
    }
    progress_ = progress;
    if (ended() || late_until_.has_value()) return;
    if (at_ < known_->published) {
      ASSERT_LT(*progress, made()[at_].place.cursor);
    }
    if (at_ == known_->published) {
      ASSERT_EQ(*progress, now);
    }
  }

  const std::shared_ptr<KnownRecording> known_;
  const ObserverSpec spec_;
  const std::shared_ptr<RingReader> reader_;
  Cursor joined_;
  bool fresh_ = false;
  bool opened_ = false;
  std::vector<ExpectedSamples::Sample> present_;
  size_t present_taken_ = 0;
  size_t backlog_ = 0;  ///< of what was made, before it came
  size_t at_ = 0;       ///< the next one of what was made
  size_t event_ = 0;    ///< the next one
  bool told_late_ = false;
  absl::optional<Cursor> late_until_;
  absl::optional<Place> last_;
  absl::optional<Cursor> progress_;
  absl::optional<Cursor> evicted_to_;
  int64_t samples_ = 0;
  int64_t lost_ = 0;
  int64_t calls_ = 0;
  bool waits_ = true;
  int64_t waited_with_ = 1;
};

}  // namespace prospero
