#include "prospero/client/components.h"

#include <utility>

namespace prospero::client {

v1::Plasticity Sgd(double learning_rate) {
  v1::Plasticity plasticity;
  plasticity.mutable_sgd();
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity Momentum(double learning_rate, double momentum) {
  v1::Plasticity plasticity;
  plasticity.mutable_momentum()->set_momentum(momentum);
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity Adam(double learning_rate) {
  v1::Plasticity plasticity;
  plasticity.mutable_adam();
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity LowPass(double learning_rate, double mix) {
  v1::Plasticity plasticity;
  plasticity.mutable_low_pass()->set_mix(mix);
  plasticity.set_learning_rate(learning_rate);
  return plasticity;
}

v1::Plasticity WithDecay(v1::Plasticity plasticity, double weight_decay) {
  plasticity.set_weight_decay(weight_decay);
  return plasticity;
}

v1::Initializer Constant(double value) {
  v1::Initializer initializer;
  initializer.set_constant(value);
  return initializer;
}

v1::Initializer Uniform(double low, double high) {
  v1::Initializer initializer;
  initializer.mutable_uniform()->set_low(low);
  initializer.mutable_uniform()->set_high(high);
  return initializer;
}

v1::Initializer Normal(double mean, double std) {
  v1::Initializer initializer;
  initializer.mutable_normal()->set_mean(mean);
  initializer.mutable_normal()->set_std(std);
  return initializer;
}

v1::Initializer FanIn(double gain) {
  v1::Initializer initializer;
  initializer.mutable_fan_in()->set_gain(gain);
  return initializer;
}

v1::Initializer Values(v1::Tensor values) {
  v1::Initializer initializer;
  *initializer.mutable_values() = std::move(values);
  return initializer;
}

v1::Noise OrnsteinUhlenbeck(double sigma, double tau_ms) {
  v1::Noise noise;
  noise.set_kind(v1::Noise::KIND_ORNSTEIN_UHLENBECK);
  noise.set_sigma(sigma);
  noise.set_tau_ms(tau_ms);
  return noise;
}

v1::Noise HeldWhite(double sigma, int64_t hold_steps) {
  v1::Noise noise;
  noise.set_kind(v1::Noise::KIND_HELD_WHITE);
  noise.set_sigma(sigma);
  noise.set_hold_steps(hold_steps);
  return noise;
}

v1::Alignment Align(const v1::Plasticity& plasticity, double tau_hp_ms) {
  v1::Alignment alignment;
  *alignment.mutable_plasticity() = plasticity;
  alignment.set_tau_hp_ms(tau_hp_ms);
  return alignment;
}

}  // namespace prospero::client
