#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/models/gle/gle.h"

namespace prospero {

/// x (2) -> h (3) -> y (1)
GleSpec SmallChain();

absl::Status CheckSpecOf(const GleSpec& spec, const NetworkLimits& limits = NetworkLimits());

/// What makes a SmallChain bad, and the field that is to be blamed.
struct Refusal {
  std::string path;
  std::function<void(GleSpec&)> spoil;
};

/// CheckGle and MakeGle refuse each of them by its path.
void ExpectRefused(const std::vector<Refusal>& refusals);

Plasticity BadRate();

/// Given values of that shape.
Initializer Given(std::vector<int64_t> shape);

}  // namespace prospero
