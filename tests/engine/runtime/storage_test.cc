// A network whose changes cannot be kept for a while.

#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using std::chrono::milliseconds;

absl::Status Full() {
  return Error(absl::StatusCode::kUnavailable, "STORAGE_DEGRADED", "the disk is full");
}

Instance::Options Realtime() {
  Instance::Options options;
  options.dt = 1.0;
  options.clock = ClockMode::kRealtime;
  return options;
}

int64_t Pass(Host& host, milliseconds time) {
  host.time.Advance(time);
  host.Settle();
  host.Settle();
  return host.instance->status().cursor.step;
}

void ExpectRefused(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Reason(status), "STORAGE_DEGRADED");
}

TEST(Storage, ThatIsFullRefusesWhatWouldChangeTheNetwork) {
  Host host;
  MakeSteps(host, 5);
  const std::shared_ptr<const Snapshot> before = host.Snap();
  host.instance->SetStorage(Full(), false);
  Job job;
  job.Run(*host.Attach());
  ExpectRefused(job.status);
  ExpectRefused(host.Assign(host.toy->gain, Floats({0.5F})).status());
  ExpectRefused(host.Ask([&](auto done) { host.instance->SetLearning(false, done); }).status());
  ExpectRefused(host.Ask([&](auto done) { host.instance->Reset({}, true, {}, done); }).status());
  ExpectRefused(
      host.Ask([&](auto done) { host.instance->RestoreSnapshot(before, "", done); }).status());
  EXPECT_TRUE(host.Pause().ok());
  EXPECT_TRUE(host.Start().ok());
  const auto after = host.Snap();
  EXPECT_EQ(after->arrays, before->arrays);
  EXPECT_EQ(host.instance->status().cursor, (Cursor{0, 5}));
  host.instance->SetStorage(absl::OkStatus(), false);
  MakeSteps(host, 1);
}

TEST(Storage, IsToldOncePerChange) {
  Host host;
  Watch watch(host, {.selections = {{.variables = {host.toy->u}}}});
  Box<Event> events;
  const auto driver =
      host.Attach({.on_event = [&events](const Event& event) { events.Put(event); }});
  host.Settle();
  host.instance->SetStorage(absl::OkStatus(), true);
  host.instance->SetStorage(Full(), true);
  host.instance->SetStorage(Full(), false);
  host.instance->SetStorage(absl::OkStatus(), false);
  EXPECT_EQ(events.Take().kind, Event::Kind::kStorageDegraded);
  EXPECT_EQ(events.Take().kind, Event::Kind::kStorageRestored);
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kDriverCame);
  const Event degraded = watch.NextEvent();
  EXPECT_EQ(degraded.kind, Event::Kind::kStorageDegraded);
  EXPECT_EQ(degraded.message, "the disk is full");
  EXPECT_EQ(watch.NextEvent().kind, Event::Kind::kStorageRestored);
}

TEST(Storage, StopsAClockOnlyIfItIsToStandStill) {
  Host host(Realtime());
  ASSERT_TRUE(host.Start().ok());
  EXPECT_EQ(Pass(host, milliseconds(3)), 3);
  host.instance->SetStorage(Full(), false);
  EXPECT_EQ(Pass(host, milliseconds(2)), 5);
  host.instance->SetStorage(Full(), true);
  host.Settle();
  EXPECT_EQ(Pass(host, milliseconds(50)), 5);
  EXPECT_EQ(host.instance->status().state, RunState::kRunning);
  host.instance->SetStorage(absl::OkStatus(), false);
  host.Settle();
  // What was due meanwhile is neither made up for nor an overrun.
  EXPECT_EQ(Pass(host, milliseconds(2)), 7);
  Watch lag(host, {.selections = {{.variables = {host.instance->variables().Find("clock.overruns")},
                                   .every_steps = int64_t{1} << 40}},
                   .start = ObserverSpec::Start::kSnapshot});
  double overruns = -1;
  std::memcpy(&overruns, lag.Samples(1)[0].values[0].data(), sizeof(overruns));
  EXPECT_EQ(overruns, 0);
}

TEST(Storage, IsHeardOfThoughTheMailboxIsFull) {
  Instance::Options options;
  options.max_pending_orders = 1;
  Door inside, go_on;
  Host host(options, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step&) {
      inside.Open();
      go_on.Pass();
    };
  });
  const auto driver = host.Attach();
  Job job;
  job.Steps(1).Submit(*driver);
  inside.Pass();
  Box<absl::Status> paused, refused;
  host.instance->Pause([&](const absl::StatusOr<Cursor>& at) { paused.Put(at.status()); });
  host.instance->Start([&](const absl::StatusOr<Cursor>& at) { refused.Put(at.status()); });
  EXPECT_EQ(Reason(refused.Take()), "MAILBOX_FULL");
  host.instance->SetStorage(Full(), false);
  go_on.Open();
  job.Wait();
  EXPECT_TRUE(paused.Take().ok());  // There is room again.
  ASSERT_TRUE(host.Start().ok());
  Job other;
  other.Run(*driver);
  ExpectRefused(other.status);
}

}  // namespace
}  // namespace prospero
