#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// A small network of one kind, FLOAT64, with noise in `noisy` and feedback weights `B` that align;
/// everything learns.
struct ModelSample {
  std::string kind;
  v1::NetworkSpec spec;
  std::string input;  ///< name of the variable, as all below
  int64_t input_size = 0;
  std::string target;
  int64_t target_size = 0;
  std::string noisy;  ///< the population or layer
  int64_t noisy_size = 0;
  std::string B;
};

/// in (3) -> hidden (5) -> out (2).
ModelSample GleSample();
/// input [2, 6, 6] -> map (convolution of 3 channels) -> pool -> dense (5) -> out (2).
ModelSample LatentEquilibriumSample();
/// in (3) -> hidden (5) -> out (2).
ModelSample MicrocircuitSample();

/// One of each kind that there is.
std::vector<ModelSample> ModelSamples();

}  // namespace prospero::server
