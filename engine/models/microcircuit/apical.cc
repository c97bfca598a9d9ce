#include "engine/models/microcircuit/apical.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/kernels.h"

namespace prospero::microcircuit {
namespace {

absl::optional<Plasticity> PlasticityOfFeedback(const MicrocircuitLayer& layer) {
  return layer.alignment.has_value() ? layer.alignment->plasticity : absl::nullopt;
}

}  // namespace

template <class Real>
Apical<Real>::Apical(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
                     const MicrocircuitLayer& above, bool above_is_output, int64_t batch, double dt)
    : spec_(spec),
      layer_(layer),
      above_is_output_(above_is_output),
      batch_(batch),
      B_(absl::StrCat(layer.name, ".B"), layer.size, above.size, batch, layer.feedback_initializer,
         PlasticityOfFeedback(layer)),
      C_(absl::StrCat(layer.name, ".C"), layer.size, above.size, batch,
         layer.from_interneurons.initializer, layer.from_interneurons.plasticity) {
  if (layer.noise.has_value()) noise_.emplace(*layer.noise, layer.name, layer.size, batch, dt);
}

template <class Real>
void Apical<Real>::WantMemory(Arena& arena) {
  B_.WantMemory(arena);
  C_.WantMemory(arena);
  for (NeuronArray<Real>* array : {&a_, &with_noise_, &minus_a_, &noise_scale_}) {
    array->WantMemory(batch_, layer_.size, arena);
  }
  arena.Want(&factor_, B_.stride());
  if (noise_.has_value()) noise_->WantMemory(arena);
}

template <class Real>
Variable Apical<Real>::Register(VariableTable& variables) {
  variables.Add(Describe(absl::StrCat(layer_.name, ".apical"), Role::kState, {batch_, layer_.size},
                         a_.data(), "1", "potential of the apical dendrites, without the noise"));
  if (noise_.has_value()) noise_->Register(variables);
  Variable B =
      B_.Register("apical weights from the layer above, [size, size above]", !copies(), variables);
  C_.Register("apical weights from the interneurons, [size, size above]", !copies(), variables);
  return B;
}

template <class Real>
void Apical<Real>::ResetState() {
  a_.SetZero();
  with_noise_.SetZero();
  if (noise_.has_value()) noise_->ResetState();
}

template <class Real>
void Apical<Real>::ResetWeights(uint64_t seed) {
  B_.Reset(seed);
  C_.Reset(seed);
  if (spec_.start == MicrocircuitSpec::Start::kSelfPredicting) CopyNegative(B_, C_);
}

template <class Real>
void Apical<Real>::Key(uint64_t seed) {
  if (noise_.has_value()) noise_->Key(seed);
}

template <class Real>
void Apical<Real>::ClearPadding() {
  B_.ClearPadding();
  C_.ClearPadding();
  for (NeuronArray<Real>* array : {&a_, &with_noise_, &minus_a_, &noise_scale_}) {
    array->ClearPadding();
  }
  if (noise_.has_value()) noise_->ClearPadding();
}

template <class Real>
bool Apical<Real>::learns_in_one_pass() const {
  // Else what B learns from, or loses, is known only when it has transmitted.
  return spec_.decay == MicrocircuitSpec::Decay::kPlain &&
         spec_.noise_scale != MicrocircuitSpec::NoiseScale::kApical;
}

template <class Real>
const Real* Apical<Real>::NoiseScale(const Soma<Real>& soma) {
  switch (spec_.noise_scale) {
    case MicrocircuitSpec::NoiseScale::kConstant:
      return nullptr;
    case MicrocircuitSpec::NoiseScale::kPotential:
      noise_scale_.all() = soma.u().all().abs();
      break;
    case MicrocircuitSpec::NoiseScale::kProspective:
      noise_scale_.all() = soma.u_ahead().all().abs();
      break;
    case MicrocircuitSpec::NoiseScale::kApical:
      noise_scale_.all() = a_.all().abs();
      break;
  }
  return noise_scale_.data();
}

template <class Real>
void Apical<Real>::DecayWhereGated(const Real* learn_pre) {
  const int64_t n = B_.stride();
  Row<Real> factor(factor_, n);
  factor.setZero();
  for (int64_t b = 0; b < batch_; ++b) {
    factor += (ConstRow<Real>(learn_pre + b * n, n) > Real{0}).template cast<Real>();
  }
  factor = Real{1} - B_.decay() / static_cast<Real>(batch_) * factor;
  for (int64_t i = 0; i < B_.post(); ++i) {
    Row<Real>(B_.data() + i * n, n) *= ConstRow<Real>(factor_, n);
  }
}

template <class Real>
void Apical<Real>::DecayBySlopes(const Sources& from) {
  if (above_is_output_) return;
  const int64_t n = B_.stride();
  const Real decay = B_.decay() / static_cast<Real>(batch_);
  Row<Real> factor(factor_, n);
  for (int64_t i = 0; i < B_.post(); ++i) {
    factor.setZero();
    for (int64_t b = 0; b < batch_; ++b) {
      factor += from.soma.r_prime().trial(b)[i] * from.above.r_prime().trial(b);
    }
    Row<Real>(B_.data() + i * n, n) *= Real{1} - decay * factor;
  }
}

template <class Real>
const Real* Apical<Real>::LearnPre(const Sources& from) const {
  return spec_.without_high_pass ? from.above.r().data() : from.h;
}

template <class Real>
void Apical<Real>::LearnApart(const Sources& from, const Step& step) {
  noise_->Advance(step, NoiseScale(from.soma));
  if (spec_.decay == MicrocircuitSpec::Decay::kGated) DecayWhereGated(LearnPre(from));
  if (spec_.decay == MicrocircuitSpec::Decay::kSlopes) DecayBySlopes(from);
  B_.Learn(noise_->xi(), LearnPre(from), spec_.decay == MicrocircuitSpec::Decay::kPlain);
}

template <class Real>
void Apical<Real>::Transmit(const Sources& from, const Step& step, bool learning) {
  const bool B_learns = B_.Begin(step, learning);
  const bool at_once = B_learns && learns_in_one_pass();
  if (C_.Begin(step, learning)) minus_a_.all() = -a_.constant();
  with_noise_.SetZero();
  if (B_learns) with_noise_.all() = ConstRow<Real>(noise_->xi(), batch_ * with_noise_.stride());
  if (at_once) noise_->Advance(step, NoiseScale(from.soma));
  a_.SetZero();
  if (at_once) {
    B_.Transmit(from.above.r().data(), a_.data(), noise_->xi(), LearnPre(from));
  } else {
    B_.Transmit(from.above.r().data(), a_.data());
  }
  C_.Transmit(from.interneurons.r().data(), a_.data(), minus_a_.data(),
              from.interneurons.r_before().data());
  with_noise_.all() += a_.constant();
  if (B_learns && !at_once) LearnApart(from, step);
}

template class Apical<float>;
template class Apical<double>;

}  // namespace prospero::microcircuit
