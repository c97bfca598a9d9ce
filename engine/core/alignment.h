#pragma once

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "engine/core/plasticity.h"
#include "engine/core/variable.h"

namespace prospero {

/// The way of errors back along a projection. See FeedbackPath in
/// proto/prospero/v1/components.proto.
enum class FeedbackPath : uint8_t { kTranspose, kRandom, kDirect, kAligned };

/// Feedback weights B [pre, post] that learn from noise (Phaseless Alignment Learning; Max et al.,
/// arXiv 2212.10249):
///
///   g_B = −⟨ξ h_postᵀ⟩,    ḣ = ṙ − h / τ_hp
///
/// with decay α as the plasticity's weight_decay.
struct Alignment {
  absl::optional<Plasticity> plasticity;  ///< none: B is constant
  double tau_hp = 0.0;                    ///< [ms]
};

/// kInvalidArgument names the field, as in components.proto.
absl::Status Check(const Alignment& alignment, double dt);

/// Adds how feedback weights B [n, m] relate to the weights W [m, n] that lead the other way,
/// FLOAT64 and computed when somebody asks (Max et al.'s metric; not a number when one of them is
/// all 0):
///
/// | signal                   | what                                                    |
/// |--------------------------|---------------------------------------------------------|
/// | <prefix>.alignment_angle | arccos(⟨B, Wᵀ⟩ / (‖B‖ ‖W‖)), in degrees                  |
/// | <prefix>.alignment_scale | ⟨B, Wᵀ⟩ / ‖W‖²                                           |
void RegisterAlignment(absl::string_view prefix, const Variable& W, const Variable& B,
                       VariableTable& variables);

}  // namespace prospero
