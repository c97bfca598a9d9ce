#include "server/convert/components.h"

#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/tensor.h"

namespace prospero::server {
namespace {

struct Number {
  absl::string_view path;
  double value;
};

absl::Status CheckAllFinite(std::initializer_list<Number> numbers) {
  for (const Number& number : numbers) {
    if (absl::Status status = CheckFinite(number.value, number.path); !status.ok()) return status;
  }
  return absl::OkStatus();
}

double OrDefault(double value, double when_zero) { return value == 0.0 ? when_zero : value; }

absl::StatusOr<Initializer> Drawn(Initializer::Kind kind, Number a, Number b) {
  if (absl::Status status = CheckAllFinite({a, b}); !status.ok()) return status;
  Initializer initializer;
  initializer.kind = kind;
  initializer.a = a.value;
  initializer.b = b.value;
  return initializer;
}

absl::StatusOr<Initializer> Given(const v1::Tensor& tensor) {
  absl::StatusOr<std::vector<double>> values = ReadDoubles(tensor);
  if (!values.ok()) return UnderField(values.status(), "values");
  Initializer initializer;
  initializer.kind = Initializer::Kind::kValues;
  initializer.shape.assign(tensor.shape().begin(), tensor.shape().end());
  initializer.values = *std::move(values);
  return initializer;
}

absl::Status SetOptimizer(const v1::Plasticity& wire, Plasticity* plasticity) {
  switch (wire.optimizer_case()) {
    case v1::Plasticity::OPTIMIZER_NOT_SET:
    case v1::Plasticity::kSgd:
      return absl::OkStatus();
    case v1::Plasticity::kMomentum:
      plasticity->optimizer = Optimizer::kMomentum;
      plasticity->momentum = wire.momentum().momentum();
      return CheckFinite(plasticity->momentum, "momentum.momentum");
    case v1::Plasticity::kAdam:
      plasticity->optimizer = Optimizer::kAdam;
      plasticity->beta1 = OrDefault(wire.adam().beta1(), 0.9);
      plasticity->beta2 = OrDefault(wire.adam().beta2(), 0.999);
      plasticity->epsilon = OrDefault(wire.adam().epsilon(), 1e-8);
      return CheckAllFinite({{"adam.beta1", plasticity->beta1},
                             {"adam.beta2", plasticity->beta2},
                             {"adam.epsilon", plasticity->epsilon}});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Activation> FromProto(v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_UNSPECIFIED:
    case v1::ACTIVATION_LINEAR:
      return Activation::kLinear;
    case v1::ACTIVATION_RELU:
      return Activation::kRelu;
    case v1::ACTIVATION_SIGMOID:
      return Activation::kSigmoid;
    case v1::ACTIVATION_TANH:
      return Activation::kTanh;
    case v1::ACTIVATION_HARD_SIGMOID:
      return Activation::kHardSigmoid;
    case v1::ACTIVATION_HARD_TANH:
      return Activation::kHardTanh;
    case v1::ACTIVATION_SOFTPLUS:
      return Activation::kSoftplus;
    default:
      return InvalidField("activation", absl::StrCat("is unknown: ", static_cast<int>(activation)));
  }
}

absl::StatusOr<Loss> FromProto(v1::Loss loss) {
  switch (loss) {
    case v1::LOSS_UNSPECIFIED:
    case v1::LOSS_MSE:
      return Loss::kMse;
    case v1::LOSS_CROSS_ENTROPY:
      return Loss::kCrossEntropy;
    default:
      return InvalidField("loss", absl::StrCat("is unknown: ", static_cast<int>(loss)));
  }
}

absl::StatusOr<Initializer> FromProto(const v1::Initializer& initializer) {
  using Kind = Initializer::Kind;
  switch (initializer.kind_case()) {
    case v1::Initializer::kConstant:
      return Drawn(Kind::kConstant, {"constant", initializer.constant()}, {"constant", 0.0});
    case v1::Initializer::kUniform:
      return Drawn(Kind::kUniform, {"uniform.low", initializer.uniform().low()},
                   {"uniform.high", initializer.uniform().high()});
    case v1::Initializer::kNormal:
      return Drawn(Kind::kNormal, {"normal.mean", initializer.normal().mean()},
                   {"normal.std", initializer.normal().std()});
    case v1::Initializer::kFanIn:
      return Drawn(Kind::kFanIn, {"fan_in.gain", OrDefault(initializer.fan_in().gain(), 1.0)},
                   {"fan_in.gain", 0.0});
    case v1::Initializer::kValues:
      return Given(initializer.values());
    case v1::Initializer::KIND_NOT_SET:
      break;
  }
  return InvalidField("kind", "must be set: constant, uniform, normal, fan_in or values");
}

absl::StatusOr<Plasticity> FromProto(const v1::Plasticity& wire) {
  if (absl::Status status = CheckAllFinite({{"learning_rate", wire.learning_rate()},
                                            {"weight_decay", wire.weight_decay()},
                                            {"clip", wire.clip()}});
      !status.ok()) {
    return status;
  }
  Plasticity plasticity;
  plasticity.learning_rate = wire.learning_rate();
  plasticity.weight_decay = wire.weight_decay();
  plasticity.clip = wire.clip();
  plasticity.enabled = !wire.disabled();
  if (absl::Status status = SetOptimizer(wire, &plasticity); !status.ok()) return status;
  return plasticity;
}

}  // namespace prospero::server
