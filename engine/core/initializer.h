#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/random.h"

namespace prospero {

/// The first values of an array of parameters.
struct Initializer {
  enum class Kind : uint8_t { kConstant, kUniform, kNormal, kFanIn, kValues };
  Kind kind = Kind::kFanIn;
  double a = 1.0;              ///< constant; low; mean; gain
  double b = 0.0;              ///< high; standard deviation
  std::vector<int64_t> shape;  ///< kValues
  std::vector<double> values;  ///< kValues, row-major
};

/// kInvalidArgument names the field, as in components.proto. `shape` is that of the array.
absl::Status Check(const Initializer& initializer, const std::vector<int64_t>& shape);

/// The first values of one array, one or many at a time. Drawn ones are a pure function of the
/// seed, the array's name and the position. Keeps a reference to `initializer`.
class FirstValues {
 public:
  FirstValues(const Initializer& initializer, int64_t fan_in, uint64_t seed,
              absl::string_view name);
  /// `index`: position in the array, row-major.
  double operator()(int64_t index) const;
  /// out[k] = (*this)(first + k * stride), rounded, for k < count.
  template <class Real>
  void Fill(int64_t first, int64_t stride, int64_t count, Real* out) const;

 private:
  template <class Real, class Law>
  void FillUniform(int64_t first, int64_t stride, int64_t count, Law law, Real* out) const;

  const Initializer& initializer_;
  double bound_;  ///< kFanIn
  RandomStream random_;
};

/// The values for an array of `count` values. Drawn ones are a pure function of the seed,
/// the array's name and the position. `fan_in` is the number of presynaptic neurons.
std::vector<double> Draw(const Initializer& initializer, int64_t count, int64_t fan_in,
                         uint64_t seed, absl::string_view name);

}  // namespace prospero
