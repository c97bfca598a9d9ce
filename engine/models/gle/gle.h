#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "engine/core/activation.h"
#include "engine/core/alignment.h"
#include "engine/core/initializer.h"
#include "engine/core/loss.h"
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/plasticity.h"

namespace prospero {

/// What a population is to the outside.
enum class PopulationRole : uint8_t { kInput, kHidden, kOutput };

/// N neurons of one kind. See GlePopulation in proto/prospero/v1/gle.proto.
struct GlePopulation {
  std::string name;
  int64_t size = 0;
  PopulationRole role = PopulationRole::kHidden;
  Activation activation = Activation::kLinear;
  std::vector<double> tau_m;  ///< [ms], one or one for each neuron
  std::vector<double> tau_r;  ///< [ms], none (tau_m), one or one for each neuron
  double gamma = 0.0;
  bool prospective_errors = true;
  bool has_bias = false;
  absl::optional<Initializer> bias_initializer;  ///< none: uniform on +-1/sqrt(fan-in)
  absl::optional<Plasticity> bias_plasticity;    ///< none: constant
  absl::optional<Plasticity> tau_m_plasticity;   ///< none: constant
  double tau_min = 0.0;                          ///< [ms], 0: dt
  Loss loss = Loss::kMse;
  double beta = 1.0;
  absl::optional<NoiseSpec> noise;  ///< none: no noise
};

/// How the presynaptic population of a projection gets its errors. See GleFeedback in
/// proto/prospero/v1/gle.proto.
struct GleFeedback {
  FeedbackPath path = FeedbackPath::kTranspose;
  absl::optional<Initializer> initializer;  ///< of B; none: fan-in, of its second dimension
  absl::optional<Alignment> alignment;      ///< kAligned only, required there
  std::string output;                       ///< kDirect only; empty: the only OUTPUT
};

/// The synapses from one population to another.
struct GleProjection {
  std::string name;  ///< empty: "<pre>_to_<post>"
  std::string pre;
  std::string post;
  absl::optional<Initializer> initializer;  ///< none: fan-in
  absl::optional<Plasticity> plasticity;    ///< none: constant
  GleFeedback feedback;
};

/// Its own name, or "<pre>_to_<post>".
std::string NameOf(const GleProjection& projection);

/// A network of Generalized Latent Equilibrium on any directed graph (Ellenberger, Haider et al.,
/// Nature Communications 17:66, 2026; arXiv 2403.16933). Latent Equilibrium (Haider et al.,
/// NeurIPS 2021) is tau_r = tau_m.
///
///   s = b + Σ W r_pre + ξ,   e_top = Σ B e_post + β (target − r),   e_inst = φ′ e_top
///
///   τ_r v̇ = −v + e_inst           e = v + τ_m v̇         prospective error
///   τ_m u̇ = −u + s + γ e          ŭ = u + τ_r u̇         r = φ(ŭ),  φ′ = φ′(ŭ)
///   g_W = −⟨e r_preᵀ⟩             g_b = −⟨e⟩             g_τm = ⟨e u̇⟩
///   B = Wᵀ, or random, or         g_B = −⟨ξ_pre h_postᵀ⟩,   ḣ = ṙ − h / τ_hp
///
/// The way back, B, is Wᵀ (TRANSPOSE); random and fixed (RANDOM); random and fixed, with the
/// error of an output in place of e_post (DIRECT); or learned (ALIGNED), which is Phaseless
/// Alignment Learning (Max et al., arXiv 2212.10249), with its decay as B's weight_decay.
/// engine/models/gle/README.md has what ALIGNED does where τ_r ≠ τ_m. ξ is that of
/// engine/core/noise.h.
///
/// ⟨⟩ is the mean over the batch; each learned array takes one step of its optimizer down its
/// g in each step of the network. Forward Euler, and every right side is of the step before:
/// a neuron reads the r, e_top and φ′ that its neighbours and itself had then, and B learns from
/// the ξ and h of then; only inputs and the ξ in s are of now. B e is sent with the B, or W, that
/// was there before this step learned. At the start all states are 0, r, φ′, ξ and h as well.
/// With instantaneous errors, e = v = e_inst. With cross-entropy, target − r is
/// target − softmax(r). When tau_m is learned, or tau_min is given, both time constants are kept
/// >= tau_min (or dt) by every step that learns.
///
/// Variables of population p and projection q, in the network's precision unless they say
/// otherwise; neurons are [batch, size]:
///
/// | variable          | role      | what                                                     |
/// |-------------------|-----------|----------------------------------------------------------|
/// | p.r               | input     | INPUT: the rates, the last ones hold                     |
/// | p.target, p.teach | input     | OUTPUT: target; 1 in steps that have one, else 0         |
/// | p.beta            | input     | OUTPUT: strength of the teacher, a scalar                |
/// | p.u p.v           | state     | membrane potential, integrated error                     |
/// | p.r p.r_prime     | state     | rate and slope, of ŭ                                     |
/// | p.e_bottom        | state     | Σ B e handed to p by its targets                         |
/// | p.e p.inst_e      | signal    | prospective and instantaneous error of the last step     |
/// | p.u_ahead         | signal    | ŭ of the last step                                       |
/// | p.y               | signal    | OUTPUT: r at the start of the last step, which the       |
/// |                   |           | target was compared with                                 |
/// | p.loss            | signal    | OUTPUT: 1/2 Σ (target − y)² or −Σ target log softmax y,  |
/// |                   |           | mean over the batch; 0 without a target                  |
/// | p.b               | weight ¹  | bias [size], where there is one                          |
/// | p.tau_m p.tau_r   | weight ²  | time constants [size], in ms                             |
/// | p.gamma           | parameter | a scalar                                                 |
/// | p.xi, p.w, ...    |           | of its noise: engine/core/noise.h                        |
/// | p.h               | state     | high-pass filtered rate, where a projection to p is      |
/// |                   |           | ALIGNED                                                  |
/// | p.tau_hp          | parameter | its time constant, in ms, >= dt                          |
/// | q.W               | weight    | [post, pre]                                              |
/// | q.B               | weight    | not TRANSPOSE: [pre, post]; DIRECT: [pre, output]        |
/// | q.alignment_angle | signal    | RANDOM, ALIGNED, with q.alignment_scale:                 |
/// |                   |           | engine/core/alignment.h                                  |
/// | q.W.mean, ...     | signal    | also of q.B: engine/core/statistics.h                    |
/// | A.eta, ...        |           | of a learned array A: engine/core/learner.h              |
/// | learning          | parameter | 1 or 0, of all plasticity                                |
/// | loss              | signal    | Σ p.loss                                                 |
/// | energy            | signal    | 1/2 Σ e² of all neurons, mean over the batch; FLOAT64    |
///
/// ¹ a parameter when it is not learned; ² a parameter when tau_m is not learned and there is no
/// tau_min.
struct GleSpec {
  std::vector<GlePopulation> populations;
  std::vector<GleProjection> projections;
};

/// Checks everything that MakeGle checks, and what the network would need, without
/// allocating for it. kInvalidArgument names the field ("populations[1].tau_m_ms", as in
/// gle.proto); kResourceExhausted names the limit.
absl::StatusOr<Footprint> CheckGle(const GleSpec& spec, const NetworkOptions& options,
                                   const NetworkLimits& limits);

/// Makes the network. Errors as CheckGle.
absl::StatusOr<std::unique_ptr<Network>> MakeGle(const GleSpec& spec, const NetworkOptions& options,
                                                 const NetworkLimits& limits);

}  // namespace prospero
