// Many networks and many threads: none disturbs another.

#include <atomic>
#include <map>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

/// Steps of a job that does not end by itself.
constexpr int64_t kEndless = int64_t{1} << 60;

/// What one network is asked for, as its seed has it; and what it answers.
struct Course {
  explicit Course(uint64_t seed, const ToyNetwork& toy) {
    for (int64_t k = 0; k < 4; ++k) {
      auto job = std::make_unique<Job>();
      const auto value = static_cast<float>(seed % 7) - 3 + static_cast<float>(k);
      job->Steps(1 + (static_cast<int64_t>(seed) * 31 + k * 97) % 40);
      job->Give(toy.x, {value, 2, -value}).Return({toy.u, toy.W, toy.loss});
      if (k % 2 == 1) job->Give(toy.target, {value});
      jobs.push_back(std::move(job));
    }
  }
  std::vector<std::string> Results() {
    std::vector<std::string> results;
    for (const auto& job : jobs) {
      EXPECT_TRUE(job->Wait().status.ok()) << job->status;
      for (const std::string& rows : job->results) results.push_back(rows);
    }
    return results;
  }
  std::vector<std::unique_ptr<Job>> jobs;
};

/// One network of a crowd.
struct Member {
  Member(uint64_t seed, Scheduler* scheduler) {
    auto network = std::make_unique<ToyNetwork>(seed);
    toy = network.get();
    Instance::Options options;
    options.seed = seed;
    options.max_steps_per_job = kEndless;
    instance = Instance::Make(std::move(network), scheduler, options);
    driver = *instance->Attach({.inputs = {toy->x, toy->target}});
    course = std::make_unique<Course>(seed, *toy);
  }
  ~Member() { instance->End(absl::AbortedError("the test is over")); }
  ToyNetwork* toy;
  std::shared_ptr<Instance> instance;
  std::unique_ptr<Course> course;
  std::shared_ptr<Driver> driver;
};

std::vector<std::string> Alone(uint64_t seed) {
  const auto scheduler = Scheduler::Make(1);
  Member member(seed, scheduler.get());
  for (const auto& job : member.course->jobs) job->Submit(*member.driver);
  return member.course->Results();
}

TEST(Crowd, FiveHundredNetworksDrivenByTwentyThreadsDoAsEachWouldAlone) {
  constexpr uint64_t kNetworks = 500;
  constexpr uint64_t kThreads = 20;
  const auto scheduler = Scheduler::Make(2);
  std::vector<std::unique_ptr<Member>> members;
  for (uint64_t seed = 0; seed < kNetworks; ++seed) {
    members.push_back(std::make_unique<Member>(seed, scheduler.get()));
  }
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&members, t] {
      for (size_t k = 0; k < 4; ++k) {
        for (uint64_t i = t; i < kNetworks; i += kThreads) {
          members[i]->course->jobs[k]->Submit(*members[i]->driver);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t seed = 0; seed < kNetworks; ++seed) {
    EXPECT_EQ(members[seed]->course->Results(), Alone(seed)) << seed;
    EXPECT_FALSE(members[seed]->toy->overlapped.load());
  }
}

TEST(Crowd, TheBitsDoNotDependOnTheNumberOfWorkers) {
  const auto run = [](int workers) {
    const auto scheduler = Scheduler::Make(workers);
    std::vector<std::unique_ptr<Member>> members;
    for (uint64_t seed = 0; seed < 16; ++seed) {
      members.push_back(std::make_unique<Member>(seed, scheduler.get()));
      for (const auto& job : members.back()->course->jobs) job->Submit(*members.back()->driver);
    }
    std::vector<std::vector<std::string>> results;
    for (const auto& member : members) results.push_back(member->course->Results());
    return results;
  };
  const auto one = run(1);
  EXPECT_EQ(run(2), one);
  EXPECT_EQ(run(4), one);
}

/// Runs 1-step jobs, at least 100, until `enough`; each step takes that long. Notes on which
/// thread the steps are made, and returns what the first 100 gave.
std::vector<std::string> RunOneByOne(
    std::chrono::nanoseconds step_time, std::map<std::thread::id, int>& where,
    const std::function<bool()>& enough = [] { return true; }) {
  FakeClock* time = nullptr;
  Host host({}, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step&) {
      ++where[std::this_thread::get_id()];
      time->Advance(step_time);
    };
  });
  time = &host.time;
  const auto driver = host.Attach();
  std::vector<std::string> results;
  for (int i = 0; i < 100 || !enough(); ++i) {
    Job job;
    job.Give(host.toy->x, {1, 2, 3}).Give(host.toy->target, {1}).Return({host.toy->u, host.toy->W});
    EXPECT_TRUE(job.Run(*driver).status.ok());
    if (i < 100) results.insert(results.end(), job.results.begin(), job.results.end());
    host.Settle();
  }
  return results;
}

