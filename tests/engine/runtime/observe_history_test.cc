// What readers of recordings may rely on, whatever happens: thousands of random histories of a
// strand and its readers, each checked against what the recordings must have made.

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/checked_reader.h"

namespace prospero {
namespace {

using Delivery = ObserverSpec::Delivery;
using Start = ObserverSpec::Start;

constexpr auto kRetention = std::chrono::seconds(60);
constexpr int64_t kMemory = 200'000;  ///< [bytes], too little for all that is wished

struct CountingPool final : MemoryPool {
  absl::Status Take(int64_t bytes) override {
    if (taken + bytes > kMemory) return absl::ResourceExhaustedError("no more");
    taken += bytes;
    return absl::OkStatus();
  }
  void Give(int64_t bytes) override { taken -= bytes; }
  int64_t taken = 0;
};

struct Tally {
  int64_t samples = 0;
  int64_t lost = 0;
  int64_t ended = 0;
  int64_t late = 0;
  int64_t resumed = 0;
};

/// One history: what a strand does, in an order that chance chooses.
class History {
 public:
  History(uint64_t seed, Tally* tally) : random_(seed), tally_(*tally) {
    options_.memory = &pool_;
    const auto x = values_.x_index, y = values_.y_index;
    selections_ = {
        {{.variables = {x}}},
        {{.variables = {x, y}, .every_steps = 3}},
        {{.variables = {y}, .on_change = 0.0}},
        {{.variables = {x}}, {.variables = {y}}, {.variables = {x, y}, .every_steps = 2}},
        {{.variables = {x}, .every_steps = 5, .aggregation = Aggregation::kMean},
         {.variables = {y}}},
        {{.variables = {x}, .every_steps = 2, .on_change = 5.0}},
    };
  }
  ~History() {
    for (auto& reader : readers_) Leave(*reader);
  }

  void Run() {
    for (int i = 0; i < 120 && !testing::Test::HasFatalFailure(); ++i) Act();
    // In the end everybody gets what is left.
    for (int i = 0; i < 20 && !testing::Test::HasFatalFailure(); ++i) {
      for (auto& reader : readers_) reader->Take(INT64_MAX, INT64_MAX, published_);
    }
  }

 private:
  int64_t Pick(int64_t below) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(below));
  }

  void Act() {
    const int64_t chance = Pick(100);
    if (chance < 35) {
      MakeSteps(1 + Pick(Pick(8) == 0 ? 300 : 12));
    } else if (chance < 70) {
      TakeSome();
    } else if (chance < 80) {
      Come();
    } else if (chance < 88) {
      CutOff();
    } else if (chance < 92) {
      Tell(absl::StrCat("event ", told_++));
    } else if (chance < 96) {
      BeginEpoch(Pick(2) == 0 ? cursor_.step : Pick(cursor_.step + 1));
    } else {
      now_ += std::chrono::seconds(Pick(40));
    }
    DropExpired();
  }

  void MakeSteps(int64_t steps) {
    for (auto& known : active_) known->recorder->BeginSlice(now_);
    for (; steps > 0; --steps) {
      ++cursor_.step;
      values_.Set(cursor_);
      for (auto& known : active_) {
        known->expected->AfterStep(cursor_);
        known->recorder->AfterStep(cursor_);
      }
    }
    Publish();
  }
  void Publish() {
    for (auto& known : active_) {
      known->recorder->Publish(cursor_);
      known->published = known->expected->made().size();
    }
    published_ = cursor_;
  }
  void Tell(const std::string& message) {
    for (auto& known : active_) {
      known->recorder->Add({Event::Kind::kStarted, cursor_, message});
      known->events.push_back({known->expected->made().size(), message});
    }
    Publish();
  }
  /// As a reset does, or a restored snapshot of an earlier step.
  void BeginEpoch(int64_t step) {
    cursor_ = {cursor_.epoch + 1, step};
    values_.Set(cursor_);
    for (auto& known : active_) {
      known->expected->EpochChanged();
      known->recorder->EpochChanged(cursor_);
    }
    Tell("epoch");
  }

