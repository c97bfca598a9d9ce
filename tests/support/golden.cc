#include "tests/support/golden.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace prospero {
namespace {

using nlohmann::json;
using Arrays = std::map<std::string, Golden::Array>;

Activation ActivationOf(const std::string& phi) {
  static const std::map<std::string, Activation> kNames = {
      {"linear", Activation::kLinear},
      {"relu", Activation::kRelu},
      {"sigmoid", Activation::kSigmoid},
      {"tanh", Activation::kTanh},
      {"hard_sigmoid", Activation::kHardSigmoid},
      {"hard_tanh", Activation::kHardTanh},
      {"softplus", Activation::kSoftplus}};
  return kNames.at(phi);
}

absl::optional<Plasticity> PlasticityOf(const json& optimizer) {
  if (optimizer["kind"] == "none") return absl::nullopt;
  Plasticity plasticity;
  plasticity.learning_rate = optimizer["lr"];
  if (optimizer["kind"] == "adam") {
    plasticity.optimizer = Optimizer::kAdam;
    plasticity.beta1 = optimizer["beta1"];
    plasticity.beta2 = optimizer["beta2"];
    plasticity.epsilon = optimizer["eps"];
  } else if (optimizer["momentum"] != 0.0) {
    plasticity.optimizer = Optimizer::kMomentum;
    plasticity.momentum = optimizer["momentum"];
  }
  return plasticity;
}

Initializer ValuesOf(const Golden::Array& array) {
  Initializer initializer;
  initializer.kind = Initializer::Kind::kValues;
  initializer.shape = array.shape;
  initializer.values = array.values;
  return initializer;
}

GlePopulation PopulationOf(const json& header, size_t k, const Arrays& arrays) {
  const std::string name = absl::StrCat("p", k);
  const json& layer = header["layers"][k - 1];
  const bool is_last = k == header["layers"].size();
  GlePopulation population;
  population.name = name;
  population.size = header["sizes"][k];
  population.role = is_last ? PopulationRole::kOutput : PopulationRole::kHidden;
  population.activation = ActivationOf(layer["phi"]);
  population.tau_m = arrays.at(absl::StrCat("first.", name, ".tau_m")).values;
  population.tau_r = arrays.at(absl::StrCat("first.", name, ".tau_r")).values;
  population.gamma = layer["gamma"];
  population.prospective_errors = layer["prospective_errors"];
  population.has_bias = header["bias"];
  if (population.has_bias) {
    population.bias_initializer = ValuesOf(arrays.at(absl::StrCat("first.", name, ".b")));
    population.bias_plasticity = PlasticityOf(header["optimizer"]);
  }
  if (layer["learn_tau"]) population.tau_m_plasticity = PlasticityOf(header["optimizer"]);
  if (!header["tau_clamp_min"].is_null()) population.tau_min = header["tau_clamp_min"];
  if (is_last && header["loss"] == "ce") population.loss = Loss::kCrossEntropy;
  return population;
}

GleSpec SpecOf(const json& header, const Arrays& arrays) {
  GleSpec spec;
  GlePopulation input;
  input.name = "p0";
  input.size = header["sizes"][0];
  input.role = PopulationRole::kInput;
  spec.populations.push_back(input);
  for (size_t k = 1; k <= header["layers"].size(); ++k) {
    spec.populations.push_back(PopulationOf(header, k, arrays));
    GleProjection projection;
    projection.pre = absl::StrCat("p", k - 1);
    projection.post = absl::StrCat("p", k);
    projection.initializer =
        ValuesOf(arrays.at(absl::StrCat("first.", projection.pre, "_to_", projection.post, ".W")));
    projection.plasticity = PlasticityOf(header["optimizer"]);
    spec.projections.push_back(projection);
  }
  return spec;
}

bool IsInput(const std::string& variable) {
  for (const char* symbol : {".target", ".teach", ".beta"}) {
    if (variable.ends_with(symbol)) return true;
  }
  return variable == "p0.r";
}

}  // namespace

Golden ReadGolden(const std::string& name) {
  const Trace trace = ReadTrace(name);
  const json& header = trace.header;
  const Arrays& arrays = trace.arrays;
  Golden golden;
  golden.steps = header["steps"];
  golden.options.dt = header["dt"];
  golden.options.batch_size = header["batch"];
  golden.spec = SpecOf(header, arrays);
  for (const auto& [variable, array] : arrays) {
    if (variable.starts_with("first.")) continue;
    (IsInput(variable) ? golden.inputs : golden.trace)[variable] = array;
  }
  return golden;
}

}  // namespace prospero
