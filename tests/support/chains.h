#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/network.h"
#include "engine/models/gle/gle.h"
#include "tests/support/variables.h"

namespace prospero {

/// A chain of populations p0 (input), p1, ... of these sizes, tanh, with biases; all weights and
/// biases learn by `optimizer`. Such are the networks whose steps the benchmarks count.
inline GleSpec Chain(const std::vector<int64_t>& sizes, Optimizer optimizer) {
  Plasticity plasticity;
  plasticity.optimizer = optimizer;
  plasticity.learning_rate = 1e-5;
  GleSpec spec;
  for (size_t k = 0; k < sizes.size(); ++k) {
    GlePopulation population;
    population.name = absl::StrCat("p", k);
    population.size = sizes[k];
    population.role = k == 0                  ? PopulationRole::kInput
                      : k + 1 == sizes.size() ? PopulationRole::kOutput
                                              : PopulationRole::kHidden;
    if (k > 0) {
      population.activation = Activation::kTanh;
      population.tau_m = {1.0};
      population.tau_r = {0.1};
      population.has_bias = true;
      population.bias_plasticity = plasticity;
      GleProjection projection;
      projection.pre = spec.populations.back().name;
      projection.post = population.name;
      projection.plasticity = plasticity;
      spec.projections.push_back(projection);
    }
    spec.populations.push_back(population);
  }
  return spec;
}

/// How many weights such a chain has.
inline int64_t Weights(const std::vector<int64_t>& sizes) {
  int64_t weights = 0;
  for (size_t k = 1; k < sizes.size(); ++k) weights += sizes[k] * sizes[k - 1];
  return weights;
}

/// Gives the chain an input and a target, for as long as it runs.
inline void Excite(const Network& chain, const std::vector<int64_t>& sizes, int64_t batch_size) {
  std::vector<double> input(static_cast<size_t>(sizes.front() * batch_size));
  for (size_t i = 0; i < input.size(); ++i) input[i] = std::sin(static_cast<double>(i));
  const std::string output = absl::StrCat("p", sizes.size() - 1);
  Set(chain, "p0.r", input);
  Set(chain, output + ".target", 0.3);
  Set(chain, output + ".teach", 1.0);
}

}  // namespace prospero
