#include "engine/runtime/crew.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <chrono>
#include <thread>

#include "engine/core/float_mode.h"

namespace prospero {
namespace {

constexpr int kInsideBits = 16;
constexpr uint64_t kPhase = uint64_t{1} << kInsideBits;

constexpr bool IsOpen(uint64_t gate) { return (gate & kPhase) != 0; }
constexpr uint64_t PhaseOf(uint64_t gate) { return gate >> kInsideBits; }
constexpr uint64_t InsideOf(uint64_t gate) { return gate & (kPhase - 1); }

constexpr uint64_t Pack(uint64_t begin, uint64_t end) { return begin << 32 | end; }
constexpr uint64_t BeginOf(uint64_t range) { return range >> 32; }
constexpr uint64_t EndOf(uint64_t range) { return range & UINT32_MAX; }

/// Waiting for what another core does at any moment, unless that thread has lost its core: then
/// ours is offered.
class Wait {
 public:
  void Once() {
    if (++rounds_ % kRoundsBeforeYield == 0) return std::this_thread::yield();
    _mm_pause();
  }

 private:
  static constexpr int64_t kRoundsBeforeYield = 2048;
  int64_t rounds_ = 0;
};

/// The first task of a range, for whom it was dealt to; the last one, for all others.
int64_t TakeFirst(std::atomic<uint64_t>& tasks) {
  uint64_t range = tasks.load(std::memory_order_relaxed);
  while (BeginOf(range) < EndOf(range)) {
    const uint64_t rest = Pack(BeginOf(range) + 1, EndOf(range));
    if (tasks.compare_exchange_weak(range, rest, std::memory_order_relaxed)) {
      return static_cast<int64_t>(BeginOf(range));
    }
  }
  return -1;
}
int64_t TakeLast(std::atomic<uint64_t>& tasks) {
  uint64_t range = tasks.load(std::memory_order_relaxed);
  while (BeginOf(range) < EndOf(range)) {
    const uint64_t rest = Pack(BeginOf(range), EndOf(range) - 1);
    if (tasks.compare_exchange_weak(range, rest, std::memory_order_relaxed)) {
      return static_cast<int64_t>(EndOf(rest));
    }
  }
  return -1;
}

}  // namespace

Crew::Crew(int max_helpers)
    : max_helpers_(max_helpers), ranges_(new Range[static_cast<size_t>(max_helpers) + 1]) {
  assert(max_helpers >= 1 && max_helpers <= kMaxHelpers);
}

void Crew::Begin() {
  shared_ = false;
  busy_.store(true, std::memory_order_relaxed);
}

void Crew::Rest() {
  if (!busy()) return;
  useful_ = shared_;
  busy_.store(false, std::memory_order_relaxed);
}

int Crew::helpers() const { return std::popcount(helpers_.load(std::memory_order_relaxed)); }

void Crew::Run(int64_t count, absl::FunctionRef<void(int64_t)> task) noexcept {
  if (count > 1) shared_ = useful_ = true;
  const uint64_t helpers = helpers_.load(std::memory_order_relaxed);
  members_ = 1 + std::popcount(helpers);
  if (helpers == 0 || count < 2 || count > UINT32_MAX) {
    for (int64_t i = 0; i < count; ++i) task(i);
    return;
  }
  Deal(count, helpers);
  task_ = &task;
  gate_.fetch_add(kPhase, std::memory_order_release);
  for (int64_t i = Take(0); i >= 0; i = Take(0)) task(i);
  gate_.fetch_add(kPhase, std::memory_order_relaxed);
  AwaitHelpers();
}

void Crew::Deal(int64_t count, uint64_t helpers) {
  const auto all = static_cast<uint64_t>(count);
  const auto members = static_cast<uint64_t>(members_);
  uint64_t begin = 0;
  size_t member = 0;
  for (uint64_t k = 1; k <= members; ++k) {
    const uint64_t end = all * k / members;
    ranges_[member].tasks.store(Pack(begin, end), std::memory_order_relaxed);
    begin = end;
    member = static_cast<size_t>(std::countr_zero(helpers)) + 1;
    helpers &= helpers - 1;
  }
}

int64_t Crew::Take(int member) {
  int64_t task = TakeFirst(ranges_[static_cast<size_t>(member)].tasks);
  for (int k = 1; task < 0 && k <= max_helpers_; ++k) {
    const int other = (member + k) % (max_helpers_ + 1);
    task = TakeLast(ranges_[static_cast<size_t>(other)].tasks);
  }
  return task;
}

void Crew::AwaitHelpers() {
  Wait wait;
  // Who has left released what he has done.
  while (InsideOf(gate_.load(std::memory_order_acquire)) > 0) wait.Once();
}

int Crew::Join() {
  uint64_t helpers = helpers_.load(std::memory_order_relaxed);
  for (;;) {
    const int place = std::countr_one(helpers);
    if (place >= max_helpers_) return -1;
    const uint64_t joined = helpers | uint64_t{1} << place;
    if (helpers_.compare_exchange_weak(helpers, joined, std::memory_order_relaxed)) return place;
  }
}

bool Crew::Help(int place, absl::FunctionRef<bool()> recalled) {
  using Time = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::nanoseconds(kPatienceNs);
  const FloatMode mode;
  Wait wait;
  bool called_back = false;
  uint64_t seen = 0;  // The last phase with which he has helped.
  Time::time_point idle_since = Time::now();
  for (;;) {
    const uint64_t gate = gate_.load(std::memory_order_relaxed);
    if (IsOpen(gate) && PhaseOf(gate) != seen) {
      seen = PhaseOf(gate);
      called_back = HelpOnce(place + 1, recalled);
      idle_since = Time::now();
    } else {
      called_back = recalled();
      wait.Once();
    }
    if (called_back) break;
    if (busy()) {
      idle_since = Time::now();
    } else if (Time::now() - idle_since >= kPatience) {
      break;
    }
  }
  helpers_.fetch_and(~(uint64_t{1} << place), std::memory_order_relaxed);
  return called_back;
}

bool Crew::HelpOnce(int member, absl::FunctionRef<bool()> recalled) {
  bool called_back = false;
  if (IsOpen(gate_.fetch_add(1, std::memory_order_acquire))) {
    int64_t task = Take(member);
    while (task >= 0) {
      (*task_)(task);
      called_back = recalled();
      task = called_back ? -1 : Take(member);
    }
  }
  gate_.fetch_sub(1, std::memory_order_release);
  return called_back;
}

std::shared_ptr<Crew> MakeCrew(const VariableTable& variables, int max_helpers) {
  // The weight passes of engine/core split a matrix into tiles of about as many weights. Two of
  // them take one thread some 20 us, which is where two threads become the quicker ones; a network
  // whose matrices are all smaller has nothing to share. Shapes say so before the first step and
  // the same in every run, which a measured cost would not.
  constexpr int64_t kWeightsOfMember = 64 * 1024;
  int64_t largest = 0;
  for (const Variable& variable : variables) {
    if (variable.role == Role::kWeight) largest = std::max(largest, variable.size());
  }
  const int64_t useful = largest / kWeightsOfMember - 1;
  if (useful < 1) return nullptr;
  const int most = std::min(max_helpers, Crew::kMaxHelpers);
  return std::make_shared<Crew>(static_cast<int>(std::min<int64_t>(useful, most)));
}

}  // namespace prospero
