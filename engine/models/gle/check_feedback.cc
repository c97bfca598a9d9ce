#include "engine/models/gle/check_feedback.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/core/alignment.h"
#include "engine/core/arena.h"
#include "engine/core/errors.h"
#include "engine/core/initializer.h"

namespace prospero {
namespace {

absl::string_view NameOf(FeedbackPath path) {
  switch (path) {
    case FeedbackPath::kTranspose:
      return "TRANSPOSE";
    case FeedbackPath::kRandom:
      return "RANDOM";
    case FeedbackPath::kDirect:
      return "DIRECT";
    case FeedbackPath::kAligned:
      return "ALIGNED";
  }
  return "";
}

/// Refuses fields that the path does not have.
absl::Status CheckFields(const GleFeedback& feedback) {
  absl::string_view set;
  if (feedback.initializer.has_value() && feedback.path == FeedbackPath::kTranspose) {
    set = "initializer";
  }
  if (feedback.alignment.has_value() && feedback.path != FeedbackPath::kAligned) set = "alignment";
  if (!feedback.output.empty() && feedback.path != FeedbackPath::kDirect) set = "output";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, absl::StrCat("must not be set for ", NameOf(feedback.path)));
}

}  // namespace

FeedbackCheck::FeedbackCheck(const GleSpec& spec, double dt) : dt_(dt) {
  for (const GlePopulation& population : spec.populations) {
    if (population.role == PopulationRole::kOutput) outputs_.push_back(&population);
  }
}

absl::Status FeedbackCheck::CheckAligned(const GleProjection& projection,
                                         const GlePopulation& pre) {
  const absl::optional<Alignment>& alignment = projection.feedback.alignment;
  if (!alignment.has_value()) return InvalidField("alignment", "must be set for ALIGNED");
  if (auto status = prospero::Check(*alignment, dt_); !status.ok()) {
    return UnderField(status, "alignment");
  }
  if (!pre.noise.has_value()) {
    return InvalidField("path", absl::StrCat("must not be ALIGNED where the presynaptic population "
                                             "has no noise, as '",
                                             pre.name, "'"));
  }
  const double shared = tau_hp_.try_emplace(projection.post, alignment->tau_hp).first->second;
  if (shared == alignment->tau_hp) return absl::OkStatus();
  return InvalidField("alignment.tau_hp_ms",
                      absl::StrCat("must be that of the other projections to '", projection.post,
                                   "' (", shared, "), got ", alignment->tau_hp));
}

absl::StatusOr<const GlePopulation*> FeedbackCheck::FindOutput(const std::string& name) const {
  if (name.empty()) {
    if (outputs_.size() == 1) return outputs_[0];
    return InvalidField("output", absl::StrCat("must be the name of an OUTPUT population, of which "
                                               "there are ",
                                               outputs_.size()));
  }
  for (const GlePopulation* output : outputs_) {
    if (output->name == name) return output;
  }
  return InvalidField("output", absl::StrCat("must be the name of an OUTPUT population, got '",
                                             name.substr(0, 126), "'"));
}

absl::Status FeedbackCheck::Check(const GleProjection& projection, const GlePopulation& pre,
                                  const GlePopulation& post, Footprint& footprint) {
  const GleFeedback& feedback = projection.feedback;
  if (auto status = CheckFields(feedback); !status.ok()) return status;
  if (feedback.path == FeedbackPath::kTranspose) return absl::OkStatus();
  if (pre.role == PopulationRole::kInput) {
    return InvalidField("path", absl::StrCat("must be TRANSPOSE from an INPUT population, which "
                                             "takes no errors, got ",
                                             NameOf(feedback.path)));
  }
  if (feedback.path == FeedbackPath::kAligned) {
    if (auto status = CheckAligned(projection, pre); !status.ok()) return status;
  }
  int64_t columns = post.size;
  if (feedback.path == FeedbackPath::kDirect) {
    const absl::StatusOr<const GlePopulation*> output = FindOutput(feedback.output);
    if (!output.ok()) return output.status();
    columns = (*output)->size;
  }
  footprint.weights = SaturatingAdd(footprint.weights, SaturatingMul(pre.size, columns));
  if (!feedback.initializer.has_value()) return absl::OkStatus();
  return UnderField(prospero::Check(*feedback.initializer, {pre.size, columns}), "initializer");
}

}  // namespace prospero
