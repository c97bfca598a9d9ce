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
#include "engine/core/network.h"
#include "engine/core/noise.h"
#include "engine/core/plasticity.h"

namespace prospero {

/// The synapses of one kind.
struct MicrocircuitSynapses {
  absl::optional<Initializer> initializer;  ///< none: uniform on [-1, 1)
  absl::optional<Plasticity> plasticity;    ///< none: constant
};

/// A layer of pyramidal neurons and its interneurons. See MicrocircuitLayer in
/// proto/prospero/v1/microcircuit.proto.
struct MicrocircuitLayer {
  std::string name;
  int64_t size = 0;
  Activation activation = Activation::kLinear;
  MicrocircuitSynapses forward;                       ///< W
  MicrocircuitSynapses to_interneurons;               ///< V
  MicrocircuitSynapses from_interneurons;             ///< C
  absl::optional<Initializer> feedback_initializer;   ///< of B; none: uniform on [-1, 1)
  absl::optional<Alignment> alignment;                ///< of B; none: it is constant
  absl::optional<NoiseSpec> noise;                    ///< in the apical dendrites
  absl::optional<Initializer> potential;              ///< [size], none: 0
  absl::optional<Initializer> interneuron_potential;  ///< [size above], none: 0
};

/// [1/ms], all > 0; the membrane capacitance is 1.
struct MicrocircuitConductances {
  double leak = 0.03;
  double basal = 0.1;
  double apical = 0.06;
  double dendrite = 0.1;
  double interneuron = 0.06;
  double target = 0.06;
};

/// Dendritic microcircuits that learn in real time, with all synapses plastic at once (Max et al.,
/// "Learning efficient backprojections across cortical hierarchies in real time", arXiv 2212.10249;
/// the circuit: Sacramento et al., NeurIPS 2018; its prospective somata: Haider et al., NeurIPS
/// 2021). Layers 0 (input) to L (output), hidden ones between; I are the interneurons of a layer.
///
///   b = W r_below,   a = B r_above + C r_I,   d = V r                        dendrites
///   u̇ = g_b b + g_a (a + ξ) − u/τ        τ = 1/(g_l + g_b + g_a)              hidden
///   u̇ = (g_b b + g_t target) − u/τ       τ = 1/(g_l + g_b + g_t)              output
///   u̇ = (λ b − u)/τ                      the same τ, λ = g_b/(g_l + g_b)      without a target
///   u̇_I = g_d d + g_i p_above − u_I/τ_I  τ_I = 1/(g_l + g_d + g_i)            interneurons
///   p = u + χ τ u̇,   r = φ(p)            χ: prospectivity; φ of I: that of the layer above
///
///   g_W = −⟨(r − φ(λ b)) r_belowᵀ⟩       λ = g_b τ hidden, g_b/(g_l + g_b) output
///   g_V = −⟨(r_I − φ(λ_d d)) rᵀ⟩         λ_d = g_d/(g_l + g_d)
///   g_C = ⟨a r_Iᵀ⟩
///   g_B = −⟨ξ h_aboveᵀ⟩                  kAligned, decay α; ḣ = ṙ − h/τ_hp
///
/// ⟨⟩ is the mean over the batch; each array takes one step of its optimizer down its g in each
/// step of the network. POTENTIALS: p − λ b in place of r − φ(λ b).
///
/// **A step**, in the order of the published code. "Before" is what the last step left.
///  1. p = u_before + χ τ u̇_before for all somata, with the u that u̇ has moved; r = φ(p). So for
///     χ = 1, p is exactly the input that the soma had one step before.
///  2. The loss of p of the output, before it feels this step's target.
///  3. b, a, d with the r of this step, r_below of layer 1 being the input; all synapses still as
///     they were. tau_dendrite: d ← d + dt/τ_d (V r − d).
///  4. The noise of each hidden layer whose B learns in this step (plastic, and `learning` is on)
///     moves; others have no noise, and it rests. The apical dendrites get ξ as it was before.
///  5. W learns from the r of this step and the b and r_below before, which p was made of; V alike
///     from d and r before; C from a and r_I before; B from ξ as it has just moved and h before.
///     tau_presynaptic: W learns from a low-pass of r_below in its place, tau_postsynaptic: from a
///     low-pass of the difference; both move, from 0, only in steps in which W learns.
///  6. kTranspose: B ← Wᵀ of the W that step 3 used, C ← −B, in every step: one step behind W.
///  7. u moves by forward Euler, h ← h + (r − r_before) − dt/τ_hp h.
///
/// At the start u is given, u̇ = 0 and so p = u, r = φ(u), h = r; b, a, d, ξ and the input before
/// are 0.
///
/// **Self-prediction** (start kSelfPredicting): C = −B, and V is such that interneurons that are
/// taught nothing new have the potential of the neurons they mirror, p_I = p_above. In the
/// stationary state p_I = τ_I (g_d d + g_i p_above), hence d = p_above (g_l + g_d)/g_d, and with
/// p_above = λ W r
///
///   V = (g_l + g_d)/g_d λ W_above
///
/// SKIP: what a layer l predicts is the output, p_L = λ_L W_L φ(λ W_{L-1} φ(... W_{l+1} r_l)). Only
/// where all layers between are linear is that a matrix times r_l,
///
///   V = (g_l + g_d)/g_d λ_L W_L λ W_{L-1} ... λ W_{l+1};
///
/// elsewhere no V predicts it, and kSelfPredicting is refused.
///
/// Feedback that is too strong diverges within steps: a loop from a layer to the one above and back
/// whose gain exceeds 1, or all loops together. Making such a network, now or where its B is going
/// to, leaves the warning LOOP_GAIN; engine/models/microcircuit/fixed_point.h says where B is going
/// to, and so which σ and α to choose.
///
/// Variables of layer l, in the network's precision unless they say otherwise; neurons are [batch,
/// size]; above is the next layer, SKIP: the output:
///
/// | variable               | role      | what                                                |
/// |------------------------|-----------|-----------------------------------------------------|
/// | l.r                    | input     | INPUT: the rates, the last ones hold                |
/// | l.r_before             | state     | INPUT: those of the last step                       |
/// | l.target, l.teach      | input     | OUTPUT: target of p; 1 in steps that have one, or 0 |
/// | l.u l.u_dot            | state     | soma, and its derivative in the last step, in 1/ms  |
/// | l.r                    | state     | rate                                                |
/// | l.basal l.apical       | state     | b; a without noise (hidden layers)                  |
/// | l.u_ahead              | signal    | p                                                   |
/// | l_inter.u .u_dot .r    | state     | of the interneurons of a hidden layer, [batch,      |
/// | l_inter.dendrite       | state     | size above]; d                                      |
/// | l_inter.u_ahead        | signal    | p                                                   |
/// | l.xi l.w l.sigma ...   |           | engine/core/noise.h; kAligned, hidden, where B      |
/// |                        |           | learns                                              |
/// | l.h, l.tau_hp          | state, parameter | of a layer that a learning B listens to      |
/// | l.r_low                | state     | tau_presynaptic: the low-pass of l.r                |
/// | l.difference_low       | state     | tau_postsynaptic: the low-pass of r − φ(λ b)        |
/// | l.W                    | weight    | [size, size below]                                  |
/// | l.B l.C                | weight    | [size, size above], hidden layers                   |
/// | l.V                    | weight    | [size above, size], hidden layers                   |
/// | l.W.mean, ...          | signal    | engine/core/statistics.h, of all four               |
/// | l.alignment_angle, ... | signal    | engine/core/alignment.h, of B and W_above; SKIP: of |
/// |                        |           | the last hidden layer only                          |
/// | A.eta, ...             |           | of a learned array A: engine/core/learner.h         |
/// | learning               | parameter | 1 or 0, of all plasticity                           |
/// | loss                   | signal    | 1/2 Σ (target − p)² of the p of step 1, mean over   |
/// |                        |           | the batch; 0 without a target                       |
struct MicrocircuitSpec {
  enum class Connection : uint8_t { kLayered, kSkip };
  enum class Start : uint8_t { kSelfPredicting, kGiven };
  enum class Comparison : uint8_t { kRates, kPotentials };
  /// α B; α B where h > 0; α φ′ B φ′, and of the topmost B 0.
  enum class Decay : uint8_t { kPlain, kGated, kSlopes };
  /// What w is multiplied with: 1, |u|, |p|, |a|, of this step and before u moves.
  enum class NoiseScale : uint8_t { kConstant, kPotential, kProspective, kApical };

