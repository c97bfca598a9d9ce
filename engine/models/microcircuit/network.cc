#include "engine/models/microcircuit/network.h"

#include <utility>

#include "engine/core/alignment.h"
#include "engine/core/describe.h"
#include "engine/core/float_mode.h"
#include "engine/models/microcircuit/loop_gain.h"
#include "engine/models/microcircuit/self_prediction.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {
namespace {

/// First weights that are not given are uniform on [-1, 1).
MicrocircuitSpec WithInitializers(MicrocircuitSpec spec) {
  const Initializer uniform{Initializer::Kind::kUniform, -1.0, 1.0, {}, {}};
  for (MicrocircuitLayer& layer : spec.layers) {
    for (absl::optional<Initializer>* first :
         {&layer.forward.initializer, &layer.to_interneurons.initializer,
          &layer.from_interneurons.initializer, &layer.feedback_initializer}) {
      if (!first->has_value()) *first = uniform;
    }
  }
  return spec;
}

}  // namespace

template <class Real>
Parts<Real>::Parts(const MicrocircuitSpec& spec, const NetworkOptions& options)
    : input(spec.layers.front(), options.batch_size) {
  const Membrane membrane(spec.conductances);
  arena_.Want(&learning, 1);
  arena_.Want(&loss, 1);
  input.WantMemory(arena_);
  for (size_t l = 1; l < spec.layers.size(); ++l) {
    layers.push_back(std::make_unique<Layer<Real>>(spec, l, membrane, options));
    layers.back()->WantMemory(arena_);
  }
}

template <class Real>
MicrocircuitNetwork<Real>::MicrocircuitNetwork(MicrocircuitSpec spec, const NetworkOptions& options)
    : spec_(WithInitializers(std::move(spec))), options_(options), parts_(spec_, options_) {}

template <class Real>
bool MicrocircuitNetwork<Real>::Allocate() {
  if (!parts_.Allocate()) return false;
  Register();
  Reset(options_.seed, {});
  WarnOfLoops(spec_, parts_.layers, options_.dt, warnings_);
  return true;
}

template <class Real>
void MicrocircuitNetwork<Real>::Register() {
  *parts_.learning = 1;
  variables_.Add(Describe("learning", Role::kParameter, {}, parts_.learning, "1",
                          "1: the network learns; 0: all its plasticity is off"));
  variables_.Add(Describe("loss", Role::kSignal, {}, parts_.loss, "1",
                          "loss of the last step, 0 without a target"));
  parts_.input.Register(variables_);
  for (auto& layer : parts_.layers) layer->Register(variables_);
  for (size_t i = 0; i + 1 < parts_.layers.size(); ++i) {
    if (Above(i) != parts_.layers[i + 1].get()) continue;
    RegisterAlignment(spec_.layers[i + 1].name, parts_.layers[i + 1]->W, parts_.layers[i]->B,
                      variables_);
  }
}

template <class Real>
const Layer<Real>* MicrocircuitNetwork<Real>::Above(size_t i) const {
  if (i + 1 == parts_.layers.size()) return nullptr;
  return parts_.layers[microcircuit::Above(spec_, i + 1) - 1].get();
}

template <class Real>
Path<Real> MicrocircuitNetwork<Real>::PathFrom(size_t i) const {
  Path<Real> path;
  for (size_t k = i + 1; k < microcircuit::Above(spec_, i + 1); ++k) {
    path.push_back(&parts_.layers[k]->basal.W());
  }
  return path;
}

template <class Real>
void MicrocircuitNetwork<Real>::CopyFeedback() {
  for (size_t i = 0; i + 1 < parts_.layers.size(); ++i) {
    Apical<Real>& apical = *parts_.layers[i]->apical;
    CopyTransposed(parts_.layers[i + 1]->basal.W(), apical.B());
    CopyNegative(apical.B(), apical.C());
  }
}

template <class Real>
void MicrocircuitNetwork<Real>::ResetWeights(uint64_t seed) {
  for (auto& layer : parts_.layers) layer->ResetWeights(seed);
  if (spec_.feedback == FeedbackPath::kTranspose) CopyFeedback();
  if (spec_.start != MicrocircuitSpec::Start::kSelfPredicting) return;
  for (size_t i = 0; i + 1 < parts_.layers.size(); ++i) {
    const bool to_output = microcircuit::Above(spec_, i + 1) == OutputOf(spec_);
    SetSelfPredicting(PathFrom(i), to_output, Membrane(spec_.conductances),
                      parts_.layers[i]->interneurons->V());
  }
}

template <class Real>
void MicrocircuitNetwork<Real>::Reset(uint64_t seed, ResetScopes scopes) {
  if (scopes.noise) {
    for (auto& layer : parts_.layers) {
      if (layer->apical.has_value()) layer->apical->Key(seed);
    }
  }
  if (scopes.state) {
    parts_.input.ResetState();
    for (auto& layer : parts_.layers) layer->ResetState(seed);
    *parts_.loss = 0;
  }
  if (scopes.weights) ResetWeights(seed);
  finite_ = true;
}

template <class Real>
void MicrocircuitNetwork<Real>::Fail() {
  finite_ = false;
  // Those who put values back do not see the padding.
  parts_.input.ClearPadding();
  for (auto& layer : parts_.layers) layer->ClearPadding();
}

template <class Real>
void MicrocircuitNetwork<Real>::Advance(const Step& step) noexcept {
  const FloatMode mode;
  const bool learning = *parts_.learning != Real{0};
  auto& layers = parts_.layers;
  for (auto& layer : layers) layer->Fire();
  *parts_.loss = layers.back()->teacher->Loss(layers.back()->soma.u_ahead());
  for (size_t i = 0; i + 1 < layers.size(); ++i) {
    layers[i]->TransmitFeedback(*Above(i), step, learning);
  }
  // B has transmitted, and W has not learned yet.
  if (spec_.feedback == FeedbackPath::kTranspose) CopyFeedback();
  Rates<Real> below = parts_.input.rates();
  for (auto& layer : layers) {
    layer->TransmitForward(below, step, learning);
    below = layer->soma.rates();
  }
  bool finite = true;
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i]->Move(Above(i));
    finite = finite && layers[i]->finite();
  }
  parts_.input.Remember();
  if (!finite) Fail();
}

template class Parts<float>;
template class Parts<double>;
template class MicrocircuitNetwork<float>;
template class MicrocircuitNetwork<double>;

}  // namespace prospero::microcircuit
