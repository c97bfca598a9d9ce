#include "tests/support/pair.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "tests/support/variables.h"

namespace prospero {

GleSpec Pair(Activation activation) {
  GleSpec spec;
  GlePopulation x;
  x.name = std::string("x");
  x.size = 1;
  x.role = PopulationRole::kInput;
  GlePopulation y;
  y.name = std::string("y");
  y.size = 1;
  y.role = PopulationRole::kOutput;
  y.activation = activation;
  y.tau_m = {0.5};
  GleProjection projection;
  projection.pre = std::string("x");
  projection.post = std::string("y");
  projection.initializer = Initializer{Initializer::Kind::kConstant, 0.5, 0, {}, {}};
  projection.plasticity = Plasticity();
  projection.plasticity->learning_rate = 0.01;
  spec.populations = {x, y};
  spec.projections = {projection};
  return spec;
}

NetworkOptions PairOptions(DataType precision, int64_t batch_size) {
  NetworkOptions options;
  options.dt = kPairDt;
  options.precision = precision;
  options.batch_size = batch_size;
  options.seed = 11;
  return options;
}

std::unique_ptr<Network> Make(const GleSpec& spec, const NetworkOptions& options) {
  auto network = MakeGle(spec, options, NetworkLimits());
  if (network.ok()) return *std::move(network);
  std::fprintf(stderr, "%s\n", network.status().ToString().c_str());
  std::abort();
}

void Teach(double input, double target, const Network& network) {
  Set(network, "x.r", input);
  Set(network, "y.target", target);
  Set(network, "y.teach", 1.0);
}

void Advance(int64_t steps, Network& network) {
  for (int64_t n = 0; n < steps; ++n) network.Advance({n, kPairDt});
}

}  // namespace prospero
