#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/network.h"
#include "engine/models/gle/gle.h"

namespace prospero {

/// A reference trace of the published GLE code; tests/golden/convert.py describes the files.
struct Golden {
  struct Array {
    std::vector<int64_t> shape;
    std::vector<double> values;
    /// Values of one entry of the first dimension.
    int64_t row() const { return static_cast<int64_t>(values.size()) / shape[0]; }
    const double* at(int64_t step) const { return values.data() + step * row(); }
  };
  int64_t steps = 0;
  GleSpec spec;
  NetworkOptions options;
  std::map<std::string, Array> inputs;  ///< by variable, written before each step
  std::map<std::string, Array> trace;   ///< by variable, read after each step
};

/// Reads $PROSPERO_GOLDEN/<name>.golden; ends the program when it cannot.
Golden ReadGolden(const std::string& name);

}  // namespace prospero
