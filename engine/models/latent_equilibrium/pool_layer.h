#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/noise.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "engine/models/latent_equilibrium/layer.h"
#include "engine/models/latent_equilibrium/window.h"

namespace prospero {

/// A pool: the rates of the layer below, the greatest or the mean of each window.
template <class Real>
class PoolLayer final : public Layer<Real> {
 public:
  /// Keeps references to all but `window` and dt. `has_noise_below`: rates below hold noise.
  PoolLayer(const LatentEquilibriumLayer& layer, const Window& window, LayerActivity<Real>& below,
            LayerActivity<Real>& activity, bool has_noise_below, double dt);

  void WantMemory(Arena& arena) override;
  void Register(VariableTable& variables) override;
  void ResetState() override;
  void ResetWeights(uint64_t /*seed*/) override {}
  void KeyNoise(uint64_t seed) override;
  void ClearPadding() override;
  void AdvanceNoise(const Step& step) override;
  void Advance(const Step& step, bool learning, bool started) override;
  bool finite() const override { return true; }

 private:
  bool is_max() const { return kind_ == LatentEquilibriumLayer::Pool::Kind::kMax; }
  bool has_noise() const { return noise_.has_value() || has_noise_below_; }
  void Take(const Real* below, Real* here, int64_t trial) const;
  void HandErrorsOn(int64_t trial);
  void TakeRates(int64_t trial);

  const LatentEquilibriumLayer::Pool::Kind kind_;
  const Window window_;
  LayerActivity<Real>& below_;
  LayerActivity<Real>& layer_;
  const bool has_noise_below_;
  absl::optional<Noise<Real>> noise_;
  int64_t* winners_ = nullptr;  ///< kMax: [batch × size], index in a trial of the layer below
  Real* xi_total_ = nullptr;    ///< noise that the new rates hold, [batch × stride]
};

}  // namespace prospero
