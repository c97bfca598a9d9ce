#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/variable.h"
#include "engine/core/weights.h"
#include "engine/models/latent_equilibrium/activity.h"
#include "engine/models/latent_equilibrium/latent_equilibrium.h"
#include "engine/models/latent_equilibrium/patches.h"

namespace prospero {

/// The weights from the layer below to one layer, and those on which errors travel.
template <class Real>
class LayerSynapses {
 public:
  /// Keeps references to all but `window`, which is that of a convolution. `output`: the last
  /// layer, whose errors DIRECT sends.
  LayerSynapses(const LatentEquilibriumSpec& spec, const LatentEquilibriumLayer& layer,
                const absl::optional<Window>& window, LayerActivity<Real>& pre,
                LayerActivity<Real>& post, const LayerActivity<Real>& output);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// s ← s + W r of the layer below.
  void Read(const Step& step, Real* s);
  /// The same, and TRANSPOSE: e_sum of the layer below ← Wᵀ e; W learns from e_next. In one pass.
  void ReadAndLearn(const Step& step, const Real* e, bool learning, Real* s);
  /// ReadAndLearn without s.
  void Learn(const Step& step, const Real* e, bool learning);
  /// RANDOM, ALIGNED: e_sum of the layer below ← B e; B learns from the high-passed rates h of
  /// this layer and the noise of the layer below.
  void SendErrors(const Step& step, const Real* e, const Real* h, bool learning);
  /// DIRECT: e_sum of this layer ← B e of the last layer.
  void ReceiveErrors(const Step& step);

 private:
  bool sends_through_W() const {
    return spec_.feedback == FeedbackPath::kTranspose && !pre_.is_input();
  }
  bool is_direct() const { return spec_.feedback == FeedbackPath::kDirect; }
  void Run(WeightPass<Real> pass, Real* s, Real* e_sum);

  const LatentEquilibriumSpec& spec_;
  LayerActivity<Real>& pre_;
  LayerActivity<Real>& post_;
  const LayerActivity<Real>& output_;
  absl::optional<Patches<Real>> patches_;
  Weights<Real> W_;
  absl::optional<Weights<Real>> B_;
};

}  // namespace prospero
