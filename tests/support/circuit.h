#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/models/microcircuit/microcircuit.h"

namespace prospero {

/// [ms], of the circuits below.
inline constexpr double kCircuitDt = 0.01;

/// What PAL learns B with; rates as published, in 1/ms.
struct FeedbackLearning {
  double eta_B = 50;
  double eta_C = 5;
  double sigma = 0.05;
  double alpha = 1e-4;
  double tau = 0.1;  ///< [ms], of the noise and of the high-pass
};

/// Layers l0 (input) to lL of these sizes with constant weights, all uniform on [-1, 1), starting
/// in the state of self-prediction.
MicrocircuitSpec Circuit(const std::vector<int64_t>& sizes, FeedbackPath feedback,
                         Activation phi = Activation::kLinear);

/// Lets B, by noise, and C learn.
void LearnFeedback(const FeedbackLearning& how, MicrocircuitSpec& spec);
/// Lets the W of layer l and the V of the layer below learn; rates in 1/ms.
void LearnForward(size_t layer, double eta_W, double eta_V, MicrocircuitSpec& spec);
/// A Plasticity with the rate of a published one, in 1/ms.
Plasticity PerMillisecond(double eta, double dt = kCircuitDt);

/// Ends the program when the spec is refused.
std::unique_ptr<Network> MakeCircuit(const MicrocircuitSpec& spec, uint64_t seed = 1,
                                     DataType precision = DataType::kFloat64,
                                     int64_t batch_size = 1, double dt = kCircuitDt);

/// 3-5-4-2 in which everything learns, by several optimizers and through every filter; of kAligned,
/// with noise.
MicrocircuitSpec BusyCircuit(FeedbackPath feedback = FeedbackPath::kAligned);
/// Steps `begin` to before `end` of it: inputs and targets change every 7 steps, and in the first
/// 20 of 50 there is no target.
void DriveBusy(int64_t begin, int64_t end, Network& network);

/// Samples that are uniform on [0, 1), shown to a network for a number of steps each: first all
/// of them in order, without learning, then in epochs of a new order each.
class Presentation {
 public:
  Presentation(int64_t samples, int64_t size, int64_t hold, uint64_t seed);

  /// All samples once, without learning.
  void Settle(Network& network);
  /// One epoch with learning.
  void Learn(Network& network);
  int64_t steps() const { return steps_; }

 private:
  void Show(int64_t sample, Network& network);

  const int64_t samples_;
  const int64_t size_;
  const int64_t hold_;  ///< [steps]
  const uint64_t seed_;
  int64_t steps_ = 0;
  int64_t epochs_ = 0;
  std::vector<double> values_;  ///< [samples × size]
  std::vector<int64_t> order_;
};

}  // namespace prospero
