#include "engine/core/alignment.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/errors.h"
#include "engine/core/spec_check.h"

namespace prospero {
namespace {

/// ⟨B, Wᵀ⟩, ⟨B, B⟩, ⟨W, W⟩.
struct Products {
  double bw = 0, bb = 0, ww = 0;
};

template <class Real>
Products Multiply(const Variable& W, const Variable& B) {
  const auto at = [](const Variable& x, int64_t i, int64_t j) {
    return static_cast<double>(
        static_cast<const Real*>(x.data)[i * x.strides[0] + j * x.strides[1]]);
  };
  Products sum;
  for (int64_t i = 0; i < W.shape[0]; ++i) {
    for (int64_t j = 0; j < W.shape[1]; ++j) {
      const double w = at(W, i, j), b = at(B, j, i);
      sum.bw += b * w;
      sum.bb += b * b;
      sum.ww += w * w;
    }
  }
  return sum;
}

Products Multiply(const Variable& W, const Variable& B) {
  return W.type == DataType::kFloat32 ? Multiply<float>(W, B) : Multiply<double>(W, B);
}

}  // namespace

absl::Status Check(const Alignment& alignment, double dt) {
  if (alignment.plasticity.has_value()) {
    if (auto status = Check(*alignment.plasticity); !status.ok()) {
      return UnderField(status, "plasticity");
    }
  }
  return CheckTau("tau_hp_ms", {alignment.tau_hp}, 1, dt);
}

void RegisterAlignment(absl::string_view prefix, const Variable& W, const Variable& B,
                       VariableTable& variables) {
  assert(W.shape[0] == B.shape[1] && W.shape[1] == B.shape[0] && W.type == B.type);
  Variable angle =
      Describe<double>(absl::StrCat(prefix, ".alignment_angle"), Role::kSignal, {}, nullptr, "deg",
                       "angle between the feedback weights and the transpose of the weights");
  angle.compute = [W, B](void* packed) {
    const Products sum = Multiply(W, B);
    const double cosine = sum.bw / std::sqrt(sum.bb * sum.ww);
    // Rounding may lead a hair beyond 1; what is not a number stays so.
    const double bounded = std::isnan(cosine) ? cosine : std::clamp(cosine, -1.0, 1.0);
    *static_cast<double*>(packed) = std::acos(bounded) * 180.0 / std::numbers::pi;
  };
  variables.Add(std::move(angle));
  Variable scale = Describe<double>(absl::StrCat(prefix, ".alignment_scale"), Role::kSignal, {},
                                    nullptr, "1", "<B, W^T> / |W|^2");
  scale.compute = [W, B](void* packed) {
    const Products sum = Multiply(W, B);
    *static_cast<double*>(packed) = sum.bw / sum.ww;
  };
  variables.Add(std::move(scale));
}

}  // namespace prospero
