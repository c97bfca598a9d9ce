#include "engine/models/gle/check.h"

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/core/arena.h"
#include "engine/core/errors.h"
#include "engine/core/noise.h"
#include "engine/core/spec_check.h"
#include "engine/models/gle/check_feedback.h"

namespace prospero {
namespace {

/// An input has a name and a size and nothing else.
absl::Status CheckInput(const GlePopulation& population) {
  absl::string_view set;
  if (population.activation != Activation::kLinear) set = "activation";
  if (!population.tau_m.empty()) set = "tau_m_ms";
  if (!population.tau_r.empty()) set = "tau_r_ms";
  if (population.gamma != 0) set = "gamma";
  if (!population.prospective_errors) set = "error_mode";
  if (population.has_bias) set = "bias";
  if (population.tau_m_plasticity.has_value()) set = "tau_m_plasticity";
  if (population.tau_min != 0) set = "tau_min_ms";
  if (population.loss != Loss::kMse) set = "loss";
  if (population.beta != 1.0) set = "beta";
  if (population.noise.has_value()) set = "noise";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set for an INPUT population, which has no dynamics");
}

absl::Status CheckOutput(const GlePopulation& population) {
  if (auto status = CheckNotNegative("beta", population.beta); !status.ok()) return status;
  if (population.role == PopulationRole::kOutput) return absl::OkStatus();
  absl::string_view set;
  if (population.loss != Loss::kMse) set = "loss";
  if (population.beta != 1.0) set = "beta";
  if (set.empty()) return absl::OkStatus();
  return InvalidField(set, "must not be set for a HIDDEN population: only an OUTPUT has a teacher");
}

absl::Status CheckLearned(const GlePopulation& population) {
  if (population.bias_initializer.has_value()) {
    if (auto status = Check(*population.bias_initializer, {population.size}); !status.ok()) {
      return UnderField(status, "bias.initializer");
    }
  }
  if (population.bias_plasticity.has_value()) {
    if (auto status = Check(*population.bias_plasticity); !status.ok()) {
      return UnderField(status, "bias.plasticity");
    }
  }
  if (population.tau_m_plasticity.has_value()) {
    if (auto status = Check(*population.tau_m_plasticity); !status.ok()) {
      return UnderField(status, "tau_m_plasticity");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDynamics(const GlePopulation& population, double dt) {
  if (auto status = CheckTau("tau_m_ms", population.tau_m, population.size, dt); !status.ok()) {
    return status;
  }
  if (!population.tau_r.empty()) {
    if (auto status = CheckTau("tau_r_ms", population.tau_r, population.size, dt); !status.ok()) {
      return status;
    }
  }
  if (!(population.gamma >= 0 && population.gamma <= 1)) {
    return Refuse("gamma", "in [0, 1]", population.gamma);
  }
  if (auto status = CheckOptionalTau("tau_min_ms", population.tau_min, dt); !status.ok()) {
    return status;
  }
  if (!population.has_bias &&
      (population.bias_initializer.has_value() || population.bias_plasticity.has_value())) {
    return InvalidField("bias", "must be set when it has an initializer or a plasticity");
  }
  if (auto status = CheckOutput(population); !status.ok()) return status;
  if (population.noise.has_value()) {
    if (auto status = Check(*population.noise, dt); !status.ok()) {
      return UnderField(status, "noise");
    }
  }
  return CheckLearned(population);
}

absl::Status CheckPopulation(const GlePopulation& population, double dt) {
  if (auto status = CheckName(population.name); !status.ok()) return status;
  if (population.size < 1) {
    return InvalidField("size", absl::StrCat("must be >= 1, got ", population.size));
  }
  if (population.role == PopulationRole::kInput) return CheckInput(population);
  return CheckDynamics(population, dt);
}

/// What is known of a spec when its projections are read.
struct Names {
  absl::flat_hash_map<std::string, const GlePopulation*> populations;
  absl::flat_hash_set<std::string> taken;
};

absl::StatusOr<const GlePopulation*> FindEnd(const Names& names, absl::string_view field,
                                             const std::string& population) {
  const auto found = names.populations.find(population);
  if (found != names.populations.end()) return found->second;
  return InvalidField(field, absl::StrCat("must be the name of a population, got '",
                                          population.substr(0, 126), "'"));
}

absl::Status CheckProjection(const GleProjection& projection, Names& names, FeedbackCheck& feedback,
                             Footprint& footprint) {
  if (!projection.name.empty()) {
    if (auto status = CheckName(projection.name); !status.ok()) return status;
  }
  const auto pre = FindEnd(names, "pre", projection.pre);
  if (!pre.ok()) return pre.status();
  const auto post = FindEnd(names, "post", projection.post);
  if (!post.ok()) return post.status();
  if ((*post)->role == PopulationRole::kInput) {
    return InvalidField(
        "post", absl::StrCat("must not be an INPUT population, got '", projection.post, "'"));
  }
  if (!names.taken.insert(NameOf(projection)).second) {
    return InvalidField("name", absl::StrCat("must be unique, got '", NameOf(projection), "'"));
  }
  const std::vector<int64_t> shape = {(*post)->size, (*pre)->size};
  footprint.weights = SaturatingAdd(footprint.weights, SaturatingMul(shape[0], shape[1]));
  if (projection.initializer.has_value()) {
    if (auto status = Check(*projection.initializer, shape); !status.ok()) {
      return UnderField(status, "initializer");
    }
  }
  if (projection.plasticity.has_value()) {
    if (auto status = Check(*projection.plasticity); !status.ok()) {
      return UnderField(status, "plasticity");
    }
  }
  return UnderField(feedback.Check(projection, **pre, **post, footprint), "feedback");
}

absl::Status CheckPopulations(const GleSpec& spec, double dt, Names& names, Footprint& footprint) {
  bool has_input = false, has_other = false;
  for (size_t i = 0; i < spec.populations.size(); ++i) {
    const GlePopulation& population = spec.populations[i];
    absl::Status status = CheckPopulation(population, dt);
    if (status.ok() && !names.taken.insert(population.name).second) {
      status = InvalidField("name", absl::StrCat("must be unique, got '", population.name, "'"));
    }
    if (!status.ok()) return UnderField(status, absl::StrCat("populations[", i, "]"));
    names.populations[population.name] = &population;
    (population.role == PopulationRole::kInput ? has_input : has_other) = true;
    footprint.neurons = SaturatingAdd(footprint.neurons, population.size);
  }
  if (has_input && has_other) return absl::OkStatus();
  return InvalidField(
      "populations",
      absl::StrCat("must have at least one INPUT and one other, got ", spec.populations.size(),
                   has_input ? ", all INPUT" : ", no INPUT"));
}

}  // namespace

absl::Status CheckSpec(const GleSpec& spec, const NetworkOptions& options,
                       const NetworkLimits& limits, Footprint& footprint) {
  const auto count = [](const auto& list) { return static_cast<int64_t>(list.size()); };
  if (auto status = CheckLimit("max_populations", count(spec.populations), limits.max_populations);
      !status.ok()) {
    return status;
  }
  if (auto status = CheckLimit("max_projections", count(spec.projections), limits.max_projections);
      !status.ok()) {
    return status;
  }
  Names names;
  if (auto status = CheckPopulations(spec, options.dt, names, footprint); !status.ok()) {
    return status;
  }
  if (auto status = CheckLimit("max_neurons", footprint.neurons, limits.max_neurons);
      !status.ok()) {
    return status;
  }
  FeedbackCheck feedback(spec, options.dt);
  for (size_t i = 0; i < spec.projections.size(); ++i) {
    const absl::Status status = CheckProjection(spec.projections[i], names, feedback, footprint);
    if (!status.ok()) return UnderField(status, absl::StrCat("projections[", i, "]"));
  }
  return CheckLimit("max_weights", footprint.weights, limits.max_weights);
}

}  // namespace prospero
