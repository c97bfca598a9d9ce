// The variables of a population; the table in gle.h describes them.

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/models/gle/neurons.h"

namespace prospero {

template <class Real>
Variable Neurons<Real>::AddArray(absl::string_view symbol, Role role, Real* data,
                                 absl::string_view unit, absl::string_view description,
                                 VariableTable& variables) const {
  std::vector<int64_t> shape = {size()};
  if (data != b_ && data != tau_m_ && data != tau_r_) shape.insert(shape.begin(), batch_);
  Variable array = Describe(absl::StrCat(spec_.name, ".", symbol), role, std::move(shape), data,
                            unit, description);
  variables.Add(array);
  return array;
}

template <class Real>
void Neurons<Real>::RegisterInput(VariableTable& variables) {
  AddArray("r", Role::kInput, r_, "1", "rate, written from outside", variables);
}

template <class Real>
void Neurons<Real>::RegisterNeurons(VariableTable& variables) {
  const auto add = [&](absl::string_view symbol, Role role, Real* data,
                       absl::string_view description) {
    AddArray(symbol, role, data, "1", description, variables);
  };
  add("u", Role::kState, u_, "membrane potential");
  add("v", Role::kState, v_, "integrated error");
  add("r", Role::kState, r_, "rate");
  add("r_prime", Role::kState, r_prime_, "slope of the activation");
  add("e_bottom", Role::kState, e_bottom_, "error handed down by the targets, before the slope");
  add("e", Role::kSignal, e_, "prospective error of the last step");
  add("inst_e", Role::kSignal, inst_e_, "instantaneous error of the last step");
  add("u_ahead", Role::kSignal, u_ahead_, "prospective potential of the last step");
}

template <class Real>
void Neurons<Real>::RegisterParameters(VariableTable& variables) {
  const Role tau_m = tau_is_bounded() ? Role::kWeight : Role::kParameter;
  if (spec_.has_bias) {
    const Role b = bias_learner_.exists() ? Role::kWeight : Role::kParameter;
    bias_learner_.Register(AddArray("b", b, b_, "1", "bias", variables), variables);
  }
  tau_m_learner_.Register(
      AddArray("tau_m", tau_m, tau_m_, "ms", "membrane time constant", variables), variables);
  AddArray("tau_r", tau_m, tau_r_, "ms", "prospective time constant", variables);
  *gamma_ = static_cast<Real>(spec_.gamma);
  const int gamma =
      variables.Add(Describe(absl::StrCat(spec_.name, ".gamma"), Role::kParameter, {}, gamma_, "1",
                             "strength with which the error reaches the membrane"));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  variables.Bound(gamma, 0.0, 1.0);
  for (const absl::string_view tau : {".tau_m", ".tau_r"}) {
    variables.Bound(variables.Find(absl::StrCat(spec_.name, tau)), dt_, kInfinity);
  }
}

template <class Real>
void Neurons<Real>::RegisterHighPass(VariableTable& variables) {
  AddArray("h", Role::kState, h_, "1", "high-pass filtered rate", variables);
  *tau_hp_ = static_cast<Real>(afferents_.tau_hp);
  const int tau_hp =
      variables.Add(Describe(absl::StrCat(spec_.name, ".tau_hp"), Role::kParameter, {}, tau_hp_,
                             "ms", "time constant of the high-pass filter"));
  variables.Bound(tau_hp, dt_, std::numeric_limits<double>::infinity());
}

template <class Real>
void Neurons<Real>::RegisterOutput(VariableTable& variables) {
  const auto scalar = [&](absl::string_view symbol, Role role, Real* data,
                          absl::string_view description) {
    return variables.Add(
        Describe(absl::StrCat(spec_.name, ".", symbol), role, {}, data, "1", description));
  };
  const int teach = scalar("teach", Role::kInput, teach_, "1 while the target holds, else 0");
  Variable target = Describe(absl::StrCat(spec_.name, ".target"), Role::kInput, {batch_, size()},
                             target_, "1", "what the rates should be");
  target.presence = teach;
  variables.Add(std::move(target));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  variables.Bound(teach, 0.0, 1.0);
  variables.Bound(scalar("beta", Role::kInput, beta_, "strength of the teacher"), 0.0, kInfinity);
  const int trial_weight = variables.Add(
      Describe(absl::StrCat(spec_.name, ".trial_weight"), Role::kInput, {batch_}, trial_weight_,
               "1", "factor of beta in each trial; 0: it only listens"));
  variables.Bound(trial_weight, 0.0, kInfinity);
  AddArray("y", Role::kSignal, y_, "1", "rate at the start of the last step", variables);
  scalar("loss", Role::kSignal, loss_, "loss of y in the last step, mean over the batch");
}

template <class Real>
void Neurons<Real>::Register(VariableTable& variables) {
  if (is_input()) return RegisterInput(variables);
  SetTau();
  ClearPadding();
  RegisterNeurons(variables);
  RegisterParameters(variables);
  if (noise_.has_value()) noise_->Register(variables);
  if (h_ != nullptr) RegisterHighPass(variables);
  if (is_output()) RegisterOutput(variables);
}

template void Neurons<float>::Register(VariableTable& variables);
template void Neurons<double>::Register(VariableTable& variables);

}  // namespace prospero
