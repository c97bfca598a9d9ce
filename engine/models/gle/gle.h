#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "engine/core/activation.h"
#include "engine/core/initializer.h"
#include "engine/core/loss.h"
#include "engine/core/network.h"
#include "engine/core/plasticity.h"

namespace prospero {

/// What a population is to the outside.
enum class PopulationRole : uint8_t { kInput, kHidden, kOutput };

/// N neurons of one kind. See GlePopulation in proto/prospero/v1/gle.proto.
struct GlePopulation {
  std::string name;
  int64_t size = 0;
  PopulationRole role = PopulationRole::kHidden;
  Activation activation = Activation::kLinear;
  std::vector<double> tau_m;  ///< [ms], one or one for each neuron
  std::vector<double> tau_r;  ///< [ms], none (tau_m), one or one for each neuron
  double gamma = 0.0;
  bool prospective_errors = true;
  bool has_bias = false;
  absl::optional<Initializer> bias_initializer;  ///< none: uniform on +-1/sqrt(fan-in)
  absl::optional<Plasticity> bias_plasticity;    ///< none: constant
  absl::optional<Plasticity> tau_m_plasticity;   ///< none: constant
  double tau_min = 0.0;                          ///< [ms], 0: dt
  Loss loss = Loss::kMse;
  double beta = 1.0;
};

/// The synapses from one population to another.
struct GleProjection {
  std::string name;  ///< empty: "<pre>_to_<post>"
  std::string pre;
  std::string post;
  absl::optional<Initializer> initializer;  ///< none: fan-in
  absl::optional<Plasticity> plasticity;    ///< none: constant
};

/// Its own name, or "<pre>_to_<post>".
std::string NameOf(const GleProjection& projection);

struct GleSpec {
  std::vector<GlePopulation> populations;
  std::vector<GleProjection> projections;
};

/// Checks everything that MakeGle checks, and what the network would need, without
/// allocating for it. kInvalidArgument names the field ("populations[1].tau_m_ms", as in
/// gle.proto); kResourceExhausted names the limit.
absl::StatusOr<Footprint> CheckGle(const GleSpec& spec, const NetworkOptions& options,
                                   const NetworkLimits& limits);

/// Makes the network. Errors as CheckGle.
absl::StatusOr<std::unique_ptr<Network>> MakeGle(const GleSpec& spec, const NetworkOptions& options,
                                                 const NetworkLimits& limits);

}  // namespace prospero
