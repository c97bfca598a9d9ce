// Large networks, hosted: workers that have nothing else to do help with their steps.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"
#include "tests/engine/runtime/large_network.h"

namespace prospero {
namespace {

/// Steps of a job that does not end by itself.
constexpr int64_t kEndless = int64_t{1} << 60;

/// A hosted network that is large.
struct Large {
  using Prepare = std::function<void(LargeNetwork&)>;
  explicit Large(Scheduler* scheduler, const Prepare& prepare = nullptr, uint64_t seed = 0,
                 const Clock* time = &Clock::Real()) {
    auto network = std::make_unique<LargeNetwork>(seed);
    x = network->x;
    if (prepare) prepare(*network);
    Instance::Options options;
    options.max_steps_per_job = kEndless;
    options.time = time;
    instance = Instance::Make(std::move(network), scheduler, options);
    driver = *instance->Attach({});
  }
  ~Large() { instance->End(absl::AbortedError("the test is over")); }

  std::string Saved() {
    Box<std::string> box;
    instance->TakeSnapshot([&box](auto taken) {
      std::string bytes;
      for (const Snapshot::Array& array : (*taken)->arrays) bytes += array.values;
      box.Put(bytes);
    });
    return box.Take();
  }

  int x = 0;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Driver> driver;
};

/// Counts the threads that work on the steps of a network.
class Hands {
 public:
  void Work(const Step& step) {
    const MutexLock lock(mu_);
    if (step.index != step_) in_step_.clear();
    step_ = step.index;
    in_step_.insert(std::this_thread::get_id());
    ever_.insert(std::this_thread::get_id());
    most_ = std::max(most_, in_step_.size());
  }
  size_t ever() {
    const MutexLock lock(mu_);
    return ever_.size();
  }
  /// The most in one step.
  size_t most() {
    const MutexLock lock(mu_);
    return most_;
  }

 private:
  Mutex mu_;
  int64_t step_ ABSL_GUARDED_BY(mu_) = -1;
  std::set<std::thread::id> in_step_ ABSL_GUARDED_BY(mu_);
  std::set<std::thread::id> ever_ ABSL_GUARDED_BY(mu_);
  size_t most_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST(HostedCrew, TheBitsDoNotDependOnTheNumberOfWorkers) {
  const auto run = [](int workers) {
    const auto scheduler = Scheduler::Make(workers);
    Large large(scheduler.get());
    std::string seen;
    for (int i = 0; i < 5; ++i) {
      Job job;
      job.Steps(10).Every(1).Return({large.x}).Run(*large.driver);
      EXPECT_TRUE(job.status.ok()) << job.status;
      seen += job.results[0];
    }
    return seen + large.Saved();
  };
  const std::string one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(4), one);
}

TEST(HostedCrew, AllWorkersTakePartInTheStepsOfALargeNetwork) {
  constexpr int kWorkers = 4;  // As many as such a network has use for.
  const auto scheduler = Scheduler::Make(kWorkers);
  Hands hands;
  Box<bool> all;
  Large large(scheduler.get(), [&](LargeNetwork& network) {
    network.on_task = [&](const Step& step, int64_t) {
      hands.Work(step);
      if (hands.ever() == kWorkers && hands.most() > 1 && all.size() == 0) all.Put(true);
    };
  });
  Job endless;
  endless.Steps(kEndless).Submit(*large.driver);
  all.Take();
  large.driver->Detach();
  endless.Wait();
}

TEST(HostedCrew, AWorkerHelpsTheThreadThatSubmits) {
  const auto scheduler = Scheduler::Make(1);
  FakeClock time;
  Hands hands;
  const auto prepare = [&](LargeNetwork& network) {
    network.on_task = [&](const Step& step, int64_t tile) {
      hands.Work(step);
      if (tile == 0) time.Advance(std::chrono::microseconds(10));
    };
  };
  Large large(scheduler.get(), prepare, 0, &time);
  // 150 us: short enough to be done here once that is known, long enough to call for help. There
  // is but one worker: two hands in one step are its and ours.
  while (hands.most() < 2) {
    Job job;
    job.Steps(15).Run(*large.driver);
    ASSERT_TRUE(job.status.ok()) << job.status;
  }
}

TEST(HostedCrew, ASmallNetworkHasNoTeam) {
  std::atomic<bool> has_team{false};
  Host host({}, 2, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.team != nullptr) has_team.store(true);
    };
  });
  Job job;
  job.Steps(1000).Run(*host.Attach());
  EXPECT_FALSE(has_team.load());
}

TEST(HostedCrew, SmallNetworksAreServedWhileALargeOneRuns) {
  const auto scheduler = Scheduler::Make(2);
  Large large(scheduler.get());
  Job endless;
  endless.Steps(kEndless).Submit(*large.driver);
  auto toy = std::make_unique<ToyNetwork>();
  Instance::Options options;
  options.max_steps_per_job = kEndless;
  const auto instance = Instance::Make(std::move(toy), scheduler.get(), options);
  const auto driver = *instance->Attach({});
  for (int i = 0; i < 20; ++i) {
    Job job;
    job.Steps(20'000).Run(*driver);  // Too long for this thread.
    EXPECT_TRUE(job.status.ok()) << job.status;
  }
  instance->End(absl::AbortedError("the test is over"));
  large.driver->Detach();
  endless.Wait();
}

TEST(HostedCrew, NetworksCanBeRemovedWhileTheyAreHelped) {
  const auto scheduler = Scheduler::Make(3);
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Hands hands;
    Box<bool> helped;
    const auto prepare = [&](LargeNetwork& network) {
      network.on_task = [&](const Step& step, int64_t) {
        hands.Work(step);
        if (hands.most() > 1 && helped.size() == 0) helped.Put(true);
      };
    };
    Job endless;
    Large large(scheduler.get(), prepare, seed);
    endless.Steps(kEndless).Submit(*large.driver);
    helped.Take();
    large.instance->End(absl::AbortedError("removed"));
    endless.Wait();
    EXPECT_EQ(endless.status.code(), absl::StatusCode::kAborted);
  }
}

TEST(HostedCrew, LargeNetworksDoNotDisturbEachOther) {
  const auto alone = [](uint64_t seed) {
    const auto scheduler = Scheduler::Make(1);
    Large large(scheduler.get(), nullptr, seed);
    Job job;
    job.Steps(200).Run(*large.driver);
    return large.Saved();
  };
  const auto scheduler = Scheduler::Make(4);
  std::vector<std::unique_ptr<Large>> crowd;
  std::vector<std::unique_ptr<Job>> jobs;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    crowd.push_back(std::make_unique<Large>(scheduler.get(), nullptr, seed));
    jobs.push_back(std::make_unique<Job>());
  }
  for (size_t i = 0; i < 3; ++i) jobs[i]->Steps(200).Submit(*crowd[i]->driver);
  for (size_t i = 0; i < 3; ++i) {
    jobs[i]->Wait();
    EXPECT_EQ(crowd[i]->Saved(), alone(i)) << i;
  }
}

}  // namespace
}  // namespace prospero
