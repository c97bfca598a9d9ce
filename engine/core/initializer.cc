#include "engine/core/initializer.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/errors.h"
#include "engine/core/random.h"

namespace prospero {
namespace {

absl::Status CheckFinite(absl::string_view path, double value) {
  if (std::isfinite(value)) return absl::OkStatus();
  return InvalidField(path, absl::StrCat("must be finite, got ", value));
}

absl::Status CheckUniform(const Initializer& initializer) {
  if (auto status = CheckFinite("uniform.low", initializer.a); !status.ok()) return status;
  if (auto status = CheckFinite("uniform.high", initializer.b); !status.ok()) return status;
  if (initializer.b >= initializer.a) return absl::OkStatus();
  return InvalidField("uniform.high", absl::StrCat("must be >= uniform.low (", initializer.a,
                                                   "), got ", initializer.b));
}

absl::Status CheckNormal(const Initializer& initializer) {
  if (auto status = CheckFinite("normal.mean", initializer.a); !status.ok()) return status;
  if (std::isfinite(initializer.b) && initializer.b >= 0) return absl::OkStatus();
  return InvalidField("normal.std", absl::StrCat("must be finite and >= 0, got ", initializer.b));
}

absl::Status CheckValues(const Initializer& initializer, const std::vector<int64_t>& shape) {
  if (initializer.shape != shape) {
    return InvalidField("values.shape",
                        absl::StrCat("must be [", absl::StrJoin(shape, ", "), "], got [",
                                     absl::StrJoin(initializer.shape, ", "), "]"));
  }
  double count = 1;
  for (const int64_t extent : shape) count *= static_cast<double>(extent);
  if (static_cast<double>(initializer.values.size()) != count) {
    return InvalidField("values.data", absl::StrCat("must hold ", count, " values, got ",
                                                    initializer.values.size()));
  }
  for (size_t i = 0; i < initializer.values.size(); ++i) {
    if (std::isfinite(initializer.values[i])) continue;
    return InvalidField("values.data", absl::StrCat("must be finite, got ", initializer.values[i],
                                                    " at index ", i));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Check(const Initializer& initializer, const std::vector<int64_t>& shape) {
  switch (initializer.kind) {
    case Initializer::Kind::kConstant:
      return CheckFinite("constant", initializer.a);
    case Initializer::Kind::kUniform:
      return CheckUniform(initializer);
    case Initializer::Kind::kNormal:
      return CheckNormal(initializer);
    case Initializer::Kind::kFanIn:
      return CheckFinite("fan_in.gain", initializer.a);
    case Initializer::Kind::kValues:
      return CheckValues(initializer, shape);
  }
  return absl::InternalError("unknown kind of initializer");
}

FirstValues::FirstValues(const Initializer& initializer, int64_t fan_in, uint64_t seed,
                         absl::string_view name)
    : initializer_(initializer),
      bound_(initializer.a / std::sqrt(static_cast<double>(fan_in > 0 ? fan_in : 1))),
      random_(seed, name) {}

double FirstValues::operator()(int64_t index) const {
  switch (initializer_.kind) {
    case Initializer::Kind::kConstant:
      return initializer_.a;
    case Initializer::Kind::kUniform:
      return initializer_.a + (initializer_.b - initializer_.a) * random_.Uniform(index);
    case Initializer::Kind::kNormal:
      return initializer_.a + initializer_.b * random_.Normal(index);
    case Initializer::Kind::kFanIn:
      return bound_ * (2.0 * random_.Uniform(index) - 1.0);
    case Initializer::Kind::kValues:
      return initializer_.values[static_cast<size_t>(index)];
  }
  return 0.0;
}

std::vector<double> Draw(const Initializer& initializer, int64_t count, int64_t fan_in,
                         uint64_t seed, absl::string_view name) {
  const FirstValues first(initializer, fan_in, seed, name);
  std::vector<double> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = first(i);
  return values;
}

}  // namespace prospero
