#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "engine/core/activation.h"
#include "engine/core/alignment.h"
#include "engine/core/initializer.h"
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/plasticity.h"

namespace prospero {

/// Reads all of the layer below.
struct DenseKind {
  int64_t size = 0;
};

/// Slides one kernel for each channel over one or two spatial dimensions.
struct ConvolutionKind {
  int64_t channels = 0;
  std::vector<int64_t> kernel;   ///< one for all dimensions or one for each, as all below
  std::vector<int64_t> stride;   ///< none: 1
  std::vector<int64_t> padding;  ///< zeros on either side; none: 0
};

/// Not neurons: the greatest rate of each window, or the mean.
struct PoolKind {
  enum class Kind : uint8_t { kMax, kAverage };
  Kind kind = Kind::kMax;
  std::vector<int64_t> window;
  std::vector<int64_t> stride;  ///< none: the window
};

/// One layer. See LatentEquilibriumLayer in proto/prospero/v1/latent_equilibrium.proto, whose
/// defaults are those of these structs.
struct LatentEquilibriumLayer {
  using Dense = DenseKind;
  using Convolution = ConvolutionKind;
  using Pool = PoolKind;
  struct Bias {
    absl::optional<Initializer> initializer;  ///< none: uniform on +-1/sqrt(fan-in)
    absl::optional<Plasticity> plasticity;    ///< none: constant
  };

