#pragma once

#include <vector>

#include "engine/core/arena.h"
#include "engine/core/network.h"
#include "engine/models/gle/gle.h"
#include "engine/models/gle/neurons.h"
#include "engine/models/gle/synapses.h"

namespace prospero {

/// The populations and projections of a network that is asked for, and the memory they
/// want; nothing is allocated for them until Allocate.
template <class Real>
class GleParts {
 public:
  /// `spec` is valid; a reference is kept.
  GleParts(const GleSpec& spec, const NetworkOptions& options);
  GleParts(const GleParts&) = delete;
  GleParts& operator=(const GleParts&) = delete;

  int64_t bytes() const { return arena_.bytes(); }
  bool Allocate() { return arena_.Allocate(); }

  std::vector<Neurons<Real>> neurons;
  std::vector<Synapses<Real>> synapses;
  Real* learning = nullptr;
  Real* loss = nullptr;

 private:
  Arena arena_;
};

template <class Real>
class GleNetwork final : public Network {
 public:
  GleNetwork(GleSpec spec, const NetworkOptions& options);

  /// Once, before anything else. False when there is no memory.
  bool Allocate();

  void Reset(uint64_t seed, ResetScopes scopes) override;
  void Advance(const Step& step) noexcept override;

 private:
  void Register();
  void Fail();

  const GleSpec spec_;
  const NetworkOptions options_;
  GleParts<Real> parts_;
};

}  // namespace prospero
