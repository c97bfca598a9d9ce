#include "engine/runtime/clock_signals.h"

#include <algorithm>
#include <string>
#include <utility>

namespace prospero {
namespace {

void Add(Network& network, const char* name, const char* unit, const char* description,
         double* value) {
  Variable variable;
  variable.name = name;
  variable.unit = unit;
  variable.description = description;
  variable.role = Role::kSignal;
  variable.type = DataType::kFloat64;
  variable.data = value;
  network.Adopt(std::move(variable));
}

}  // namespace

ClockSignals::ClockSignals(Network& network) {
  Add(network, "clock.lag", "ms", "how late steps come; REALTIME only", &lag_);
  Add(network, "clock.overruns", "1", "times that steps came later than tolerated", &overruns_);
  Add(network, "clock.skipped", "1", "steps left out after overruns", &skipped_);
  Add(network, "clock.speed", "1", "model time per wall time, over the last second", &speed_);
  Add(network, "clock.step_cost", "ms", "wall time that a step takes, lately", &step_cost_);
}

void ClockSignals::Show(const Pacer& pacer, bool paced, double speed, int64_t step_cost_ns) {
  lag_ = paced ? pacer.lag_ms() : 0.0;
  overruns_ = static_cast<double>(pacer.overruns());
  skipped_ = static_cast<double>(pacer.skipped());
  speed_ = speed;
  step_cost_ = static_cast<double>(std::max<int64_t>(step_cost_ns, 0)) * 1e-6;
}

}  // namespace prospero
