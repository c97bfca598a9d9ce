#include "engine/core/plasticity.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"

namespace prospero {
namespace {

absl::Status CheckDecay(absl::string_view path, double value) {
  if (value >= 0 && value < 1) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must be in [0, 1), got ", value));
}

absl::Status CheckAdam(const Plasticity& plasticity) {
  if (auto status = CheckDecay("adam.beta1", plasticity.beta1); !status.ok()) return status;
  if (auto status = CheckDecay("adam.beta2", plasticity.beta2); !status.ok()) return status;
  if (std::isfinite(plasticity.epsilon) && plasticity.epsilon > 0) return absl::OkStatus();
  return InvalidField("adam.epsilon",
                      absl::StrCat("must be finite and > 0, got ", plasticity.epsilon));
}

absl::Status CheckMix(double mix) {
  if (mix > 0 && mix <= 1) return absl::OkStatus();
  return InvalidField("low_pass.mix", absl::StrCat("must be in (0, 1], got ", mix));
}

}  // namespace

absl::Status Check(const Plasticity& plasticity) {
  if (auto status = CheckNotNegative("learning_rate", plasticity.learning_rate); !status.ok()) {
    return status;
  }
  if (auto status = CheckNotNegative("weight_decay", plasticity.weight_decay); !status.ok()) {
    return status;
  }
  if (auto status = CheckNotNegative("clip", plasticity.clip); !status.ok()) return status;
  if (auto status = CheckNotNegative("bound", plasticity.bound); !status.ok()) return status;
  switch (plasticity.optimizer) {
    case Optimizer::kSgd:
      return absl::OkStatus();
    case Optimizer::kMomentum:
      return CheckDecay("momentum.momentum", plasticity.momentum);
    case Optimizer::kAdam:
      return CheckAdam(plasticity);
    case Optimizer::kLowPass:
      return CheckMix(plasticity.mix);
  }
  return absl::InternalError("unknown optimizer");
}

}  // namespace prospero
