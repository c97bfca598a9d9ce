#include "engine/runtime/accumulator.h"

#include <algorithm>
#include <cstring>

namespace prospero {

Accumulator::Accumulator(Aggregation aggregation, DataType type, int64_t size)
    : aggregation_(aggregation), type_(type), size_(size) {
  if (aggregation != Aggregation::kLast) low_.resize(static_cast<size_t>(size));
  if (aggregation == Aggregation::kMinMax) high_.resize(static_cast<size_t>(size));
}

void Accumulator::Add(const char* values) {
  if (aggregation_ == Aggregation::kLast) return;
  if (type_ == DataType::kFloat32) {
    AddValues(reinterpret_cast<const float*>(values));
  } else {
    AddValues(reinterpret_cast<const double*>(values));
  }
  ++steps_;
}

void Accumulator::Emit(const char* values, char* out) {
  if (aggregation_ == Aggregation::kLast) {
    std::memcpy(out, values, static_cast<size_t>(bytes()));
    return;
  }
  if (steps_ == 0) Add(values);
  if (type_ == DataType::kFloat32) {
    EmitValues(reinterpret_cast<float*>(out));
  } else {
    EmitValues(reinterpret_cast<double*>(out));
  }
  Clear();
}

void Accumulator::EmitAlone(const char* values, char* out) const {
  const auto row = static_cast<size_t>(size_ * SizeOf(type_));
  std::memcpy(out, values, row);
  if (aggregation_ == Aggregation::kMinMax) std::memcpy(out + row, values, row);
}

template <class Real>
void Accumulator::AddValues(const Real* values) {
  const bool first = steps_ == 0;
  for (size_t i = 0; i < low_.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    if (aggregation_ == Aggregation::kMean) {
      low_[i] = first ? value : low_[i] + value;
    } else {
      low_[i] = first ? value : std::min(low_[i], value);
      high_[i] = first ? value : std::max(high_[i], value);
    }
  }
}

template <class Real>
void Accumulator::EmitValues(Real* out) const {
  const size_t size = low_.size();
  if (aggregation_ == Aggregation::kMean) {
    const auto steps = static_cast<double>(steps_);
    for (size_t i = 0; i < size; ++i) out[i] = static_cast<Real>(low_[i] / steps);
    return;
  }
  for (size_t i = 0; i < size; ++i) {
    out[i] = static_cast<Real>(low_[i]);
    out[size + i] = static_cast<Real>(high_[i]);
  }
}

}  // namespace prospero
