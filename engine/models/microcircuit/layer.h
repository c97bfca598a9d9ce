#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/core/variable.h"
#include "engine/models/microcircuit/apical.h"
#include "engine/models/microcircuit/basal.h"
#include "engine/models/microcircuit/high_pass.h"
#include "engine/models/microcircuit/interneurons.h"
#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/soma.h"
#include "engine/models/microcircuit/teacher.h"

namespace prospero::microcircuit {

/// A layer of pyramidal neurons, all but the input: soma and basal dendrites; a hidden one with
/// apical dendrites and interneurons, the output with a teacher.
template <class Real>
class Layer {
 public:
  /// Layer `index` of `spec`, to which a reference is kept.
  Layer(const MicrocircuitSpec& spec, size_t index, const Membrane& membrane,
        const NetworkOptions& options);

  void WantMemory(Arena& arena);
  void Register(VariableTable& variables);
  void ResetState(uint64_t seed);
  void ResetWeights(uint64_t seed);
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// p and r of this step, of the pyramidal neurons and the interneurons.
  void Fire();
  /// a, d, and what B, C and V learn; of a hidden layer that `above` feeds back to.
  void TransmitFeedback(const Layer& above, const Step& step, bool learning);
  /// b, and what W learns.
  void TransmitForward(const Rates<Real>& below, const Step& step, bool learning);
  /// u and h. `above` as in TransmitFeedback, null for the output.
  void Move(const Layer* above);
  bool finite() const;

  Soma<Real> soma;
  Basal<Real> basal;
  absl::optional<Apical<Real>> apical;  ///< hidden, as the next
  absl::optional<Interneurons<Real>> interneurons;
  absl::optional<HighPassedRates<Real>> high_pass;  ///< where a learning B listens
  absl::optional<Teacher<Real>> teacher;            ///< output
  Variable W, B;                                    ///< once registered; B of a hidden layer

 private:
  const Membrane membrane_;
  const Real dt_;  ///< [ms]
};

}  // namespace prospero::microcircuit
