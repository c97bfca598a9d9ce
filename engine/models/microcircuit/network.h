#pragma once

#include <memory>
#include <vector>

#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/models/microcircuit/input.h"
#include "engine/models/microcircuit/layer.h"
#include "engine/models/microcircuit/microcircuit.h"
#include "engine/models/microcircuit/self_prediction.h"

namespace prospero::microcircuit {

/// The layers of a network that is asked for, and the memory they want; nothing is allocated for
/// them until Allocate.
template <class Real>
class Parts {
 public:
  /// `spec` is valid; a reference is kept.
  Parts(const MicrocircuitSpec& spec, const NetworkOptions& options);
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  int64_t bytes() const { return arena_.bytes(); }
  bool Allocate() { return arena_.Allocate(); }

  Input<Real> input;
  std::vector<std::unique_ptr<Layer<Real>>> layers;  ///< [l - 1] is layer l of the spec
  Real* learning = nullptr;
  Real* loss = nullptr;

 private:
  Arena arena_;
};

template <class Real>
class MicrocircuitNetwork final : public Network {
 public:
  MicrocircuitNetwork(MicrocircuitSpec spec, const NetworkOptions& options);

  /// Once, before anything else. False when there is no memory.
  bool Allocate();

  void Reset(uint64_t seed, ResetScopes scopes) override;
  void Advance(const Step& step) noexcept override;

 private:
  void Register();
  void ResetWeights(uint64_t seed);
  void CopyFeedback();
  void Fail();
  /// From the layer at `i` of the parts to the layer that feeds back to it.
  Path<Real> PathFrom(size_t i) const;
  /// The layer that feeds back to the layer at `i` of the parts; null for the output.
  const Layer<Real>* Above(size_t i) const;

  const MicrocircuitSpec spec_;
  const NetworkOptions options_;
  Parts<Real> parts_;
};

}  // namespace prospero::microcircuit
