#include "engine/core/noise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"
#include "engine/core/errors.h"
#include "engine/core/kernels.h"
#include "engine/core/normal.h"
#include "engine/core/random.h"
#include "engine/core/spec_check.h"

namespace prospero {

absl::Status Check(const NoiseSpec& noise, double dt) {
  if (auto status = CheckNotNegative("sigma", noise.sigma); !status.ok()) return status;
  if (noise.kind == NoiseSpec::Kind::kHeldWhite) {
    if (noise.tau != 0) {
      return InvalidField("tau_ms",
                          absl::StrCat("must not be set for HELD_WHITE noise, got ", noise.tau));
    }
    if (noise.hold >= 1) return absl::OkStatus();
    return InvalidField("hold_steps", absl::StrCat("must be >= 0, got ", noise.hold));
  }
  if (noise.hold != 1) {
    return InvalidField("hold_steps", "must not be set for ORNSTEIN_UHLENBECK noise");
  }
  return CheckTau("tau_ms", {noise.tau}, 1, dt);
}

template <class Real>
Noise<Real>::Noise(const NoiseSpec& spec, std::string population, int64_t size, int64_t batch,
                   double dt)
    : spec_(spec),
      population_(std::move(population)),
      layout_{batch, size, batch, PaddedRow<Real>(size)},
      dt_(dt) {}

template <class Real>
void Noise<Real>::WantMemory(Arena& arena) {
  const int64_t trials = SaturatingMul(layout_.rows, layout_.stride);
  for (Real** array : {&xi_, &w_}) arena.Want(array, trials);
  for (Real** scalar : {&w_given_, &sigma_, &tau_, &age_}) arena.Want(scalar, 1);
}

template <class Real>
void Noise<Real>::Register(VariableTable& variables, const std::vector<int64_t>& shape) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto name = [this](absl::string_view symbol) {
    return absl::StrCat(population_, ".", symbol);
  };
  const auto array = [&](absl::string_view symbol, Role role, Real* data,
                         absl::string_view description) {
    Variable flat =
        Describe(name(symbol), role, {layout_.rows, layout_.columns}, data, "1", description);
    return shape.empty() ? flat : ShownIn(shape, std::move(flat));
  };
  variables.Add(array("xi", Role::kState, xi_, "noise"));
  const int given = variables.Add(
      Describe(name("w_given"), Role::kInput, {}, w_given_, "1", "1 in steps that bring a w"));
  variables.Bound(given, 0.0, 1.0);
  Variable w = array("w", Role::kInput, w_, "white noise that takes the place of drawn noise");
  w.presence = given;
  variables.Add(std::move(w));
  *sigma_ = static_cast<Real>(spec_.sigma);
  variables.Bound(variables.Add(Describe(name("sigma"), Role::kParameter, {}, sigma_, "1",
                                         "strength of the noise")),
                  0.0, kInfinity);
  if (spec_.kind == NoiseSpec::Kind::kHeldWhite) {
    variables.Add(
        Describe(name("xi_age"), Role::kState, {}, age_, "1", "steps since the noise was drawn"));
    return;
  }
  *tau_ = static_cast<Real>(spec_.tau);
  variables.Bound(variables.Add(Describe(name("tau_xi"), Role::kParameter, {}, tau_, "ms",
                                         "correlation time of the noise")),
                  dt_, kInfinity);
}

template <class Real>
void Noise<Real>::ResetState() {
  std::fill_n(xi_, layout_.padded_rows * layout_.stride, Real{0});
  std::fill_n(w_, layout_.padded_rows * layout_.stride, Real{0});
  *w_given_ = 0;
  *age_ = 0;
}

template <class Real>
void Noise<Real>::ClearPadding() {
  FillPadding(layout_, Real{0}, xi_);
  FillPadding(layout_, Real{0}, w_);
}

template <class Real>
void Noise<Real>::Draw(const Step& step, const Real* scale) {
  const uint64_t stream = StreamOf(population_);
  for (int64_t trial = 0; trial < layout_.rows; ++trial) {
    const int64_t at = trial * layout_.stride;
    FillNormal(seed_, stream, step.index, trial, layout_.stride, w_ + at);
    std::fill(w_ + at + layout_.columns, w_ + at + layout_.stride, Real{0});
    if (scale == nullptr) continue;
    Row<Real>(w_ + at, layout_.stride) *= ConstRow<Real>(scale + at, layout_.stride);
  }
}

template <class Real>
void Noise<Real>::Move(Real dt) {
  Row<Real> xi(xi_, layout_.rows * layout_.stride);
  const ConstRow<Real> w(w_, layout_.rows * layout_.stride);
  if (spec_.kind == NoiseSpec::Kind::kHeldWhite) {
    xi = *sigma_ * w;
    *age_ = 0;
    return;
  }
  xi += (std::sqrt(dt * *tau_) * *sigma_ * w - dt * xi) / *tau_;
}

template <class Real>
void Noise<Real>::Advance(const Step& step, const Real* scale) {
  const bool given = *w_given_ != Real{0};
  const bool held = spec_.kind == NoiseSpec::Kind::kHeldWhite;
  if (given || !held || *age_ == Real{0}) {
    if (!given) Draw(step, scale);
    Move(static_cast<Real>(step.dt));
  }
  if (!held) return;
  const Real age = *age_ + Real{1};
  *age_ = age >= static_cast<Real>(spec_.hold) ? Real{0} : age;
}

template class Noise<float>;
template class Noise<double>;

}  // namespace prospero
