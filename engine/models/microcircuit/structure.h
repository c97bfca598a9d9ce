#pragma once

#include <cstddef>

#include "absl/types/optional.h"
#include "engine/models/microcircuit/microcircuit.h"

namespace prospero::microcircuit {

// Who is who in a spec; layers are counted from the input, 0, to the output.

inline size_t OutputOf(const MicrocircuitSpec& spec) { return spec.layers.size() - 1; }

inline bool IsHidden(const MicrocircuitSpec& spec, size_t layer) {
  return layer > 0 && layer < OutputOf(spec);
}

/// The layer that feeds back to a hidden layer.
inline size_t Above(const MicrocircuitSpec& spec, size_t layer) {
  return spec.connection == MicrocircuitSpec::Connection::kSkip ? OutputOf(spec) : layer + 1;
}

/// Whether B of a layer can learn.
inline bool LearnsFeedback(const MicrocircuitLayer& layer) {
  return layer.alignment.has_value() && layer.alignment->plasticity.has_value();
}

/// Time constant [ms] of the high-pass of a layer's rates; none: nobody listens to it.
inline absl::optional<double> TauOfHighPass(const MicrocircuitSpec& spec, size_t layer) {
  if (spec.without_high_pass) return absl::nullopt;
  for (size_t l = 1; l < OutputOf(spec); ++l) {
    if (Above(spec, l) == layer && LearnsFeedback(spec.layers[l])) {
      return spec.layers[l].alignment->tau_hp;
    }
  }
  return absl::nullopt;
}

}  // namespace prospero::microcircuit
