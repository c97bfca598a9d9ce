#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "prospero/client/components.h"
#include "prospero/v1/gle.pb.h"

/// Specs of Generalized Latent Equilibrium networks in a few lines. What a spec means, and what
/// is allowed, stands in proto/prospero/v1/gle.proto and components.proto; it is checked by the
/// server, when the network is made.
///
///   auto spec = gle::Chain({40, 100, 1}, {.tau_m_ms = 10.0, .plasticity = gle::Sgd(1e-3)});
///
///   auto spec = gle::SpecBuilder(1.0)
///                   .Input("senses", 40)
///                   .Hidden("hidden", 100, {.tau_m_ms = {10.0}, .tau_r_ms = {1.0}})
///                   .Output("motor", 1)
///                   .Project("senses", "hidden", {.plasticity = gle::Sgd(1e-3)})
///                   .Project("hidden", "hidden")
///                   .Project("hidden", "motor", {.plasticity = gle::Sgd(1e-3)})
///                   .Build();
namespace prospero::client::gle {

using client::Adam;
using client::Bias;
using client::Constant;
using client::FanIn;
using client::Momentum;
using client::Normal;
using client::Sgd;
using client::Uniform;
using client::Values;

// The way of errors back along a projection, where it is not W^T; `B` holds the first feedback
// weights, none: fan-in.

/// Feedback alignment.
v1::GleFeedback Random(const absl::optional<v1::Initializer>& B = {});
/// Direct feedback alignment, from the named output; empty: the only one there is.
v1::GleFeedback Direct(const absl::optional<v1::Initializer>& B = {},
                       const std::string& output = "");
/// Phaseless Alignment Learning. The presynaptic population needs noise.
v1::GleFeedback Aligned(const v1::Alignment& alignment,
                        const absl::optional<v1::Initializer>& B = {});

/// The neurons of a population.
struct Neurons {
  v1::Activation activation = v1::ACTIVATION_TANH;
  std::vector<double> tau_m_ms = {10.0};  ///< membrane [ms]: one, or one for each neuron
  std::vector<double> tau_r_ms = {};      ///< prospective [ms]: none (tau_m), one, or one each
  double gamma = 0.0;                     ///< strength of the error on the membrane, in [0, 1]
  bool instantaneous_errors = false;      ///< backpropagation on the momentary state
  absl::optional<Bias> bias = {};         ///< none: no bias
  absl::optional<v1::Plasticity> tau_m_plasticity = {};  ///< none: tau_m is constant
  v1::Loss loss = v1::LOSS_UNSPECIFIED;                  ///< OUTPUT only; unspecified: MSE
  absl::optional<double> beta = {};      ///< OUTPUT only: strength of the teacher; none: 1
  absl::optional<v1::Noise> noise = {};  ///< added to the summed input; none: no noise
};

/// The synapses of a projection.
struct Synapses {
  absl::optional<v1::Plasticity> plasticity = {};    ///< none: the weights are constant
  absl::optional<v1::Initializer> initializer = {};  ///< none: fan-in
  std::string name = {};                             ///< empty: "<pre>_to_<post>"
  absl::optional<v1::GleFeedback> feedback = {};     ///< none: through W^T
};

/// Writes a spec, population by population and projection by projection. Not thread-safe.
class SpecBuilder : public NetworkBuilder<SpecBuilder> {
 public:
  /// `dt_ms` is the length of a step [ms].
  explicit SpecBuilder(double dt_ms) : NetworkBuilder(dt_ms) {}

  /// Adds a population of `size` neurons under a name that is new.
  SpecBuilder& Input(const std::string& name, int64_t size);
  SpecBuilder& Hidden(const std::string& name, int64_t size, const Neurons& neurons = {});
  SpecBuilder& Output(const std::string& name, int64_t size,
                      const Neurons& neurons = {.activation = v1::ACTIVATION_LINEAR});
  /// Joins two populations, which may be the same.
  SpecBuilder& Project(const std::string& pre, const std::string& post,
                       const Synapses& synapses = {});

 private:
  void AddPopulation(const std::string& name, int64_t size, v1::GlePopulation::Role role,
                     const Neurons& neurons);
};

/// What all layers of a chain, hidden ones and output, have in common.
struct ChainOptions {
  double dt_ms = 1.0;                    ///< length of a step [ms]
  double tau_m_ms = 10.0;                ///< membrane [ms]
  absl::optional<double> tau_r_ms = {};  ///< prospective [ms]; none: tau_m, Latent Equilibrium
  v1::Activation activation = v1::ACTIVATION_TANH;           ///< of the hidden layers
  v1::Activation output_activation = v1::ACTIVATION_LINEAR;  ///< of the output
  v1::Loss loss = v1::LOSS_MSE;
  double gamma = 0.0;                 ///< strength of the error on the membrane, in [0, 1]
  double beta = 1.0;                  ///< strength of the teacher
  bool instantaneous_errors = false;  ///< backpropagation on the momentary state
  absl::optional<v1::Plasticity> plasticity = {};  ///< of weights and biases; none: constant
  bool bias = true;
  v1::DataType precision = v1::DATA_TYPE_FLOAT32;
  uint64_t seed = 0;
  int32_t batch_size = 1;
};

/// A chain of layers, at least two: {40, 100, 1}. The first is the input "input", the last the
/// output "output"; those between are "hidden", or "hidden1", "hidden2", ... if there are more
/// than one. The projections are "input_to_hidden" and so on.
v1::NetworkSpec Chain(const std::vector<int64_t>& sizes, const ChainOptions& options = {});

}  // namespace prospero::client::gle
