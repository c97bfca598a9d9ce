#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/core/padding.h"
#include "engine/core/variable.h"

namespace prospero {

/// The noise of a population. See Noise in proto/prospero/v1/components.proto.
struct NoiseSpec {
  enum class Kind : uint8_t { kOrnsteinUhlenbeck, kHeldWhite };
  Kind kind = Kind::kOrnsteinUhlenbeck;
  double sigma = 0.0;
  double tau = 0.0;  ///< [ms], kOrnsteinUhlenbeck
  int64_t hold = 1;  ///< [steps], kHeldWhite
};

/// kInvalidArgument names the field, as in components.proto.
absl::Status Check(const NoiseSpec& noise, double dt);

/// Noise ξ of N neurons in B trials, from white noise w (Max et al., arXiv 2212.10249; forward
/// Euler-Maruyama):
///
///   Ornstein-Uhlenbeck:  ξ ← ξ + (√(dt τ) σ w − dt ξ) / τ,   variance σ² / (2 − dt/τ)
///   held white:          ξ ← σ w, every `hold` steps
///
/// w is standard Gaussian and a function of (seed, name, step) alone; but in a step that brings
/// values for it from outside it is those, and held noise takes them at once.
///
/// | variable | role      | what                                        |
/// |----------|-----------|---------------------------------------------|
/// | p.xi     | state     | ξ, [batch, size]                            |
/// | p.w      | input     | w, [batch, size]; absent: drawn             |
/// | p.w_given| input     | 1 in steps that bring a w, else 0           |
/// | p.sigma  | parameter | >= 0                                        |
/// | p.tau_xi | parameter | τ, >= dt; kOrnsteinUhlenbeck                |
/// | p.xi_age | state     | steps since ξ was drawn; kHeldWhite         |
template <class Real>
class Noise {
 public:
  Noise(const NoiseSpec& spec, std::string population, int64_t size, int64_t batch, double dt);

  void WantMemory(Arena& arena);
  /// `shape`: of one trial; none: [size].
  void Register(VariableTable& variables, const std::vector<int64_t>& shape = {});
  void ResetState();
  /// Draws are keyed by `seed` from now on.
  void Key(uint64_t seed) { seed_ = seed; }
  /// As Learner::ClearPadding.
  void ClearPadding();

  /// Moves ξ by one step. `scale`: what own draws are multiplied with, [batch × size] padded as
  /// ξ; null: 1.
  void Advance(const Step& step, const Real* scale = nullptr);

  /// [batch × size], rows padded as PaddedRow says, with zeros.
  const Real* xi() const { return xi_; }

 private:
  void Draw(const Step& step, const Real* scale);
  void Move(Real dt);

  const NoiseSpec spec_;
  const std::string population_;
  const Layout layout_;
  const double dt_;  ///< [ms]
  uint64_t seed_ = 0;
  Real* xi_ = nullptr;
  Real* w_ = nullptr;
  Real* w_given_ = nullptr;  ///< scalars
  Real* sigma_ = nullptr;
  Real* tau_ = nullptr;
  Real* age_ = nullptr;
};

}  // namespace prospero
