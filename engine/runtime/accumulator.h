#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/variable.h"
#include "engine/runtime/observer.h"

namespace prospero {

/// What an observer gets of an interval: the mean of each value over its steps, or its least
/// and greatest. Computed in float64; the result has the type of the values. kLast keeps
/// nothing and passes the values at the end through.
class Accumulator {
 public:
  Accumulator(Aggregation aggregation, DataType type, int64_t size);

  /// `values`: `size` packed values after one step.
  void Add(const char* values);
  /// Writes the result for what was added since the last time, or since Clear; for `values`
  /// alone when nothing was. bytes() bytes: a row, or two for kMinMax (least, then greatest).
  void Emit(const char* values, char* out);
  void Clear() { steps_ = 0; }
  /// The result for `values` alone, whatever was added.
  void EmitAlone(const char* values, char* out) const;

  int64_t bytes() const { return Bytes(aggregation_, type_, size_); }

  /// Of a result, and of what is kept for it.
  static int64_t Bytes(Aggregation aggregation, DataType type, int64_t size) {
    return size * SizeOf(type) * (aggregation == Aggregation::kMinMax ? 2 : 1);
  }
  static int64_t Memory(Aggregation aggregation, int64_t size) {
    const bool spread = aggregation == Aggregation::kMinMax;
    const int rows = aggregation == Aggregation::kLast ? 0 : spread ? 2 : 1;
    return rows * size * int64_t{sizeof(double)};
  }

 private:
  template <class Real>
  void AddValues(const Real* values);
  template <class Real>
  void EmitValues(Real* out) const;

  const Aggregation aggregation_;
  const DataType type_;
  const int64_t size_;
  int64_t steps_ = 0;
  std::vector<double> low_;   ///< kMean: the sum
  std::vector<double> high_;  ///< kMinMax only
};

}  // namespace prospero
