#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/core/network.h"
#include "engine/models/gle/gle.h"
#include "tests/support/trace.h"

namespace prospero {

/// A reference trace of the published GLE code; tests/golden/convert.py says what is in the files.
struct Golden {
  using Array = Trace::Array;
  int64_t steps = 0;
  GleSpec spec;
  NetworkOptions options;
  std::map<std::string, Array> inputs;  ///< by variable, written before each step
  std::map<std::string, Array> trace;   ///< by variable, read after each step
};

/// Reads $PROSPERO_GOLDEN/<name>.golden; ends the program when it cannot.
Golden ReadGolden(const std::string& name);

}  // namespace prospero
