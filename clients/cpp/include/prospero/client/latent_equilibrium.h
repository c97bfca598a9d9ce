#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "prospero/client/components.h"
#include "prospero/v1/latent_equilibrium.pb.h"

/// Specs of layered networks of Latent Equilibrium. What a spec means, and what is allowed, stands
/// in proto/prospero/v1/latent_equilibrium.proto; it is checked by the server.
///
///   auto spec = latent_equilibrium::SpecBuilder(0.1, {1, 28, 28}, {.gamma = 1.0})
///                   .Convolution("map", 8, {.kernel = {5}}, {.plasticity = Sgd(1e-3)})
///                   .MaxPool("pool", {.window = {2}})
///                   .Dense("digits", 10, {.activation = v1::ACTIVATION_LINEAR,
///                                         .plasticity = Sgd(1e-3)})
///                   .Build();
namespace prospero::client::latent_equilibrium {

/// What holds for the whole network.
struct Options {
  v1::FeedbackPath feedback = v1::FEEDBACK_PATH_TRANSPOSE;
  v1::LatentEquilibriumSpec::Order order = v1::LatentEquilibriumSpec::ORDER_LAYERED;
  v1::LatentEquilibriumSpec::TargetError target_error =
      v1::LatentEquilibriumSpec::TARGET_ERROR_RATE;
  absl::optional<double> beta = {};  ///< strength of the teacher; none: 0.1
  double gamma = 0.0;                ///< strength of the error at the membrane, in [-1, 1]
  double tau_rate_ms = 0.0;          ///< low-pass of rates [ms]; 0: none
  double tau_error_ms = 0.0;         ///< low-pass of errors [ms]; 0: none
  double tau_target_ms = 0.0;        ///< low-pass of the target [ms]; 0: none
  bool errors_from_rate_potential = false;
};

/// The neurons of a layer and their synapses.
struct Neurons {
  v1::Activation activation = v1::ACTIVATION_TANH;
  std::vector<double> tau_ms = {10.0};  ///< prospective [ms]: one, or one for each neuron
  std::vector<double> tau_m_ms = {};    ///< membrane [ms]: none (tau), one, or one each
  double tau_spread = 0.0;              ///< of both, relative standard deviation
  absl::optional<v1::Plasticity> tau_m_plasticity = {};       ///< none: tau_m is constant
  absl::optional<v1::Plasticity> plasticity = {};             ///< none: constant weights
  absl::optional<v1::Initializer> initializer = {};           ///< none: fan-in
  absl::optional<Bias> bias = {};                             ///< none: no bias
  absl::optional<v1::Noise> noise = {};                       ///< none: no noise
  double rate_noise = 0.0;                                    ///< standard deviation
  absl::optional<v1::Initializer> feedback_initializer = {};  ///< of B; none: fan-in
  absl::optional<v1::Alignment> alignment = {};               ///< ALIGNED; none: B is constant
};

/// The kernel of a convolution; one number for all spatial dimensions, or one for each.
struct Kernel {
  std::vector<int64_t> kernel;
  std::vector<int64_t> stride = {};   ///< none: 1
  std::vector<int64_t> padding = {};  ///< zeros on either side; none: 0
};

/// A layer that takes the greatest rate of each window, or the mean.
struct Pool {
  std::vector<int64_t> window;           ///< as in Kernel
  std::vector<int64_t> stride = {};      ///< none: the window
  absl::optional<v1::Noise> noise = {};  ///< of its rates; none: no noise
};

/// Writes a spec, layer by layer from the input on; the last one is the output. Not thread-safe.
class SpecBuilder : public NetworkBuilder<SpecBuilder> {
 public:
  /// `dt_ms` is the length of a step [ms], `input_shape` [size], [channels, length] or [channels,
  /// height, width].
  SpecBuilder(double dt_ms, const std::vector<int64_t>& input_shape, const Options& options = {});

  SpecBuilder& Dense(const std::string& name, int64_t size, const Neurons& neurons = {});
  SpecBuilder& Convolution(const std::string& name, int64_t channels, const Kernel& kernel,
                           const Neurons& neurons = {});
  SpecBuilder& MaxPool(const std::string& name, const Pool& pool);
  SpecBuilder& AveragePool(const std::string& name, const Pool& pool);

 private:
  v1::LatentEquilibriumLayer& Add(const std::string& name);
  void AddPool(const std::string& name, v1::LatentEquilibriumLayer::Pool::Kind kind,
               const Pool& pool);
};

}  // namespace prospero::client::latent_equilibrium
