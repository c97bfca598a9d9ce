#include "engine/core/variable.h"

#include <cassert>
#include <cstring>
#include <utility>

namespace prospero {
namespace {

/// Calls visit(bytes before the run in the packed array, address in the network) for each
/// contiguous run of the array, in row-major order.
template <class Visit>
void ForEachRun(const Variable& variable, int64_t run, Visit visit) {
  if (variable.size() == 0) return;
  const bool scattered = variable.shape.empty() || run != variable.shape.back();
  const size_t outer = variable.shape.size() - (scattered ? 0 : 1);
  const int64_t width = SizeOf(variable.type);
  const int64_t runs = variable.size() / run;
  if (outer <= 1) {  // The usual case, without a division for each run.
    const int64_t stride = outer == 0 ? 0 : variable.strides[0];
    for (int64_t k = 0; k < runs; ++k) {
      visit(static_cast<size_t>(k * run * width),
            static_cast<char*>(variable.data) + static_cast<size_t>(k * stride * width));
    }
    return;
  }
  for (int64_t k = 0; k < runs; ++k) {
    int64_t rest = k;
    int64_t offset = 0;
    for (size_t d = outer; d-- > 0;) {
      offset += rest % variable.shape[d] * variable.strides[d];
      rest /= variable.shape[d];
    }
    visit(static_cast<size_t>(k * run * width),
          static_cast<char*>(variable.data) + static_cast<size_t>(offset * width));
  }
}

/// Values of one contiguous run.
int64_t RunLength(const Variable& variable) {
  assert(variable.strides.size() == variable.shape.size());
  if (variable.shape.empty() || variable.strides.back() != 1) return 1;
  return variable.shape.back();
}

}  // namespace

int64_t Variable::size() const {
  int64_t size = 1;
  for (const int64_t extent : shape) size *= extent;
  return size;
}

void Variable::Read(void* packed) const {
  if (computed()) return compute(packed);
  const int64_t run = RunLength(*this);
  const auto length = static_cast<size_t>(run * SizeOf(type));
  ForEachRun(*this, run, [&](size_t at, const char* values) {
    std::memcpy(static_cast<char*>(packed) + at, values, length);
  });
}

void Variable::Write(const void* packed) const {
  assert(!computed());
  const int64_t run = RunLength(*this);
  const auto length = static_cast<size_t>(run * SizeOf(type));
  ForEachRun(*this, run, [&](size_t at, char* values) {
    std::memcpy(values, static_cast<const char*>(packed) + at, length);
  });
}

void Variable::Fill(double value) const {
  assert(!computed());
  const int64_t run = RunLength(*this);
  ForEachRun(*this, run, [&](size_t, char* values) {
    for (int64_t j = 0; j < run; ++j) {
      if (type == DataType::kFloat32) {
        reinterpret_cast<float*>(values)[j] = static_cast<float>(value);
      } else {
        reinterpret_cast<double*>(values)[j] = value;
      }
    }
  });
}

double Variable::scalar() const {
  assert(size() == 1);
  if (type == DataType::kFloat32) {
    float value = 0;
    Read(&value);
    return static_cast<double>(value);
  }
  double value = 0;
  Read(&value);
  return value;
}

int VariableTable::Add(Variable variable) {
  const int index = size();
  const bool is_new = index_.emplace(variable.name, index).second;
  assert(is_new);
  (void)is_new;
  variables_.push_back(std::move(variable));
  return index;
}

void VariableTable::Bound(int index, double minimum, double maximum) {
  Variable& variable = variables_[static_cast<size_t>(index)];
  variable.minimum = minimum;
  variable.maximum = maximum;
}

int VariableTable::Find(absl::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

std::vector<int64_t> PackedStrides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

}  // namespace prospero
