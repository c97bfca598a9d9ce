#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/core/network.h"
#include "engine/models/gle/gle.h"

namespace prospero {

/// Checks the feedback of one projection after the other.
class FeedbackCheck {
 public:
  /// `spec`: its populations are valid; a reference to their names is kept.
  FeedbackCheck(const GleSpec& spec, double dt);

  /// Of a projection between `pre` and `post`; adds its weights to `footprint`. kInvalidArgument
  /// names the field from the feedback on ("alignment.tau_hp_ms").
  absl::Status Check(const GleProjection& projection, const GlePopulation& pre,
                     const GlePopulation& post, Footprint& footprint);

 private:
  absl::Status CheckAligned(const GleProjection& projection, const GlePopulation& pre);
  absl::StatusOr<const GlePopulation*> FindOutput(const std::string& name) const;

  const double dt_;  ///< [ms]
  std::vector<const GlePopulation*> outputs_;
  absl::flat_hash_map<std::string, double> tau_hp_;  ///< [ms], of the populations aligned with
};

}  // namespace prospero