TEST(Crowd, CheapStepsAreMadeByTheSubmittingThreadAndDearOnesByAWorker) {
  std::map<std::thread::id, int> cheap, dear;
  const auto here = std::this_thread::get_id();
  // Now and then the strand is not idle yet and a worker takes it; but not always.
  const auto cheap_results =
      RunOneByOne(std::chrono::microseconds(20), cheap, [&] { return cheap[here] > 0; });
  const auto dear_results = RunOneByOne(std::chrono::microseconds(500), dear);
  EXPECT_EQ(dear[here], 0);
  EXPECT_EQ(cheap_results, dear_results);
}

TEST(Crowd, AFreeNetworkDoesNotStarveALockstepOne) {
  const auto scheduler = Scheduler::Make(1);
  std::vector<std::unique_ptr<Member>> free;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    free.push_back(std::make_unique<Member>(seed, scheduler.get()));
    free.back()->instance->SetClock(ClockMode::kFree, nullptr);
    free.back()->instance->Start(nullptr);
  }
  Member lockstep(11, scheduler.get());
  for (const auto& job : lockstep.course->jobs) job->Submit(*lockstep.driver);
  EXPECT_EQ(lockstep.course->Results(), Alone(11));
  for (const auto& member : free) {
    // They go on, too: a free network passes any step that one waits for.
    Job job;
    job.At(member->instance->status().cursor.step + 10'000);
    job.Run(*member->driver);
    EXPECT_TRUE(job.status.ok()) << job.status;
  }
}

TEST(Crowd, ALongJobDoesNotStarveAShortOne) {
  const auto scheduler = Scheduler::Make(1);
  Job endless, brief;
  Member busy(1, scheduler.get());
  Member quick(2, scheduler.get());
  endless.Steps(kEndless).Submit(*busy.driver);
  brief.Run(*quick.driver);
  EXPECT_TRUE(brief.status.ok());
  EXPECT_EQ(endless.ended.size(), 0);  // It was overtaken.
}

TEST(Crowd, DriversMayComeAndGoWhileEverybodyWatches) {
  Host host({}, 2);
  std::vector<std::thread> threads;
  std::atomic<bool> over{false};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&host, t] {
      for (int i = 0; i < 50; ++i) {
        auto driver = host.TryAttach({.preempt = t % 2 == 0});
        if (!driver.ok()) continue;
        Job jobs[3];
        for (Job& job : jobs) job.Steps(100).Every(100).Submit(**driver);
        if (i % 2 == 0) (*driver)->Detach();
        for (Job& job : jobs) job.Wait();
      }
    });
  }
  threads.emplace_back([&] {
    while (!over.load()) {
      Watch watch(host, {.selections = {{.variables = {host.toy->u}}},
                         .start = ObserverSpec::Start::kSnapshot});
      watch.Samples(1);
      EXPECT_GE(host.instance->status().observers, 1);
    }
  });
  threads.emplace_back([&] {
    while (!over.load()) host.Settle();
  });
  for (size_t t = 0; t < 4; ++t) threads[t].join();
  over.store(true);
  threads[4].join();
  threads[5].join();
  EXPECT_FALSE(host.toy->overlapped.load());
}

}  // namespace
}  // namespace prospero