  std::string name;
  std::variant<Dense, Convolution, Pool> kind;
  Activation activation = Activation::kLinear;
  std::vector<double> tau;                           ///< [ms], one or one for each neuron
  std::vector<double> tau_m;                         ///< [ms], none (tau), one or one for each
  double tau_spread = 0.0;                           ///< of N(1, tau_spread²)
  absl::optional<Plasticity> tau_m_plasticity;       ///< none: constant
  absl::optional<Initializer> initializer;           ///< of W; none: fan-in
  absl::optional<Plasticity> plasticity;             ///< of W; none: constant
  absl::optional<Bias> bias;                         ///< none: no bias
  absl::optional<NoiseSpec> noise;                   ///< none: no noise
  double rate_noise = 0.0;                           ///< standard deviation
  absl::optional<Initializer> feedback_initializer;  ///< of B; none: fan-in
  absl::optional<Alignment> alignment;               ///< none: B is constant
};

/// A layered network of Latent Equilibrium (Haider, Ellenberger, Kriener, Jordan, Senn, Petrovici,
/// NeurIPS 2021, arXiv 2110.14549) with feedback alignment, direct feedback alignment or Phaseless
/// Alignment Learning (Max, Kriener, Pineda García, Nowotny, Jaras, Senn, Petrovici, arXiv
/// 2212.10249) as in the layered codes of the two papers.
///
///   τ_m u̇ = −u + s + γ e,   s = W r_below + b + ξ        ŭ = u + τ u̇
///   r = φ(ŭ) + white noise,   r′ = φ′(ŭ)                 g_W = −⟨e r_belowᵀ⟩,   g_b = −⟨e⟩
///   e = r′ B_above e_above                               g_B = −⟨ξ_below hᵀ⟩,   ḣ = ṙ − h / τ_hp
///   e = β r′ (target − r) or β (target − ŭ), on top      g_τm = −⟨(ŭ − s − γ e) u̇⟩
///
/// Forward Euler; ŭ is taken at the start of a step. ⟨⟩ is the mean over the batch; each learned
/// array takes one step of its optimizer down its g in each step of the network. B of a layer
/// leads from it to the layer below: Wᵀ (TRANSPOSE), random and fixed (RANDOM), learned from the
/// noise of the layer below (ALIGNED); with DIRECT it leads from the last layer to this one. g_τm
/// is the pre-training of Latent Equilibrium, which holds with errors, too: −(τ − τ_m) u̇².
/// A low-pass of time constant τ is x ← x + dt/τ (new − x).
///
/// A step, LAYERED (Latent Equilibrium's layered code with γ = 1, that of PAL with γ = 0). All of
/// it reads the states and weights that the step before has left, but for the input and
/// what is called new:
///
///   1. noise: a pool reports to the layer above the noise of the layer below, taken as it
///      takes rates, plus its own; then every ξ moves on
///   2. errors: new e = r′ B_above e_above; of the last layer, what the teacher says. The low-pass
///      of errors, if any, is of those that neurons are handed, not of the teacher's
///   3. neurons: u, ŭ with s of the new ξ and with γ e; new r: φ(ŭ), rate noise, low-pass of rates;
///      h with the new r (in the first step of all, h stays 0)
///   4. learning: W and b from the new e, B from the new ξ_below and h
///
/// DIRECT: new e = new r′ B e_last, with the new error of the last layer. With
/// errors_from_rate_potential a layer sends ŭ − s of this step instead of e.
///
/// A step, DYNAMICS (the code of Latent Equilibrium's Fig. 2a, which has γ e with the sign
/// reversed: γ = −1 here): as LAYERED, but 2. is new e = e_bottom, which the layer above left in
/// the step before, a layer sends its new e, which reaches the layer below in the next step,
///
///   e_bottom = r′ B_above (new e_above), with DIRECT r′ B (new e_last); low-pass if any,
///
/// and γ e takes the new e. At the start r = φ(0) and r′ = φ′(0); in LAYERED both are 0. All
/// other states are 0.
///
/// A convolution is a dense layer for each place of its kernel, with shared weights: g_W and g_B
/// are summed over all places, while g_b is averaged over them, as published. A MAX pool takes
/// rate and slope of the first greatest rate of its window and hands errors back to there, where
/// no slope is applied again. An AVERAGE pool has the slope 1 and spreads errors evenly over its
/// window, where each neuron applies its own slope; so the errors are the exact gradient. Rates
/// take a step to pass a pool, as any layer, and leave it with its ξ; errors pass it in no time.
/// With DIRECT no errors come to a pool.
///
/// Noise is a function of (seed, name, step): ξ as engine/core/noise.h, rate noise of a stream of
/// its own, and so are the factors of spread time constants.
///
/// Variables of layer l, in the network's precision unless they say otherwise; neurons are
/// [batch, *shape of the layer]:
///
/// | variable          | role      | what                                                     |
/// |-------------------|-----------|----------------------------------------------------------|
/// | input.r           | input     | [batch, *input_shape], the last values hold              |
/// | l.u               | state     | membrane potential u ¹                                   |
/// | l.r l.r_prime     | state     | rate and slope                                           |
/// | l.e               | state     | error e of the last step                                 |
/// | l.e_bottom        | state     | DYNAMICS: error that will be e; of all but the last      |
/// | l.u_ahead         | state     | ŭ of the last step ¹                                     |
/// | l.xi l.w ...      |           | where there is noise: engine/core/noise.h                |
/// | l.xi_total        | state     | of a pool with noise in or below it: that of its rates   |
/// | l.rate_noise      | parameter | where it is not 0: its standard deviation                |
/// | l.h l.tau_hp      | state, parameter | where there is an alignment: h; τ_hp [ms] >= dt   |
/// | l.W               | weight    | [post, pre], of a convolution                            |
/// |                   |           | [channels, channels below × kernel] ¹                    |
/// | l.b               | weight ²  | [size], of a convolution [channels]                      |
/// | l.B               | weight ³  | [pre, post]; DIRECT: [size of l, size of the output]     |
/// | l.alignment_angle | signal    | of B and Wᵀ, RANDOM and ALIGNED: engine/core/alignment.h |
/// | l.tau l.tau_m     | parameter ⁴ | time constants [shape of the layer], in ms ¹           |
/// | l.target l.teach  | input     | last layer: target; 1 in steps that have one, else 0     |
/// | l.beta            | input     | last layer: strength of the teacher                      |
/// | l.target_low      | state     | last layer with tau_target: the low-passed target, which |
/// |                   |           | moves in steps that have one                             |
/// | l.W.mean l.B.mean ... | signal | of W and B: engine/core/statistics.h                     |
/// | A.eta ...         |           | of a learned array A: engine/core/learner.h              |
/// | started           | state     | 1 after the first step; where there is an h              |
/// | learning          | parameter | 1 or 0, of all plasticity                                |
/// | loss              | signal    | 1/2 Σ (target − r)² or (target − ŭ)², of the r or ŭ that |
/// |                   |           | the last step compared, mean over the batch; 0 without   |
///
/// ¹ not of a pool; ² a parameter when it is not learned; ³ RANDOM and ALIGNED: of all but the
/// first layer and the pools; DIRECT: of all but the last and the pools; ⁴ a weight when it is
/// spread or learned. Every step that learns keeps a learned τ_m >= dt.
struct LatentEquilibriumSpec {
  enum class Order : uint8_t { kLayered, kDynamics };
  enum class TargetError : uint8_t { kRate, kPotential };
  std::vector<int64_t> input_shape;
  std::vector<LatentEquilibriumLayer> layers;
  FeedbackPath feedback = FeedbackPath::kTranspose;
  Order order = Order::kLayered;
  TargetError target_error = TargetError::kRate;
  double beta = 0.1;
  double gamma = 0.0;
  double tau_rate = 0.0;    ///< [ms], 0: none
  double tau_error = 0.0;   ///< [ms], 0: none
  double tau_target = 0.0;  ///< [ms], 0: none
  bool errors_from_rate_potential = false;
};

/// Checks everything that MakeLatentEquilibrium checks, and what the network would need, without
/// allocating for it. kInvalidArgument names the field ("layers[1].tau_ms", as in
/// latent_equilibrium.proto); kResourceExhausted names the limit.
absl::StatusOr<Footprint> CheckLatentEquilibrium(const LatentEquilibriumSpec& spec,
                                                 const NetworkOptions& options,
                                                 const NetworkLimits& limits);

/// Makes the network. Errors as CheckLatentEquilibrium.
absl::StatusOr<std::unique_ptr<Network>> MakeLatentEquilibrium(const LatentEquilibriumSpec& spec,
                                                               const NetworkOptions& options,
                                                               const NetworkLimits& limits);

}  // namespace prospero