  std::vector<MicrocircuitLayer> layers;  ///< from the input to the output
  FeedbackPath feedback = FeedbackPath::kTranspose;
  Connection connection = Connection::kLayered;
  Start start = Start::kSelfPredicting;
  MicrocircuitConductances conductances;
  double prospectivity = 1.0;
  Comparison comparison = Comparison::kRates;
  double tau_presynaptic = 0.0;   ///< [ms], 0: none
  double tau_postsynaptic = 0.0;  ///< [ms], 0: none
  double tau_dendrite = 0.0;      ///< [ms], 0: none
  Decay decay = Decay::kPlain;
  NoiseScale noise_scale = NoiseScale::kConstant;
  bool without_high_pass = false;
};

/// Checks everything that MakeMicrocircuit checks, and what the network would need, without
/// allocating for it. kInvalidArgument names the field ("layers[1].noise.sigma", as in
/// microcircuit.proto); kResourceExhausted names the limit.
absl::StatusOr<Footprint> CheckMicrocircuit(const MicrocircuitSpec& spec,
                                            const NetworkOptions& options,
                                            const NetworkLimits& limits);

/// Makes the network. Errors as CheckMicrocircuit.
absl::StatusOr<std::unique_ptr<Network>> MakeMicrocircuit(const MicrocircuitSpec& spec,
                                                          const NetworkOptions& options,
                                                          const NetworkLimits& limits);

}  // namespace prospero
