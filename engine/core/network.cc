#include "engine/core/network.h"

#include <cmath>
#include <vector>

namespace prospero {
namespace {

template <class Real>
bool AllFinite(const Variable& variable) {
  std::vector<Real> values(static_cast<size_t>(variable.size()));
  variable.Read(values.data());
  for (const Real value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

bool IsFinite(const Variable& variable) {
  return variable.type == DataType::kFloat32 ? AllFinite<float>(variable)
                                             : AllFinite<double>(variable);
}

}  // namespace

int FindNonFinite(const VariableTable& variables) {
  int first_state = -1;
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (!IsSaved(variable.role) || IsFinite(variable)) continue;
    if (variable.role == Role::kWeight || variable.role == Role::kParameter) return i;
    if (first_state < 0) first_state = i;
  }
  return first_state;
}

}  // namespace prospero
