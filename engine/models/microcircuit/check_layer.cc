#include "engine/models/microcircuit/check_layer.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {
namespace {

/// The longest name that leaves room for that of the interneurons.
constexpr size_t kMaxName = 57;

bool IsSet(const MicrocircuitSynapses& synapses) {
  return synapses.initializer.has_value() || synapses.plasticity.has_value();
}

/// The field that only a hidden layer may have and this one has; empty: none.
absl::string_view HiddenField(const MicrocircuitLayer& layer) {
  if (IsSet(layer.to_interneurons)) return "to_interneurons";
  if (IsSet(layer.from_interneurons)) return "from_interneurons";
  if (layer.feedback_initializer.has_value()) return "feedback_initializer";
  if (layer.alignment.has_value()) return "alignment";
  if (layer.noise.has_value()) return "noise";
  if (layer.interneuron_potential.has_value()) return "interneuron_potential";
  return "";
}

absl::Status CheckInput(const MicrocircuitLayer& layer) {
  absl::string_view set = HiddenField(layer);
  if (layer.activation != Activation::kLinear) set = "activation";
  if (IsSet(layer.forward)) set = "forward";
  if (layer.potential.has_value()) set = "potential";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set for the input, which has no dynamics");
}

absl::Status CheckFirst(absl::string_view field, const absl::optional<Initializer>& first,
                        const std::vector<int64_t>& shape) {
  if (!first.has_value()) return absl::OkStatus();
  return UnderField(Check(*first, shape), field);
}

absl::Status CheckSynapses(absl::string_view field, const MicrocircuitSynapses& synapses,
                           const std::vector<int64_t>& shape) {
  absl::Status status = CheckFirst("initializer", synapses.initializer, shape);
  if (status.ok() && synapses.plasticity.has_value()) {
    status = UnderField(Check(*synapses.plasticity), "plasticity");
  }
  return UnderField(status, field);
}

absl::Status CheckAlignment(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
                            double dt) {
  const Alignment& alignment = *layer.alignment;
  if (!spec.without_high_pass) return Check(alignment, dt);
  if (alignment.tau_hp != 0) {
    return InvalidField("tau_hp_ms", absl::StrCat("must not be set with without_high_pass, got ",
                                                  alignment.tau_hp));
  }
  if (!alignment.plasticity.has_value()) return absl::OkStatus();
  return UnderField(Check(*alignment.plasticity), "plasticity");
}

absl::Status CheckAligned(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer, double dt) {
  if (spec.feedback != FeedbackPath::kAligned) {
    if (layer.alignment.has_value()) {
      return InvalidField("alignment", "must not be set unless feedback is ALIGNED");
    }
    if (!layer.noise.has_value()) return absl::OkStatus();
    return InvalidField("noise", "must not be set unless feedback is ALIGNED");
  }
  if (layer.alignment.has_value()) {
    if (auto status = CheckAlignment(spec, layer, dt); !status.ok()) {
      return UnderField(status, "alignment");
    }
  }
  if (layer.noise.has_value()) {
    if (!LearnsFeedback(layer)) {
      return InvalidField("noise",
                          "must not be set without alignment.plasticity: there is noise only "
                          "while B learns");
    }
    return UnderField(Check(*layer.noise, dt), "noise");
  }
  if (!LearnsFeedback(layer)) return absl::OkStatus();
  return InvalidField("noise", "must be set with alignment.plasticity: B learns from it");
}

/// What is copied, or follows from other weights, has no first values or rule of its own.
absl::Status CheckGivenTwice(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer) {
  if (spec.feedback == FeedbackPath::kTranspose) {
    if (layer.feedback_initializer.has_value()) {
      return InvalidField("feedback_initializer", "must not be set for TRANSPOSE: B is W^T");
    }
    if (IsSet(layer.from_interneurons)) {
      return InvalidField("from_interneurons", "must not be set for TRANSPOSE: C is -B");
    }
  }
  if (spec.start == MicrocircuitSpec::Start::kGiven) return absl::OkStatus();
  absl::string_view set;
  if (layer.from_interneurons.initializer.has_value()) set = "from_interneurons.initializer";
  if (layer.to_interneurons.initializer.has_value()) set = "to_interneurons.initializer";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set unless start is GIVEN");
}

absl::Status CheckHidden(const MicrocircuitSpec& spec, const MicrocircuitLayer& layer,
                         int64_t above, double dt) {
  if (auto status = CheckGivenTwice(spec, layer); !status.ok()) return status;
  if (auto status = CheckSynapses("to_interneurons", layer.to_interneurons, {above, layer.size});
      !status.ok()) {
    return status;
  }
  if (auto status =
          CheckSynapses("from_interneurons", layer.from_interneurons, {layer.size, above});
      !status.ok()) {
    return status;
  }
  if (auto status =
          CheckFirst("feedback_initializer", layer.feedback_initializer, {layer.size, above});
      !status.ok()) {
    return status;
  }
  if (auto status = CheckFirst("interneuron_potential", layer.interneuron_potential, {above});
      !status.ok()) {
    return status;
  }
  return CheckAligned(spec, layer, dt);
}

}  // namespace

absl::Status CheckLayer(const MicrocircuitSpec& spec, size_t index, double dt) {
  const MicrocircuitLayer& layer = spec.layers[index];
  if (auto status = CheckName(layer.name, kMaxName); !status.ok()) return status;
  if (layer.size < 1) {
    return InvalidField("size", absl::StrCat("must be >= 1, got ", layer.size));
  }
  if (index == 0) return CheckInput(layer);
  if (auto status =
          CheckSynapses("forward", layer.forward, {layer.size, spec.layers[index - 1].size});
      !status.ok()) {
    return status;
  }
  if (auto status = CheckFirst("potential", layer.potential, {layer.size}); !status.ok()) {
    return status;
  }
  if (IsHidden(spec, index)) {
    return CheckHidden(spec, layer, spec.layers[Above(spec, index)].size, dt);
  }
  const absl::string_view set = HiddenField(layer);
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set for the output: only a hidden layer has it");
}

}  // namespace prospero::microcircuit