  void Come() {
    ObserverSpec spec;
    spec.selections =
        selections_[static_cast<size_t>(Pick(static_cast<int64_t>(selections_.size())))];
    spec.start = Pick(2) == 0 ? Start::kNow : Start::kSnapshot;
    if (Pick(4) == 0) {
      spec.start = Start::kBehind;
      spec.behind = {{Pick(cursor_.epoch + 1), 0}};
      spec.behind.cursor.step = Pick(cursor_.step + 1);
    }
    spec.delivery = Pick(2) == 0 ? Delivery::kLatest : Delivery::kReliable;
    spec.capacity = 1 + Pick(Pick(2) == 0 ? 5 : 100);
    spec.retained_bytes = Pick(3) == 0 ? 1 + Pick(300) : 1 + Pick(20'000);
    Enter(spec);
  }

  void Enter(const ObserverSpec& spec) {
    auto recorder = recordings_.Enter(spec.selections);
    std::shared_ptr<KnownRecording> known;
    for (auto& active : active_) {
      if (active->recorder == recorder) known = active;
    }
    if (recorder == nullptr) {
      auto made = Recorder::Make(values_.table, spec.selections, spec.retained_bytes, options_);
      if (!made.ok()) return;  // The memory is spent.
      known = std::make_shared<KnownRecording>();
      known->recorder = *made;
      known->expected = std::make_unique<ExpectedSamples>(values_, spec.selections, cursor_);
      recordings_.Add(spec.selections, *made);
      active_.push_back(known);
    }
    readers_.push_back(std::make_unique<CheckedReader>(known, spec));
    readers_.back()->Join(cursor_, now_);
    ASSERT_LE(pool_.taken, kMemory);
  }

  void TakeSome() {
    if (readers_.empty()) return;
    CheckedReader& reader =
        *readers_[static_cast<size_t>(Pick(static_cast<int64_t>(readers_.size())))];
    const int64_t most = Pick(4) == 0 ? 0 : Pick(3) == 0 ? INT64_MAX : 1 + Pick(20);
    reader.Take(most, Pick(3) == 0 ? 1 + Pick(200) : INT64_MAX, published_);
  }

  /// The connection breaks; most come back and go on at their cursor, some after a while.
  void CutOff() {
    if (readers_.empty()) return;
    const auto place = readers_.begin() + Pick(static_cast<int64_t>(readers_.size()));
    const std::unique_ptr<CheckedReader> reader = std::move(*place);
    readers_.erase(place);
    Leave(*reader);
    if (Pick(3) == 0) MakeSteps(1 + Pick(30));
    if (Pick(4) == 0) now_ += kRetention * Pick(2);
    DropExpired();
    const absl::optional<Place> behind = reader->GoOn(Pick(2) == 0);
    if (Pick(5) == 0 || !behind.has_value()) return;
    ObserverSpec spec = reader->spec();
    spec.start = Start::kBehind;
    spec.behind = *behind;
    ++tally_.resumed;
    Enter(spec);
  }

  void Leave(CheckedReader& reader) {
    reader.Cancel();
    recordings_.Leave(reader.known()->recorder.get(), now_);
    tally_.samples += reader.samples();
    tally_.lost += reader.lost();
    tally_.ended += reader.ended() ? 1 : 0;
    tally_.late += reader.told_late() ? 1 : 0;
  }

  void DropExpired() {
    for (const auto& recorder : recordings_.TakeExpired(now_, kRetention)) {
      std::erase_if(active_, [&](const auto& known) { return known->recorder == recorder; });
    }
  }

  std::mt19937_64 random_;
  Tally& tally_;
  CountingPool pool_;
  RecordingOptions options_;
  KnownValues values_;
  std::vector<std::vector<Selection>> selections_;
  Recordings recordings_;
  std::vector<std::shared_ptr<KnownRecording>> active_;
  std::vector<std::unique_ptr<CheckedReader>> readers_;
  Cursor cursor_;
  Cursor published_;
  Clock::Time now_;
  int64_t told_ = 0;
};

TEST(ObserveHistory, KeepsEveryPromise) {
  Tally tally;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    History(seed, &tally).Run();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
  // The histories are of all that can happen.
  EXPECT_GT(tally.samples, 1'000'000);
  EXPECT_GT(tally.lost, 100'000);
  EXPECT_GT(tally.ended, 1000);
  EXPECT_GT(tally.late, 1000);
  EXPECT_GT(tally.resumed, 10'000);
}

}  // namespace
}  // namespace prospero
