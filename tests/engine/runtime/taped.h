#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
#include "gtest/gtest.h"
#include "tests/support/box.h"
#include "tests/support/fake_clock.h"

namespace prospero {

/// What a tape must bring back after each piece: all that is saved but inputs, of which some may
/// have been written for a step to come, and `learning`, which is a wish then. By index; the
/// others are empty.
inline std::vector<std::string> StateOf(const VariableTable& variables) {
  std::vector<std::string> state(static_cast<size_t>(variables.size()));
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (!IsSaved(variable.role) || variable.role == Role::kInput) continue;
    if (variable.name == "learning") continue;
    std::string& bytes = state[static_cast<size_t>(i)];
    bytes.resize(static_cast<size_t>(variable.bytes()));
    variable.Read(bytes.data());
  }
  return state;
}

/// Names of the variables that differ.
inline std::vector<std::string> Differences(const std::vector<std::string>& a,
                                            const std::vector<std::string>& b,
                                            const VariableTable& variables) {
  std::vector<std::string> names;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) names.push_back(variables[static_cast<int>(i)].name);
  }
  return names;
}

/// A journal in memory.
class PieceKeeper final : public Journal {
 public:
  struct Kept {
    std::string piece;
    Cursor cursor;                   ///< behind it
    std::vector<std::string> state;  ///< as StateOf
    bool in_order = false;
  };

  void Append(absl::string_view piece, Cursor cursor) override {
    auto state = look ? look() : std::vector<std::string>();
    const MutexLock lock(mu_);
    kept_.push_back({std::string(piece), cursor, std::move(state), in_order_});
  }
  void BeginOrder() override {
    const MutexLock lock(mu_);
    EXPECT_FALSE(in_order_);
    in_order_ = true;
  }
  void EndOrder() override {
    const MutexLock lock(mu_);
    EXPECT_TRUE(in_order_);
    in_order_ = false;
  }

  std::vector<Kept> kept() {
    const MutexLock lock(mu_);
    return kept_;
  }
  size_t size() {
    const MutexLock lock(mu_);
    return kept_.size();
  }
  bool in_order() {
    const MutexLock lock(mu_);
    return in_order_;
  }

  /// Called for each piece, on the strand. To be set before the network is hosted.
  std::function<std::vector<std::string>()> look;

 private:
  Mutex mu_;
  std::vector<Kept> kept_ ABSL_GUARDED_BY(mu_);
  bool in_order_ ABSL_GUARDED_BY(mu_) = false;
};

using SnapshotPointer = std::shared_ptr<const Snapshot>;

/// Where the pieces from number `from` to before `to` come from, and snapshots by their keys.
inline Origin OriginOf(std::vector<PieceKeeper::Kept> kept, size_t from, size_t to,
                       const std::map<std::string, SnapshotPointer>& snapshots = {}) {
  Origin origin;
  origin.next_piece = [kept = std::move(kept), from,
                       to]() mutable -> absl::StatusOr<absl::optional<std::string>> {
    if (from == to) return absl::nullopt;
    return kept[from++].piece;
  };
  origin.find_snapshot = [snapshots](const std::string& key) -> absl::StatusOr<SnapshotPointer> {
    const auto found = snapshots.find(key);
    if (found == snapshots.end()) return absl::NotFoundError("there is no such snapshot");
    return found->second;
  };
  return origin;
}

/// How a network is made.
struct Recipe {
  friend void PrintTo(const Recipe& recipe, std::ostream* out) { *out << recipe.name; }

  std::string name;
  double dt = 0.1;
  std::function<std::unique_ptr<Network>(uint64_t seed)> make;
};

/// A network that is hosted, on fake time, with a journal while the object lives.
struct Taped {
  explicit Taped(const Recipe& recipe, uint64_t seed = 1, const Origin* origin = nullptr,
                 const ClockSpec& clock = ClockSpec())
      : scheduler(Scheduler::Make(2, time)), journal(std::make_shared<PieceKeeper>()) {
    auto network = recipe.make(seed);
    table = &network->variables();
    journal->look = [this] { return StateOf(*table); };
    Instance::Options options;
    options.dt = recipe.dt;
    options.seed = seed;
    options.clock = clock;
    options.time = &time;
    options.max_steps_per_job = int64_t{1} << 60;
    options.journal = journal;
    if (origin == nullptr) {
      instance = Instance::Make(std::move(network), scheduler.get(), options);
    } else {
      auto recovered =
          Instance::Recover(std::move(network), scheduler.get(), options, *origin, &loss);
      status = recovered.status();
      if (recovered.ok()) instance = *recovered;
    }
  }
  ~Taped() {
    driver.reset();
    if (instance != nullptr) instance->End(absl::AbortedError("the test is over"));
  }

  template <class T = Cursor, class Give>
  absl::StatusOr<T> Ask(Give give) {
    Box<absl::StatusOr<T>> box;
    give([&box](absl::StatusOr<T> answer) { box.Put(std::move(answer)); });
    return box.Take();
  }
  SnapshotPointer Snap() {
    return *Ask<SnapshotPointer>([this](auto done) { instance->TakeSnapshot(done); });
  }
  absl::StatusOr<Cursor> Start() {
    return Ask([this](auto done) { instance->Start(done); });
  }
  absl::StatusOr<Cursor> Pause() {
    return Ask([this](auto done) { instance->Pause(done); });
  }
  absl::StatusOr<Cursor> SetClock(const ClockSpec& clock) {
    return Ask([&](auto done) { instance->SetClock(clock, done); });
  }
  absl::StatusOr<Cursor> SetLearning(bool learning) {
    return Ask([&](auto done) { instance->SetLearning(learning, done); });
  }
  absl::StatusOr<Cursor> Assign(int variable, const std::string& values) {
    return Ask([&](auto done) { instance->Assign({{variable, values}}, done); });
  }
  absl::StatusOr<Cursor> Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed) {
    return Ask([&](auto done) { instance->Reset(scopes, step, seed, done); });
  }
  absl::StatusOr<Cursor> Restore(SnapshotPointer snapshot, const std::string& key) {
    return Ask([&](auto done) { instance->RestoreSnapshot(std::move(snapshot), key, done); });
  }

  /// Those that can be given.
  std::vector<int> Inputs() const {
    std::vector<int> inputs;
    for (int i = 0; i < table->size(); ++i) {
      bool is_presence = false;
      for (const Variable& other : *table) is_presence = is_presence || other.presence == i;
      if ((*table)[i].role == Role::kInput && !is_presence) inputs.push_back(i);
    }
    return inputs;
  }
  Driver& Drive() {
    if (driver == nullptr) driver = *instance->Attach({.inputs = Inputs()});
    return *driver;
  }

  FakeClock time;
  std::unique_ptr<Scheduler> scheduler;
  std::shared_ptr<PieceKeeper> journal;
  const VariableTable* table = nullptr;
  std::shared_ptr<Instance> instance;
  std::shared_ptr<Driver> driver;
  absl::Status status;
  absl::Status loss;
};

inline void ExpectSame(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.step, b.step);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.noise_seed, b.noise_seed);
  ASSERT_EQ(a.arrays.size(), b.arrays.size());
  for (size_t i = 0; i < a.arrays.size(); ++i) {
    EXPECT_TRUE(a.arrays[i].values == b.arrays[i].values) << a.arrays[i].name;
  }
}

}  // namespace prospero
