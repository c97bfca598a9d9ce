#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/core/arena.h"
#include "engine/core/variable.h"

namespace prospero {

template <class Real>
inline constexpr DataType kDataType = sizeof(Real) == 4 ? DataType::kFloat32 : DataType::kFloat64;

/// A variable of `data`, whose rows are padded as PaddedRow says. `shape` is [], [n] or
/// [rows, n].
template <class Real>
Variable Describe(absl::string_view name, Role role, std::vector<int64_t> shape, Real* data,
                  absl::string_view unit, absl::string_view description) {
  Variable variable;
  variable.name = std::string(name);
  variable.unit = std::string(unit);
  variable.description = std::string(description);
  variable.role = role;
  variable.type = kDataType<Real>;
  variable.strides = PackedStrides(shape);
  if (shape.size() == 2) variable.strides[0] = PaddedRow<Real>(shape[1]);
  variable.shape = std::move(shape);
  variable.data = data;
  return variable;
}

/// The transpose of a matrix that lies as Describe says with the shape [columns, rows]: [rows,
/// columns], column after column.
template <class Real>
Variable DescribeTransposed(absl::string_view name, Role role, int64_t rows, int64_t columns,
                            Real* data, absl::string_view unit, absl::string_view description) {
  Variable variable = Describe(name, role, {columns, rows}, data, unit, description);
  std::swap(variable.shape[0], variable.shape[1]);
  std::swap(variable.strides[0], variable.strides[1]);
  return variable;
}

/// The same variable with its last dimension, a layer's neurons, shown in `shape`.
inline Variable ShownIn(const std::vector<int64_t>& shape, Variable variable) {
  const std::vector<int64_t> strides = PackedStrides(shape);
  variable.shape.pop_back();
  variable.strides.pop_back();
  variable.shape.insert(variable.shape.end(), shape.begin(), shape.end());
  variable.strides.insert(variable.strides.end(), strides.begin(), strides.end());
  return variable;
}

}  // namespace prospero
