#pragma once

#include <memory>
#include <vector>

#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/models/latent_equilibrium/activity.h"
#include "engine/models/latent_equilibrium/geometry.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "engine/models/latent_equilibrium/layer.h"
#include "engine/models/latent_equilibrium/neuron_layer.h"

namespace prospero {

/// The layers of a network that is asked for, and the memory they want; nothing is allocated for
/// them until Allocate.
template <class Real>
class LatentEquilibriumParts {
 public:
  /// `spec` is valid; a reference is kept.
  LatentEquilibriumParts(const LatentEquilibriumSpec& spec, const NetworkOptions& options);
  LatentEquilibriumParts(const LatentEquilibriumParts&) = delete;
  LatentEquilibriumParts& operator=(const LatentEquilibriumParts&) = delete;

  int64_t bytes() const { return arena_.bytes(); }
  bool Allocate() { return arena_.Allocate(); }

  std::vector<LayerActivity<Real>> activities;       ///< the input, then one for each layer
  std::vector<std::unique_ptr<Layer<Real>>> layers;  ///< from the input on
  NeuronLayer<Real>* output = nullptr;
  Real* learning = nullptr;
  Real* loss = nullptr;
  Real* started = nullptr;  ///< null: nobody needs it

 private:
  void AddActivities(const LatentEquilibriumSpec& spec, const NetworkOptions& options,
                     const std::vector<LayerGeometry>& geometries);
  void AddLayers(const LatentEquilibriumSpec& spec, const NetworkOptions& options,
                 const std::vector<LayerGeometry>& geometries);

  Arena arena_;
};

template <class Real>
class LatentEquilibriumNetwork final : public Network {
 public:
  LatentEquilibriumNetwork(LatentEquilibriumSpec spec, const NetworkOptions& options);

  /// Once, before anything else. False when there is no memory.
  bool Allocate();

  void Reset(uint64_t seed, ResetScopes scopes) override;
  void Advance(const Step& step) noexcept override;

 private:
  void Register();
  void ClearPadding();

  const LatentEquilibriumSpec spec_;
  const NetworkOptions options_;
  LatentEquilibriumParts<Real> parts_;
};

}  // namespace prospero
