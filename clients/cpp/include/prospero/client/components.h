#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "prospero/v1/components.pb.h"
#include "prospero/v1/network.pb.h"

/// The parts that specs of all kinds of networks are made of; what they mean, and what is allowed,
/// stands in proto/prospero/v1/components.proto.
namespace prospero::client {

/// w <- w - learning_rate * g, with `learning_rate` per step.
v1::Plasticity Sgd(double learning_rate);
v1::Plasticity Momentum(double learning_rate, double momentum);
v1::Plasticity Adam(double learning_rate);
/// The gradient is low-passed; `mix` is dt over the filter's time constant.
v1::Plasticity LowPass(double learning_rate, double mix);
/// The same with decoupled weight decay.
v1::Plasticity WithDecay(v1::Plasticity plasticity, double weight_decay);

v1::Initializer Constant(double value);
v1::Initializer Uniform(double low, double high);
v1::Initializer Normal(double mean, double std);
/// Uniform on +-gain / sqrt(number of presynaptic neurons).
v1::Initializer FanIn(double gain);
/// Given values: [post, pre] for weights, [size] for a population's array.
v1::Initializer Values(v1::Tensor values);

/// Noise of correlation time `tau_ms` [ms].
v1::Noise OrnsteinUhlenbeck(double sigma, double tau_ms);
/// White noise, drawn every `hold_steps` steps.
v1::Noise HeldWhite(double sigma, int64_t hold_steps = 1);

/// B learns from noise: Phaseless Alignment Learning. The weight_decay of `plasticity` is the
/// paper's alpha, without which B grows; `tau_hp_ms` is of the high-pass filter of the rates [ms].
v1::Alignment Align(const v1::Plasticity& plasticity, double tau_hp_ms);

/// Biases of neurons.
struct Bias {
  absl::optional<v1::Initializer> initializer = {};  ///< none: fan-in
  absl::optional<v1::Plasticity> plasticity = {};    ///< none: constant
};

/// What builders of all kinds of networks have in common. Not thread-safe.
template <class Builder>
class NetworkBuilder {
 public:
  Builder& Seed(uint64_t seed) {
    spec_.set_seed(seed);
    return static_cast<Builder&>(*this);
  }
  Builder& Precision(v1::DataType precision) {
    spec_.set_precision(precision);
    return static_cast<Builder&>(*this);
  }
  /// Trials that run in parallel with common weights.
  Builder& BatchSize(int32_t trials) {
    spec_.set_batch_size(trials);
    return static_cast<Builder&>(*this);
  }

  v1::NetworkSpec Build() const { return spec_; }

 protected:
  explicit NetworkBuilder(double dt_ms) { spec_.set_dt_ms(dt_ms); }

  v1::NetworkSpec spec_;
};

}  // namespace prospero::client
