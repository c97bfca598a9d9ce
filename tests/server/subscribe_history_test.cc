// Random histories of subscribers over the wire: stalls, broken connections, resumption by cursor,
// resets and pauses. What each gets is checked against what the driver has seen.

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using Event = v1::SubscriptionEvent;
using Networks = v1::NetworkService::Stub;
using S = v1::Subscription;

bool Equal(const v1::Cursor& cursor, const v1::Cursor& other) {
  return cursor.epoch() == other.epoch() && cursor.step() == other.step();
}

bool IsBehind(const v1::Cursor& cursor, const v1::Cursor& other) {
  return cursor.epoch() != other.epoch() ? cursor.epoch() > other.epoch()
                                         : cursor.step() > other.step();
}

struct Truth {
  v1::Cursor cursor;
  std::string output;
};

/// A stream, and the check of all that comes on it.
class CheckedSubscriber {
 public:
  CheckedSubscriber(TestServer& server, const S& subscription, const std::vector<Truth>& truth)
      : subscription_(subscription), truth_(truth), subscriber_(server, subscription) {
    const Event opened = subscriber_.Next();
    if (!opened.has_opened()) {
      End();
      return;
    }
    sequence_ = 1;
    at_ = Behind(subscription.has_cursor() ? subscription.cursor() : opened.opened().cursor());
  }

  /// Grants credit and reads until the stream has nothing more to say.
  void Read(int64_t credit) {
    if (over_) return;
    if (credit > 0) subscriber_.Credit(credit);
    // The first one may have been on its way before the credit.
    for (int beats = 0; beats < 2 && !over_;) beats += ReadOne() ? 1 : 0;
  }
  void ReadToTheEnd() {
    if (!over_) subscriber_.Credit(1'000'000);
    while (!over_ && at_ < truth_.size() && !testing::Test::HasFatalFailure()) ReadOne();
  }

  /// What the client asks for when it comes again.
  S GoOn() const {
    S again = subscription_;
    again.set_start(S::START_CURSOR);
    *again.mutable_cursor() = had_;
    return again;
  }
  bool can_go_on() const { return has_had_; }
  bool over() const { return over_; }
  int64_t samples() const { return samples_; }

 private:
  size_t Behind(const v1::Cursor& cursor) const {
    size_t at = truth_.size();
    while (at > 0 && IsBehind(truth_[at - 1].cursor, cursor)) --at;
    return at;
  }

  /// True for a heartbeat.
  bool ReadOne() {
    const Event event = subscriber_.Next();
    if (event.event_case() == Event::EVENT_NOT_SET) {
      End();
      return false;
    }
    EXPECT_EQ(event.sequence(), ++sequence_);
    if (event.has_gap()) Skip(event.gap());
    for (const Event::Sample& sample : event.samples().samples()) Check(sample);
    if (!event.has_heartbeat()) return false;
    Had(event.heartbeat().cursor());
    if (at_ < truth_.size()) {
      EXPECT_TRUE(IsBehind(truth_[at_].cursor, event.heartbeat().cursor()));
    }
    return true;
  }

  void Check(const Event::Sample& sample) {
    ASSERT_LT(at_, truth_.size());
    ASSERT_TRUE(Equal(sample.cursor(), truth_[at_].cursor))
        << sample.cursor().ShortDebugString() << " for " << truth_[at_].cursor.ShortDebugString();
    ASSERT_EQ(sample.values(0).data(), truth_[at_].output);
    ++at_;
    ++samples_;
    Had(sample.cursor());
  }

  void Skip(const Event::Gap& gap) {
    ASSERT_NE(subscription_.delivery(), S::DELIVERY_RELIABLE);
    if (gap.reason() == Event::Gap::REASON_EVICTED) {
      ASSERT_TRUE(Equal(gap.first(), subscription_.cursor()));
      at_ = Behind(gap.last());
    } else {
      ASSERT_LE(at_ + static_cast<size_t>(gap.count()), truth_.size());
      ASSERT_TRUE(Equal(gap.first(), truth_[at_].cursor));
      at_ += static_cast<size_t>(gap.count());
      ASSERT_TRUE(Equal(gap.last(), truth_[at_ - 1].cursor));
    }
    Had(gap.last());
  }

  void Had(const v1::Cursor& cursor) {
    EXPECT_FALSE(has_had_ && IsBehind(had_, cursor)) << cursor.ShortDebugString();
    had_ = cursor;
    has_had_ = true;
  }

