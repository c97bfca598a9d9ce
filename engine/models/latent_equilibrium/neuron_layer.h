#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "engine/models/latent_equilibrium/layer.h"
#include "engine/models/latent_equilibrium/neurons.h"
#include "engine/models/latent_equilibrium/synapses.h"
#include "engine/models/latent_equilibrium/teacher.h"
#include "engine/models/latent_equilibrium/window.h"

namespace prospero {

/// A layer of neurons: their synapses, their errors and their order in a step.
template <class Real>
class NeuronLayer final : public Layer<Real> {
 public:
  /// Keeps references to all but `window` and dt. `window`: of a convolution; `output`: the last
  /// layer.
  NeuronLayer(const LatentEquilibriumSpec& spec, const LatentEquilibriumLayer& layer,
              const absl::optional<Window>& window, LayerActivity<Real>& below,
              LayerActivity<Real>& activity, const LayerActivity<Real>& output, double dt);

  void WantMemory(Arena& arena) override;
  void Register(VariableTable& variables) override;
  void ResetState() override;
  void ResetWeights(uint64_t seed) override;
  void KeyNoise(uint64_t seed) override { neurons_.KeyNoise(seed); }
  void ClearPadding() override;
  void AdvanceNoise(const Step& step) override { neurons_.AdvanceNoise(step); }
  void Advance(const Step& step, bool learning, bool started) override;
  bool finite() const override { return neurons_.finite(); }

  /// Of the last layer.
  Real loss() const { return teacher_->loss(); }

 private:
  void SenseErrors(const Step& step);
  void HandDown(Real dt);
  void MoveAtOnce(const Step& step, bool learning, bool started);
  void MoveApart(const Step& step, bool learning, bool started);

  const LatentEquilibriumSpec& spec_;
  LayerActivity<Real>& layer_;
  const bool is_direct_;  ///< its errors come from the last layer
  LayerNeurons<Real> neurons_;
  LayerSynapses<Real> synapses_;
  absl::optional<LayerTeacher<Real>> teacher_;
};

}  // namespace prospero
