#include "engine/models/latent_equilibrium/network.h"

#include <algorithm>
#include <utility>

#include "engine/core/describe.h"
#include "engine/core/float_mode.h"
#include "engine/models/latent_equilibrium/pool_layer.h"

namespace prospero {
namespace {

using Spec = LatentEquilibriumSpec;

/// Of the input, then of each layer.
std::vector<LayerGeometry> Geometries(const Spec& spec) {
  std::vector<LayerGeometry> geometries = {{spec.input_shape, absl::nullopt}};
  for (const LatentEquilibriumLayer& layer : spec.layers) {
    geometries.push_back(GeometryOf(layer, geometries.back()));
  }
  return geometries;
}

bool IsMaxPool(const LatentEquilibriumLayer& layer) {
  using Pool = LatentEquilibriumLayer::Pool;
  return IsPool(layer) && std::get<Pool>(layer.kind).kind == Pool::Kind::kMax;
}

bool HasHighPass(const Spec& spec) {
  return std::any_of(spec.layers.begin(), spec.layers.end(),
                     [](const auto& layer) { return layer.alignment.has_value(); });
}

}  // namespace

template <class Real>
LatentEquilibriumParts<Real>::LatentEquilibriumParts(const Spec& spec,
                                                     const NetworkOptions& options) {
  const std::vector<LayerGeometry> geometries = Geometries(spec);
  arena_.Want(&learning, 1);
  arena_.Want(&loss, 1);
  if (HasHighPass(spec)) arena_.Want(&started, 1);
  AddActivities(spec, options, geometries);
  AddLayers(spec, options, geometries);
}

template <class Real>
void LatentEquilibriumParts<Real>::AddActivities(const Spec& spec, const NetworkOptions& options,
                                                 const std::vector<LayerGeometry>& geometries) {
  using Kind = typename LayerActivity<Real>::Kind;
  // The arena and the layers keep their addresses.
  activities.reserve(geometries.size());
  activities.emplace_back("input", geometries[0].shape, options.batch_size, Kind::kInput);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const bool is_last = i + 1 == spec.layers.size();
    const bool waits = spec.order == Spec::Order::kDynamics && !is_last;
    activities.emplace_back(spec.layers[i].name, geometries[i + 1].shape, options.batch_size,
                            waits ? Kind::kPending : Kind::kHidden);
    activities.back().above_has_slope =
        !is_last && IsMaxPool(spec.layers[i + 1]) && spec.feedback != FeedbackPath::kDirect;
  }
  for (LayerActivity<Real>& activity : activities) activity.WantMemory(arena_);
}

template <class Real>
void LatentEquilibriumParts<Real>::AddLayers(const Spec& spec, const NetworkOptions& options,
                                             const std::vector<LayerGeometry>& geometries) {
  bool has_noise = false;  // of the layer below
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LatentEquilibriumLayer& layer = spec.layers[i];
    const absl::optional<Window>& window = geometries[i + 1].window;
    if (IsPool(layer)) {
      layers.push_back(std::make_unique<PoolLayer<Real>>(layer, *window, activities[i],
                                                         activities[i + 1], has_noise, options.dt));
      has_noise = has_noise || layer.noise.has_value();
    } else {
      auto neurons = std::make_unique<NeuronLayer<Real>>(
          spec, layer, window, activities[i], activities[i + 1], activities.back(), options.dt);
      output = neurons.get();
      layers.push_back(std::move(neurons));
      has_noise = layer.noise.has_value();
    }
    layers.back()->WantMemory(arena_);
  }
}

template <class Real>
LatentEquilibriumNetwork<Real>::LatentEquilibriumNetwork(Spec spec, const NetworkOptions& options)
    : spec_(std::move(spec)), options_(options), parts_(spec_, options_) {}

template <class Real>
bool LatentEquilibriumNetwork<Real>::Allocate() {
  if (!parts_.Allocate()) return false;
  Register();
  Reset(options_.seed, {});
  return true;
}

template <class Real>
void LatentEquilibriumNetwork<Real>::Register() {
  *parts_.learning = 1;
  variables_.Bound(variables_.Add(Describe("learning", Role::kParameter, {}, parts_.learning, "1",
                                           "1: the network learns; 0: all its plasticity is off")),
                   0.0, 1.0);
  variables_.Add(
      Describe("loss", Role::kSignal, {}, parts_.loss, "1", "of the last step, of the batch"));
  if (parts_.started != nullptr) {
    variables_.Add(Describe("started", Role::kState, {}, parts_.started, "1",
                            "1 once the network has made a step"));
  }
  parts_.activities[0].Register(variables_);
  for (size_t i = 0; i < parts_.layers.size(); ++i) {
    parts_.activities[i + 1].Register(variables_);
    parts_.layers[i]->Register(variables_);
  }
}

template <class Real>
void LatentEquilibriumNetwork<Real>::Reset(uint64_t seed, ResetScopes scopes) {
  if (scopes.state) {
    for (LayerActivity<Real>& activity : parts_.activities) activity.Clear();
    for (auto& layer : parts_.layers) layer->ResetState();
    *parts_.loss = 0;
    if (parts_.started != nullptr) *parts_.started = 0;
  }
  for (auto& layer : parts_.layers) {
    if (scopes.weights) layer->ResetWeights(seed);
    if (scopes.noise) layer->KeyNoise(seed);
  }
  finite_ = true;
}

template <class Real>
void LatentEquilibriumNetwork<Real>::ClearPadding() {
  for (LayerActivity<Real>& activity : parts_.activities) activity.ClearPadding();
  for (auto& layer : parts_.layers) layer->ClearPadding();
}

template <class Real>
void LatentEquilibriumNetwork<Real>::Advance(const Step& step) noexcept {
  const FloatMode mode;
  const bool learning = *parts_.learning != Real{0};
  const bool started = parts_.started != nullptr && *parts_.started != Real{0};
  auto& layers = parts_.layers;
  for (size_t i = layers.size(); i-- > 0;) layers[i]->AdvanceNoise(step);
  for (size_t i = layers.size(); i-- > 0;) layers[i]->Advance(step, learning, started);
  *parts_.loss = parts_.output->loss();
  if (parts_.started != nullptr) *parts_.started = 1;
  const bool finite =
      std::all_of(layers.begin(), layers.end(), [](const auto& layer) { return layer->finite(); });
  if (finite) return;
  finite_ = false;
  // Those who put values back do not see the padding.
  ClearPadding();
}

template class LatentEquilibriumParts<float>;
template class LatentEquilibriumParts<double>;
template class LatentEquilibriumNetwork<float>;
template class LatentEquilibriumNetwork<double>;

}  // namespace prospero
