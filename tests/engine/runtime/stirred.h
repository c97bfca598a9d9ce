#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/engine/runtime/taped.h"

namespace prospero {

/// Whatever may happen to a hosted network, drawn from a seed. What is drawn does not depend on
/// how threads meet; where a job is broken off does, and nothing else may.
class Stirred {
 public:
  Stirred(const Recipe& recipe, uint64_t seed) : recipe_(recipe), random_(seed), taped(recipe) {}

  void Stir() {
    if (taped.instance->status().state == RunState::kFailed) return Heal();
    switch (Pick(12)) {
      case 0:
      case 1:
      case 2:
        return Job(1 + Pick(40), /*broken=*/false);
      case 3:
        return Job(1'000'000, /*broken=*/true);
      case 4:
        return BetweenSlices();
      case 5:
        return Assign();
      case 6:
        return Reset();
      case 7:
        return Keep();
      case 8:
        return GoBack();
      case 9:
        static_cast<void>(taped.SetLearning(Pick(2) == 0));
        return;
      case 10:
        return RunFree();
      default:
        return RunInTime();
    }
  }

  /// So many steps with inputs of their own, the same for all that are asked with the same seed.
  /// What has been stirred may diverge in them.
  static absl::Status GoOn(Taped& some, int64_t steps, uint64_t seed) {
    std::mt19937_64 random(seed);
    DriveJob job;
    Box<bool> done;
    job.steps = job.output_every = steps;
    for (const int input : some.Inputs()) {
      job.inputs.push_back({input, Values(random, (*some.table)[input], steps)});
    }
    job.done = [&done](DriveJob&) { done.Put(true); };
    some.Drive().Submit(&job);
    done.Take();
    return job.status;
  }

  /// All pieces so far are known to bring back this.
  SnapshotPointer last() { return taped.Snap(); }

 private:
  uint64_t Pick(uint64_t count) { return random_() % count; }

  /// Rows of values, within the variable's bounds; now and then a negative zero or a denormal.
  static std::string Values(std::mt19937_64& random, const Variable& variable, int64_t rows) {
    std::string packed;
    for (int64_t i = 0; i < rows * variable.size(); ++i) {
      double value = static_cast<double>(random() % 2001) / 1000.0 - 1.0;
      if (variable.minimum >= 0) value = std::fabs(value);
      if (random() % 10 == 0) value = variable.minimum >= 0 ? 1e-41 : -0.0;
      if (variable.type == DataType::kFloat32) {
        const auto narrow = static_cast<float>(value);
        packed.append(reinterpret_cast<const char*>(&narrow), sizeof(narrow));
      } else {
        packed.append(reinterpret_cast<const char*>(&value), sizeof(value));
      }
    }
    return packed;
  }

  struct Running : DriveJob {
    Box<bool> over;
  };
  std::unique_ptr<Running> Submit(uint64_t steps) {
    auto job = std::make_unique<Running>();
    job->steps = job->output_every = static_cast<int64_t>(steps);
    for (const int input : taped.Inputs()) {
      if (Pick(3) == 0) continue;
      const int64_t rows = steps <= 40 && Pick(2) == 0 ? job->steps : 1;
      job->inputs.push_back({input, Values(random_, (*taped.table)[input], rows)});
    }
    job->done = [over = &job->over](DriveJob&) { over->Put(true); };
    taped.Drive().Submit(job.get());
    return job;
  }

  void Job(uint64_t steps, bool broken) {
    const auto job = Submit(steps);
    if (broken) {
      AwaitSteps(1);
      if (Pick(2) == 0) {
        static_cast<void>(taped.Pause());
      } else {
        taped.driver->Detach();
        taped.driver.reset();
      }
    }
    job->over.Take();
    static_cast<void>(taped.Start());
  }

  void BetweenSlices() {
    const auto job = Submit(600 + Pick(3000));
    AwaitSteps(1);
    Assign();
    static_cast<void>(taped.SetLearning(Pick(2) == 0));
    AwaitSteps(1);
    job->over.Take();
  }

