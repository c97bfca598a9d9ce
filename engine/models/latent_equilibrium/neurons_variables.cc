// The variables of the neurons of a layer; the table in latent_equilibrium.h describes them.

#include <limits>
#include <utility>

#include "engine/core/describe.h"
#include "engine/models/latent_equilibrium/neurons.h"

namespace prospero {

template <class Real>
void LayerNeurons<Real>::RegisterArrays(VariableTable& variables) {
  variables.Add(layer_.Show("u", Role::kState, u_, "membrane potential"));
  variables.Add(
      layer_.Show("u_ahead", Role::kState, u_ahead_, "prospective potential of the last step"));
  if (h_ != nullptr) {
    variables.Add(layer_.Show("h", Role::kState, h_, "high-pass filtered rate"));
  }
  if (noise_.has_value()) noise_->Register(variables, layer_.shape);
  if (!layer_spec_.bias.has_value()) return;
  const Variable b =
      Describe(layer_.Name("b"), bias_learner_.exists() ? Role::kWeight : Role::kParameter,
               {channels_}, b_, "1", "bias");
  variables.Add(b);
  bias_learner_.Register(b, variables);
}

template <class Real>
void LayerNeurons<Real>::RegisterParameters(VariableTable& variables) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto tau = [&](absl::string_view symbol, bool changes, Real* data, double minimum,
                       absl::string_view description) {
    Variable array = ShownIn(
        layer_.shape, Describe(layer_.Name(symbol), changes ? Role::kWeight : Role::kParameter,
                               {layer_.size}, data, "ms", description));
    variables.Bound(variables.Add(array), minimum, kInfinity);
    return array;
  };
  tau("tau", layer_spec_.tau_spread > 0, tau_, 0.0, "prospective time constant");
  const Variable tau_m = tau("tau_m", tau_m_changes(), tau_m_, static_cast<double>(Real(dt_)),
                             "membrane time constant");
  tau_m_learner_.Register(tau_m, variables);
  const auto scalar = [&](absl::string_view symbol, Real* data, double first, double minimum,
                          absl::string_view unit, absl::string_view description) {
    *data = static_cast<Real>(first);
    const int index =
        variables.Add(Describe(layer_.Name(symbol), Role::kParameter, {}, data, unit, description));
    variables.Bound(index, minimum, kInfinity);
  };
  if (rate_noise_ != nullptr) {
    scalar("rate_noise", rate_noise_, layer_spec_.rate_noise, 0.0, "1",
           "standard deviation of the white noise of the rates");
  }
  if (tau_hp_ != nullptr) {
    scalar("tau_hp", tau_hp_, layer_spec_.alignment->tau_hp, static_cast<double>(Real(dt_)), "ms",
           "time constant of the high-pass of the rates");
  }
}

template <class Real>
void LayerNeurons<Real>::Register(VariableTable& variables) {
  SetTau();
  ClearPadding();
  RegisterArrays(variables);
  RegisterParameters(variables);
  if (noise_.has_value()) layer_.noise = noise_->xi();
}

template void LayerNeurons<float>::Register(VariableTable& variables);
template void LayerNeurons<double>::Register(VariableTable& variables);

}  // namespace prospero
