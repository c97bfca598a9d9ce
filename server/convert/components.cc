#include "server/convert/components.h"

#include <initializer_list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/field_reader.h"
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
    case v1::Plasticity::kLowPass:
      plasticity->optimizer = Optimizer::kLowPass;
      plasticity->mix = wire.low_pass().mix();
      return CheckFinite(plasticity->mix, "low_pass.mix");
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
    case v1::ACTIVATION_HARD_LOGISTIC:
      return Activation::kHardLogistic;
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

absl::StatusOr<FeedbackPath> FromProto(v1::FeedbackPath way, absl::string_view path) {
  switch (way) {
    case v1::FEEDBACK_PATH_UNSPECIFIED:
    case v1::FEEDBACK_PATH_TRANSPOSE:
      return FeedbackPath::kTranspose;
    case v1::FEEDBACK_PATH_RANDOM:
      return FeedbackPath::kRandom;
    case v1::FEEDBACK_PATH_DIRECT:
      return FeedbackPath::kDirect;
    case v1::FEEDBACK_PATH_ALIGNED:
      return FeedbackPath::kAligned;
    default:
      return InvalidField(path, absl::StrCat("is unknown: ", static_cast<int>(way)));
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
                                            {"clip", wire.clip()},
                                            {"bound", wire.bound()}});
      !status.ok()) {
    return status;
  }
  Plasticity plasticity;
  plasticity.learning_rate = wire.learning_rate();
  plasticity.weight_decay = wire.weight_decay();
  plasticity.clip = wire.clip();
  plasticity.bound = wire.bound();
  plasticity.enabled = !wire.disabled();
  if (absl::Status status = SetOptimizer(wire, &plasticity); !status.ok()) return status;
  return plasticity;
}

absl::StatusOr<Alignment> FromProto(const v1::Alignment& wire) {
  FieldReader read;
  Alignment alignment;
  alignment.plasticity =
      read.Optional<Plasticity>(wire.has_plasticity(), wire.plasticity(), "plasticity");
  alignment.tau_hp = read.Number(wire.tau_hp_ms(), "tau_hp_ms");
  if (!read.status().ok()) return read.status();
  return alignment;
}

absl::StatusOr<NoiseSpec> FromProto(const v1::Noise& wire) {
  using Kind = NoiseSpec::Kind;
  FieldReader read;
  NoiseSpec noise;
  noise.kind = read.OneOf<Kind>(wire.kind(), "kind",
                                {{v1::Noise::KIND_UNSPECIFIED, Kind::kOrnsteinUhlenbeck},
                                 {v1::Noise::KIND_ORNSTEIN_UHLENBECK, Kind::kOrnsteinUhlenbeck},
                                 {v1::Noise::KIND_HELD_WHITE, Kind::kHeldWhite}});
  noise.sigma = read.Number(wire.sigma(), "sigma");
  noise.tau = read.Number(wire.tau_ms(), "tau_ms");
  noise.hold = wire.hold_steps() == 0 ? 1 : wire.hold_steps();
  if (!read.status().ok()) return read.status();
  return noise;
}

}  // namespace prospero::server
