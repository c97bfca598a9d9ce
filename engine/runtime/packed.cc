#include "engine/runtime/packed.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

template <class Real>
Real Load(const char* value) {
  Real loaded;
  std::memcpy(&loaded, value, sizeof(Real));
  return loaded;
}

/// The usual case, without a branch for each value.
template <class Real>
bool AllAreGood(const Variable& variable, const char* packed, int64_t count) {
  const double least = std::max(variable.minimum, std::numeric_limits<double>::lowest());
  const double most = std::min(variable.maximum, std::numeric_limits<double>::max());
  int64_t good = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto value =
        static_cast<double>(Load<Real>(packed + static_cast<size_t>(i) * sizeof(Real)));
    good += static_cast<int64_t>(value >= least) & static_cast<int64_t>(value <= most);
  }
  return good == count;
}

/// Empty when all values are allowed, else what is wrong with the first other one.
template <class Real>
std::string FindBadValue(const Variable& variable, absl::string_view packed) {
  const auto count = static_cast<int64_t>(packed.size() / sizeof(Real));
  if (AllAreGood<Real>(variable, packed.data(), count)) return "";
  for (int64_t i = 0; i < count; ++i) {
    const Real value = Load<Real>(packed.data() + static_cast<size_t>(i) * sizeof(Real));
    if (!std::isfinite(value)) return absl::StrCat("must be finite, value ", i, " is ", value);
    if (static_cast<double>(value) < variable.minimum) {
      return absl::StrCat("must be >= ", variable.minimum, ", value ", i, " is ", value);
    }
    if (static_cast<double>(value) > variable.maximum) {
      return absl::StrCat("must be <= ", variable.maximum, ", value ", i, " is ", value);
    }
  }
  return "";
}

}  // namespace

bool IsPacked(const Variable& variable) {
  if (variable.computed()) return false;
  int64_t stride = 1;
  for (size_t d = variable.shape.size(); d-- > 0;) {
    if (variable.shape[d] == 1) continue;  // Nobody goes on to a second one.
    if (variable.strides[d] != stride) return false;
    stride *= variable.shape[d];
  }
  return true;
}

double ReadValue(DataType type, const char* value) {
  return type == DataType::kFloat32 ? static_cast<double>(Load<float>(value)) : Load<double>(value);
}

void AppendPacked(const Variable& variable, std::string* out) {
  const auto bytes = static_cast<size_t>(variable.bytes());
  if (IsPacked(variable)) {
    out->append(static_cast<const char*>(variable.data), bytes);
    return;
  }
  const size_t begin = out->size();
  out->resize(begin + bytes);
  variable.Read(out->data() + begin);
}

absl::Status CheckValues(const Variable& variable, absl::string_view packed,
                         absl::FunctionRef<std::string()> path) {
  const std::string bad = variable.type == DataType::kFloat32
                              ? FindBadValue<float>(variable, packed)
                              : FindBadValue<double>(variable, packed);
  if (bad.empty()) return absl::OkStatus();
  return InvalidField(path(), absl::StrCat("'", variable.name, "' ", bad));
}

}  // namespace prospero