  void Assign() {
    std::vector<int> some;
    for (int i = 0; i < taped.table->size(); ++i) {
      const Role role = (*taped.table)[i].role;
      if (role == Role::kInput || role == Role::kParameter || role == Role::kWeight) {
        some.push_back(i);
      }
    }
    const int index = some[Pick(some.size())];
    const Variable& variable = (*taped.table)[index];
    if (variable.role == Role::kParameter && variable.name != "learning") {
      // As it was made: what else is allowed, only the model knows.
      const auto fresh = recipe_.make(1);
      std::string values(static_cast<size_t>(variable.bytes()), '\0');
      fresh->variables()[index].Read(values.data());
      static_cast<void>(taped.Assign(index, values));
    } else if (Pick(2) == 0) {
      static_cast<void>(taped.Assign(index, Values(random_, variable, 1)));
    } else {
      std::string one = Values(random_, variable, 1);
      one.resize(static_cast<size_t>(SizeOf(variable.type)));
      static_cast<void>(taped.Assign(index, one));
    }
  }

  void Reset() {
    const ResetScopes scopes = {Pick(2) == 0, Pick(2) == 0, Pick(2) == 0};
    absl::optional<uint64_t> seed;
    if (Pick(2) == 0) seed = Pick(1000);
    static_cast<void>(taped.Reset(scopes, Pick(2) == 0, seed));
  }
  void Heal() {
    Assign();
    static_cast<void>(taped.Reset({false, true, false}, false, {}));
    static_cast<void>(taped.Reset({}, Pick(2) == 0, Pick(1000)));
    static_cast<void>(taped.Start());
  }

  void Keep() {
    const std::string key = absl::StrCat("kept", snapshots.size());
    snapshots[key] = taped.Snap();
  }
  void GoBack() {
    if (snapshots.empty()) return;
    const std::string key = absl::StrCat("kept", Pick(snapshots.size()));
    static_cast<void>(taped.Restore(snapshots[key], key));
  }

  std::vector<std::shared_ptr<Feed>> OpenFeeds() {
    std::vector<std::shared_ptr<Feed>> feeds;
    for (const int input : taped.Inputs()) {
      if (Pick(2) == 0) continue;
      const auto between = static_cast<Between>(Pick(3));
      feeds.push_back(*taped.instance->OpenFeed({.input = input, .between = between}));
      fed_[feeds.back().get()] = input;
    }
    return feeds;
  }
  void Push(const std::vector<std::shared_ptr<Feed>>& feeds) {
    for (const auto& feed : feeds) {
      if (Pick(2) == 0) continue;
      const Variable& input = (*taped.table)[fed_[feed.get()]];
      static_cast<void>(feed->Push({Values(random_, input, 1), {}, false}));
    }
  }

  /// Waits until so many more steps are made, or the network stands still.
  void AwaitSteps(int64_t steps) {
    const int64_t begin = taped.Snap()->step;
    while (taped.Snap()->step < begin + steps) {
      if (taped.instance->status().state != RunState::kRunning) return;
      if (taped.driver != nullptr && taped.driver->in_flight() == 0) return;
    }
  }

  void RunFree() {
    taped.driver.reset();
    static_cast<void>(taped.SetClock(ClockMode::kFree));
    const auto feeds = OpenFeeds();
    for (int i = 0; i < 4; ++i) {
      Push(feeds);
      taped.time.Advance(std::chrono::milliseconds(4));
      AwaitSteps(10);
    }
    static_cast<void>(taped.SetClock({}));
  }

  /// By wall time, with inputs that fall silent and come back.
  void RunInTime() {
    taped.driver.reset();
    const std::vector<int> inputs = taped.Inputs();
    SafetySpec spec = {.keep_learning = Pick(4) == 0};
    for (const int input : inputs) {
      if (Pick(2) == 0) continue;
      spec.inputs.push_back({input, std::chrono::milliseconds(1 + Pick(5)),
                             Pick(2) == 0 ? Fallback::kHold : Fallback::kZero});
    }
    static_cast<void>(
        taped.Ask([&](auto done) { taped.instance->SetSafety(std::move(spec), done); }));
    static_cast<void>(taped.SetClock(ClockMode::kRealtime));
    const auto feeds = OpenFeeds();
    for (int i = 0; i < 12; ++i) {
      if (i % 5 != 4) Push(feeds);
      taped.time.Advance(std::chrono::microseconds(300 + Pick(3000)));
      taped.Snap();
      if (i == 6) Assign();
      if (i == 8 && Pick(2) == 0) Keep();
    }
    if (Pick(2) == 0) static_cast<void>(taped.SetClock({}));
    taped.Snap();
    static_cast<void>(taped.Ask([&](auto done) { taped.instance->SetSafety({}, done); }));
    static_cast<void>(taped.SetClock({}));
  }

  const Recipe recipe_;
  std::mt19937_64 random_;
  std::map<const Feed*, int> fed_;

 public:
  Taped taped;
  std::map<std::string, SnapshotPointer> snapshots;
};

}  // namespace prospero
