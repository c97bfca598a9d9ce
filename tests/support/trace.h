#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace prospero {

/// A recorded run: what the network is, as JSON, and named arrays. A `.golden` file is one or more
/// of them, each one line of JSON, then raw numbers (float64, little-endian, row-major). The
/// line's "arrays" lists the arrays in the order in which their numbers follow, as {"name",
/// "shape"}; all else in it belongs to the converter in tests/golden that wrote the file.
struct Trace {
  struct Array {
    std::vector<int64_t> shape;
    std::vector<double> values;
    /// Values of one entry of the first dimension.
    int64_t row() const { return static_cast<int64_t>(values.size()) / shape[0]; }
    const double* at(int64_t step) const { return values.data() + step * row(); }
  };
  nlohmann::json header;
  std::map<std::string, Array> arrays;
};

/// All traces of $PROSPERO_GOLDEN/<name>.golden; ends the program when it cannot read them.
std::vector<Trace> ReadTraces(const std::string& name);
/// The only one.
Trace ReadTrace(const std::string& name);

}  // namespace prospero