  void End() {
    over_ = true;
    const grpc::Status end = subscriber_.End();
    ASSERT_TRUE(IsError(end, grpc::StatusCode::OUT_OF_RANGE, "CURSOR_EVICTED"));
    ASSERT_EQ(subscription_.delivery(), S::DELIVERY_RELIABLE);
    v1::Cursor oldest;
    int64_t number = 0;
    ASSERT_TRUE(absl::SimpleAtoi(DetailsOf(end).metadata["oldest_epoch"], &number));
    oldest.set_epoch(number);
    ASSERT_TRUE(absl::SimpleAtoi(DetailsOf(end).metadata["oldest_step"], &number));
    oldest.set_step(number);
    had_ = oldest;
    has_had_ = true;
  }

  const S subscription_;
  const std::vector<Truth>& truth_;
  Subscriber subscriber_;
  size_t at_ = 0;
  uint64_t sequence_ = 0;
  v1::Cursor had_;
  bool has_had_ = false;
  bool over_ = false;
  int64_t samples_ = 0;
};

class WireHistory {
 public:
  explicit WireHistory(uint64_t seed) : random_(seed) {
    server_.Make("a", SmallSpec());
    driver_ = std::make_unique<TestDriver>(server_.simulation(), "a");
  }

  int64_t Run() {
    for (int i = 0; i < 40 && !testing::Test::HasFatalFailure(); ++i) Act();
    for (auto& subscriber : subscribers_) subscriber->ReadToTheEnd();
    for (auto& subscriber : subscribers_) samples_ += subscriber->samples();
    return samples_;
  }

 private:
  int64_t Pick(int64_t below) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(below));
  }

  void Act() {
    const int64_t chance = Pick(100);
    if (chance < 40) return Advance(1 + Pick(Pick(4) == 0 ? 400 : 20));
    if (chance < 55) return Come();
    if (chance < 80 && !subscribers_.empty()) return (*Some())->Read(Pick(3) == 0 ? 0 : Pick(50));
    if (chance < 92 && !subscribers_.empty()) return CutOff();
    if (chance < 96) return Reset();
    PauseAndStart();
  }

  void Advance(int64_t steps) {
    const v1::DriveResponse response = driver_->Advance(Steps(steps));
    ASSERT_TRUE(response.has_advanced()) << response.ShortDebugString();
    const v1::DriveAdvanced& advanced = response.advanced();
    const std::string& rows = advanced.outputs(0).data();
    const size_t row = rows.size() / static_cast<size_t>(steps);
    for (int64_t i = 0; i < steps; ++i) {
      Truth& truth = truth_.emplace_back();
      truth.cursor = advanced.cursor();
      truth.cursor.set_step(advanced.cursor().step() - steps + 1 + i);
      truth.output = rows.substr(static_cast<size_t>(i) * row, row);
    }
  }
  void Come() {
    S subscription = To("a", {"out.r"});
    subscription.set_delivery(Pick(2) == 0 ? S::DELIVERY_LATEST : S::DELIVERY_RELIABLE);
    subscription.set_max_pending(static_cast<int32_t>(1 + Pick(40)));
    subscription.set_retained_bytes(1 + Pick(3000));
    Add(subscription);
  }
  void Add(S subscription) {
    subscription.mutable_heartbeat()->set_nanos(2'000'000);
    subscribers_.push_back(std::make_unique<CheckedSubscriber>(server_, subscription, truth_));
  }
  std::vector<std::unique_ptr<CheckedSubscriber>>::iterator Some() {
    return subscribers_.begin() + Pick(static_cast<int64_t>(subscribers_.size()));
  }
  void CutOff() {
    const auto place = Some();
    const std::unique_ptr<CheckedSubscriber> gone = std::move(*place);
    subscribers_.erase(place);
    samples_ += gone->samples();
    if (Pick(2) == 0) Advance(1 + Pick(30));
    if (gone->can_go_on()) Add(gone->GoOn());
  }
  void Reset() {
    v1::ResetNetworkRequest request;
    request.set_name("networks/a");
    v1::ResetNetworkResponse response;
    ASSERT_TRUE(Call(server_.networks(), &Networks::ResetNetwork, request, &response).ok());
  }
  void PauseAndStart() {
    v1::PauseNetworkRequest pause;
    pause.set_name("networks/a");
    v1::PauseNetworkResponse paused;
    ASSERT_TRUE(Call(server_.networks(), &Networks::PauseNetwork, pause, &paused).ok());
    Start(server_, "a");
  }

  std::mt19937_64 random_;
  TestServer server_;
  std::unique_ptr<TestDriver> driver_;
  std::vector<Truth> truth_;
  std::vector<std::unique_ptr<CheckedSubscriber>> subscribers_;
  int64_t samples_ = 0;
};

TEST(SubscribeHistory, KeepsEveryPromiseOverTheWire) {
  int64_t samples = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    samples += WireHistory(seed).Run();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
  EXPECT_GT(samples, 1000);
}

}  // namespace
}  // namespace prospero::server
