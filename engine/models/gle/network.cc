#include "engine/models/gle/network.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/core/describe.h"
#include "engine/core/float_mode.h"

namespace prospero {
namespace {

using IndexOf = absl::flat_hash_map<std::string, size_t>;

/// Index of each population by its name.
IndexOf Indices(const GleSpec& spec) {
  IndexOf indices;
  for (size_t i = 0; i < spec.populations.size(); ++i) indices[spec.populations[i].name] = i;
  return indices;
}

/// What the projections make of each population.
std::vector<Afferents> AfferentsOf(const GleSpec& spec, const IndexOf& indices) {
  std::vector<Afferents> all(spec.populations.size());
  for (const GleProjection& q : spec.projections) {
    Afferents& afferents = all[indices.at(q.post)];
    afferents.fan_in = SaturatingAdd(afferents.fan_in, spec.populations[indices.at(q.pre)].size);
    if (q.feedback.alignment.has_value()) afferents.tau_hp = q.feedback.alignment->tau_hp;
  }
  return all;
}

/// Whose errors travel back along a projection.
const std::string& SourceOf(const GleSpec& spec, const GleProjection& q) {
  if (q.feedback.path != FeedbackPath::kDirect) return q.post;
  if (!q.feedback.output.empty()) return q.feedback.output;
  const auto is_output = [](const GlePopulation& p) { return p.role == PopulationRole::kOutput; };
  return std::find_if(spec.populations.begin(), spec.populations.end(), is_output)->name;
}

}  // namespace

template <class Real>
GleParts<Real>::GleParts(const GleSpec& spec, const NetworkOptions& options) {
  const IndexOf indices = Indices(spec);
  const std::vector<Afferents> afferents = AfferentsOf(spec, indices);
  arena_.Want(&learning, 1);
  arena_.Want(&loss, 1);
  // The arena and the synapses keep their addresses.
  neurons.reserve(spec.populations.size());
  synapses.reserve(spec.projections.size());
  for (size_t i = 0; i < spec.populations.size(); ++i) {
    neurons.emplace_back(spec.populations[i], afferents[i], options.batch_size, options.dt);
    neurons.back().WantMemory(arena_);
  }
  for (const GleProjection& q : spec.projections) {
    synapses.emplace_back(q, neurons[indices.at(q.pre)], neurons[indices.at(q.post)],
                          neurons[indices.at(SourceOf(spec, q))], options.batch_size);
    synapses.back().WantMemory(arena_);
  }
}

template <class Real>
GleNetwork<Real>::GleNetwork(GleSpec spec, const NetworkOptions& options)
    : spec_(std::move(spec)), options_(options), parts_(spec_, options_) {}

template <class Real>
bool GleNetwork<Real>::Allocate() {
  if (!parts_.Allocate()) return false;
  Register();
  Reset(options_.seed, {});
  return true;
}

template <class Real>
void GleNetwork<Real>::Register() {
  *parts_.learning = 1;
  variables_.Add(Describe("learning", Role::kParameter, {}, parts_.learning, "1",
                          "1: the network learns; 0: all its plasticity is off"));
  variables_.Add(Describe("loss", Role::kSignal, {}, parts_.loss, "1",
                          "loss of the last step, over all ports that had a target"));
  Variable energy = Describe<double>("energy", Role::kSignal, {}, nullptr, "1",
                                     "half the sum of squared prospective errors");
  energy.compute = [this](void* packed) {
    double sum = 0;
    for (const Neurons<Real>& neurons : parts_.neurons) {
      if (!neurons.is_input()) sum += neurons.Energy();
    }
    *static_cast<double*>(packed) = sum;
  };
  variables_.Add(std::move(energy));
  for (Neurons<Real>& neurons : parts_.neurons) neurons.Register(variables_);
  for (Synapses<Real>& synapses : parts_.synapses) synapses.Register(variables_);
}

template <class Real>
void GleNetwork<Real>::Reset(uint64_t seed, ResetScopes scopes) {
  if (scopes.state) {
    for (Neurons<Real>& neurons : parts_.neurons) neurons.ResetState();
    *parts_.loss = 0;
  }
  if (scopes.weights) {
    for (Neurons<Real>& neurons : parts_.neurons) neurons.ResetWeights(seed);
    for (Synapses<Real>& synapses : parts_.synapses) synapses.ResetWeights(seed);
  }
  if (scopes.noise) {
    for (Neurons<Real>& neurons : parts_.neurons) neurons.KeyNoise(seed);
  }
  finite_ = true;
}

template <class Real>
void GleNetwork<Real>::Fail() {
  finite_ = false;
  // Those who put values back do not see the padding.
  for (Neurons<Real>& neurons : parts_.neurons) neurons.ClearPadding();
  for (Synapses<Real>& synapses : parts_.synapses) synapses.ClearPadding();
}

template <class Real>
void GleNetwork<Real>::Advance(const Step& step) noexcept {
  const FloatMode mode;
  const Real dt = static_cast<Real>(step.dt);
  const bool learning = *parts_.learning != Real{0};
  for (Neurons<Real>& neurons : parts_.neurons) {
    if (!neurons.is_input()) neurons.SenseErrors(dt);
  }
  for (Synapses<Real>& synapses : parts_.synapses) synapses.Transmit(step, learning);
  Real loss = 0;
  bool finite = true;
  for (Neurons<Real>& neurons : parts_.neurons) {
    if (neurons.is_input()) continue;
    neurons.Move(step, learning);
    loss += neurons.loss();
    finite = finite && neurons.finite();
  }
  *parts_.loss = loss;
  if (!finite) Fail();
}

template class GleParts<float>;
template class GleParts<double>;
template class GleNetwork<float>;
template class GleNetwork<double>;

}  // namespace prospero
