#include "engine/runtime/rehearsal.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/packed.h"
#include "engine/runtime/slice_budget.h"

namespace prospero {
namespace {

constexpr int64_t kMostSteps = 32;
constexpr int64_t kLongestNs = 20'000'000;

/// The values of all variables that have a place in memory, to be put back.
class Keepsake {
 public:
  explicit Keepsake(const VariableTable& variables) : variables_(variables) {
    for (const Variable& variable : variables) {
      if (variable.watched != nullptr) watched_.push_back(std::exchange(*variable.watched, false));
      if (variable.computed()) continue;
      values_.emplace_back();
      values_.back().reserve(static_cast<size_t>(variable.bytes()));
      AppendPacked(variable, &values_.back());
    }
  }

  void PutBack() const {
    auto values = values_.begin();
    auto watched = watched_.begin();
    for (const Variable& variable : variables_) {
      if (variable.watched != nullptr) *variable.watched = *watched++;
      if (!variable.computed()) variable.Write((values++)->data());
    }
  }

 private:
  const VariableTable& variables_;
  std::vector<std::string> values_;
  std::vector<bool> watched_;
};

}  // namespace

int64_t Rehearse(Network& network, const Step& next, uint64_t noise_seed, const Clock& clock) {
  assert(network.finite());
  const VariableTable& variables = network.variables();
  const Keepsake before(variables);
  for (const Variable& variable : variables) {
    if (variable.presence >= 0) variables[variable.presence].Fill(1.0);
  }
  std::vector<int64_t> costs;
  const Clock::Time begin = clock.Now();
  Clock::Time now = begin;
  for (Step step = next; costs.size() < kMostSteps && Nanoseconds(now - begin) < kLongestNs;
       ++step.index) {
    network.Advance(step);
    costs.push_back(Nanoseconds(clock.Now() - now));
    now = clock.Now();
    if (!network.finite()) break;
  }
  // The noise is keyed first: what that changes of the state is put back after it.
  network.Reset(noise_seed, {.state = false, .weights = false, .noise = true});
  before.PutBack();
  network.AssumeFinite();
  // The first steps bring the arrays into the caches, and others may be interrupted.
  const auto median = costs.begin() + static_cast<int64_t>(costs.size() / 2);
  std::nth_element(costs.begin(), median, costs.end());
  return *median;
}

}  // namespace prospero
