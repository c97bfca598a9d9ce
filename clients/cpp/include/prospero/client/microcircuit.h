#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "prospero/client/components.h"
#include "prospero/v1/microcircuit.pb.h"

/// Specs of dendritic microcircuits. What a spec means, and what is allowed, stands in
/// proto/prospero/v1/microcircuit.proto; it is checked by the server.
///
///   auto spec = microcircuit::SpecBuilder(0.01, {.feedback = v1::FEEDBACK_PATH_ALIGNED})
///                   .Input("senses", 4)
///                   .Hidden("hidden", 8, {.forward = {.plasticity = Sgd(1e-3)},
///                                         .alignment = Align(WithDecay(Sgd(0.5), 1e-4), 0.1),
///                                         .noise = OrnsteinUhlenbeck(0.05, 0.1)})
///                   .Output("motor", 3, {.forward = {.plasticity = Sgd(1e-3)}})
///                   .Build();
namespace prospero::client::microcircuit {

/// What holds for the whole circuit.
struct Options {
  v1::FeedbackPath feedback = v1::FEEDBACK_PATH_TRANSPOSE;
  v1::MicrocircuitSpec::Connection connection = v1::MicrocircuitSpec::CONNECTION_LAYERED;
  v1::MicrocircuitSpec::Start start = v1::MicrocircuitSpec::START_SELF_PREDICTING;
  v1::MicrocircuitSpec::Conductances conductances = {};  ///< [1/ms]; 0: as published
  absl::optional<double> prospectivity = {};             ///< none: 1
  v1::MicrocircuitSpec::Comparison comparison = v1::MicrocircuitSpec::COMPARISON_RATES;
  double tau_presynaptic_ms = 0.0;   ///< low-pass of the rates that W learns from [ms]; 0: none
  double tau_postsynaptic_ms = 0.0;  ///< and of the difference [ms]; 0: none
  double tau_dendrite_ms = 0.0;      ///< of the interneurons [ms]; 0: none
  v1::MicrocircuitSpec::Decay decay = v1::MicrocircuitSpec::DECAY_UNSPECIFIED;  ///< ALIGNED
  v1::MicrocircuitSpec::NoiseScale noise_scale =
      v1::MicrocircuitSpec::NOISE_SCALE_UNSPECIFIED;  ///< ALIGNED
  bool without_high_pass = false;                     ///< ALIGNED
};

/// Synapses of one kind.
struct Synapses {
  absl::optional<v1::Plasticity> plasticity = {};    ///< none: constant
  absl::optional<v1::Initializer> initializer = {};  ///< none: uniform on [-1, 1)
};

/// A layer of pyramidal neurons; what is below `forward` is of hidden ones only.
struct Neurons {
  v1::Activation activation = v1::ACTIVATION_SIGMOID;
  absl::optional<v1::Initializer> potential = {};  ///< first u; none: 0
  Synapses forward = {};                           ///< from the layer below
  Synapses to_interneurons = {};
  Synapses from_interneurons = {};
  absl::optional<v1::Initializer> feedback_initializer = {};   ///< none: uniform on [-1, 1)
  absl::optional<v1::Alignment> alignment = {};                ///< ALIGNED; none: B is constant
  absl::optional<v1::Noise> noise = {};                        ///< ALIGNED: in the apical dendrites
  absl::optional<v1::Initializer> interneuron_potential = {};  ///< first u; none: 0
};

/// Writes a spec, layer by layer from the input to the output. Not thread-safe.
class SpecBuilder : public NetworkBuilder<SpecBuilder> {
 public:
  /// `dt_ms` is the length of a step [ms].
  explicit SpecBuilder(double dt_ms, const Options& options = {});

  SpecBuilder& Input(const std::string& name, int64_t size);
  SpecBuilder& Hidden(const std::string& name, int64_t size, const Neurons& neurons = {});
  SpecBuilder& Output(const std::string& name, int64_t size, const Neurons& neurons = {});

 private:
  v1::MicrocircuitLayer& AddLayer(const std::string& name, int64_t size);
};

}  // namespace prospero::client::microcircuit
