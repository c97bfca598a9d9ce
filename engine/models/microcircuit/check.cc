#include "engine/models/microcircuit/check.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/core/arena.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"
#include "engine/models/microcircuit/check_layer.h"
#include "engine/models/microcircuit/membrane.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {
namespace {

using Connection = MicrocircuitSpec::Connection;

absl::Status CheckConductances(const MicrocircuitConductances& g, double dt) {
  const std::pair<absl::string_view, double> fields[] = {{"leak", g.leak},
                                                         {"basal", g.basal},
                                                         {"apical", g.apical},
                                                         {"dendrite", g.dendrite},
                                                         {"interneuron", g.interneuron},
                                                         {"target", g.target}};
  for (const auto& [field, value] : fields) {
    if (!(value > 0)) return Refuse(absl::StrCat("conductances.", field), "> 0 [1/ms]", value);
    if (auto status = CheckNotNegative(field, value); !status.ok()) {
      return UnderField(status, "conductances");
    }
  }
  const Membrane membrane(g);
  for (const double tau : {membrane.tau_hidden, membrane.tau_output, membrane.tau_interneuron}) {
    if (tau >= dt) continue;
    return InvalidField("conductances", absl::StrCat("must make membrane time constants >= dt_ms (",
                                                     dt, "), got ", tau, " ms"));
  }
  return absl::OkStatus();
}

absl::Status CheckFilters(const MicrocircuitSpec& spec, double dt) {
  for (const auto& [field, tau] : {std::pair{"tau_presynaptic_ms", spec.tau_presynaptic},
                                   std::pair{"tau_postsynaptic_ms", spec.tau_postsynaptic},
                                   std::pair{"tau_dendrite_ms", spec.tau_dendrite}}) {
    if (auto status = CheckOptionalTau(field, tau, dt); !status.ok()) return status;
  }
  return absl::OkStatus();
}

/// What only learned feedback has.
absl::Status CheckFeedback(const MicrocircuitSpec& spec) {
  if (spec.feedback == FeedbackPath::kDirect) {
    return InvalidField("feedback",
                        "must not be DIRECT: apical dendrites hear activity, not the error of the "
                        "output; SKIP connects them to the output");
  }
  if (spec.feedback == FeedbackPath::kTranspose && spec.connection == Connection::kSkip) {
    return InvalidField("feedback",
                        "must not be TRANSPOSE with SKIP: no W leads from a layer to the output");
  }
  if (spec.feedback == FeedbackPath::kAligned) return absl::OkStatus();
  absl::string_view set;
  if (spec.decay != MicrocircuitSpec::Decay::kPlain) set = "decay";
  if (spec.noise_scale != MicrocircuitSpec::NoiseScale::kConstant) set = "noise_scale";
  if (spec.without_high_pass) set = "without_high_pass";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set unless feedback is ALIGNED");
}

/// SKIP: the state of self-prediction exists only where layers between are linear.
absl::Status CheckStart(const MicrocircuitSpec& spec) {
  if (spec.connection != Connection::kSkip ||
      spec.start != MicrocircuitSpec::Start::kSelfPredicting) {
    return absl::OkStatus();
  }
  for (size_t l = 2; l < OutputOf(spec); ++l) {
    if (spec.layers[l].activation == Activation::kLinear) continue;
    return InvalidField(
        "start", absl::StrCat("must be GIVEN with SKIP unless all hidden layers but the first are "
                              "LINEAR: no V predicts the output through '",
                              spec.layers[l].name, "'"));
  }
  return absl::OkStatus();
}

/// SKIP: all listen to the same high-passed rates of the output.
absl::Status CheckHighPass(const MicrocircuitSpec& spec) {
  if (spec.connection != Connection::kSkip) return absl::OkStatus();
  const auto tau_hp = TauOfHighPass(spec, OutputOf(spec));
  for (size_t l = 1; tau_hp.has_value() && l < OutputOf(spec); ++l) {
    if (!LearnsFeedback(spec.layers[l]) || spec.layers[l].alignment->tau_hp == *tau_hp) continue;
    return UnderField(Refuse("alignment.tau_hp_ms",
                             absl::StrCat("the same in all layers with SKIP (", *tau_hp, ")"),
                             spec.layers[l].alignment->tau_hp),
                      absl::StrCat("layers[", l, "]"));
  }
  return absl::OkStatus();
}

absl::Status CheckLayers(const MicrocircuitSpec& spec, double dt) {
  absl::flat_hash_set<std::string> taken;
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    absl::Status status = CheckLayer(spec, l, dt);
    std::vector<std::string> names = {spec.layers[l].name};
    if (IsHidden(spec, l)) names.push_back(absl::StrCat(spec.layers[l].name, "_inter"));
    for (const std::string& name : names) {
      if (!status.ok() || taken.insert(name).second) continue;
      status = InvalidField(
          "name", absl::StrCat("must be unique, with the interneurons' names, got '", name, "'"));
    }
    if (!status.ok()) return UnderField(status, absl::StrCat("layers[", l, "]"));
  }
  return absl::OkStatus();
}

Footprint Count(const MicrocircuitSpec& spec) {
  Footprint count;
  const auto add = [&count](int64_t neurons, int64_t inputs, int64_t kinds) {
    count.weights =
        SaturatingAdd(count.weights, SaturatingMul(kinds, SaturatingMul(neurons, inputs)));
  };
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t size = spec.layers[l].size;
    count.neurons = SaturatingAdd(count.neurons, size);
    if (l > 0) add(size, spec.layers[l - 1].size, 1);
    if (!IsHidden(spec, l)) continue;
    const int64_t above = spec.layers[Above(spec, l)].size;
    count.neurons = SaturatingAdd(count.neurons, above);
    add(size, above, 3);
  }
  return count;
}

absl::Status CheckCounts(const MicrocircuitSpec& spec, const NetworkLimits& limits) {
  const auto layers = static_cast<int64_t>(spec.layers.size());
  // A hidden layer has interneurons, and B, C and V beside W.
  const int64_t populations = 2 * layers - 2, projections = 4 * layers - 7;
  if (auto status = CheckLimit("max_populations", populations, limits.max_populations);
      !status.ok()) {
    return status;
  }
  return CheckLimit("max_projections", projections, limits.max_projections);
}

}  // namespace

absl::Status CheckSpec(const MicrocircuitSpec& spec, const NetworkOptions& options,
                       const NetworkLimits& limits, Footprint& footprint) {
  if (spec.layers.size() < 2) {
    return InvalidField(
        "layers",
        absl::StrCat("must be at least two, the input and the output, got ", spec.layers.size()));
  }
  if (auto status = CheckCounts(spec, limits); !status.ok()) return status;
  if (auto status = CheckConductances(spec.conductances, options.dt); !status.ok()) return status;
  if (auto status = CheckNotNegative("prospectivity", spec.prospectivity); !status.ok()) {
    return status;
  }
  if (auto status = CheckFilters(spec, options.dt); !status.ok()) return status;
  if (auto status = CheckFeedback(spec); !status.ok()) return status;
  if (auto status = CheckLayers(spec, options.dt); !status.ok()) return status;
  if (auto status = CheckStart(spec); !status.ok()) return status;
  if (auto status = CheckHighPass(spec); !status.ok()) return status;
  footprint = Count(spec);
  if (auto status = CheckLimit("max_neurons", footprint.neurons, limits.max_neurons);
      !status.ok()) {
    return status;
  }
  return CheckLimit("max_weights", footprint.weights, limits.max_weights);
}

}  // namespace prospero::microcircuit
