#include "engine/core/initializer.h"

#include <algorithm>
#include <array>
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

/// A uniform number on [0, 1) becomes one of kUniform.
double OnInterval(const Initializer& initializer, double uniform) {
  return initializer.a + (initializer.b - initializer.a) * uniform;
}

/// A uniform number on [0, 1) becomes one of kFanIn.
double AboutZero(double bound, double uniform) { return bound * (2.0 * uniform - 1.0); }

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
      return OnInterval(initializer_, random_.Uniform(index));
    case Initializer::Kind::kNormal:
      return initializer_.a + initializer_.b * random_.Normal(index);
    case Initializer::Kind::kFanIn:
      return AboutZero(bound_, random_.Uniform(index));
    case Initializer::Kind::kValues:
      return initializer_.values[static_cast<size_t>(index)];
  }
  return 0.0;
}

template <class Real, class Law>
void FirstValues::FillUniform(int64_t first, int64_t stride, int64_t count, Law law,
                              Real* out) const {
  std::array<double, 256> uniform;
  for (int64_t done = 0; done < count; done += 256) {
    const int64_t part = std::min<int64_t>(count - done, 256);
    random_.Uniform(first + done * stride, stride, part, uniform.data());
    std::transform(uniform.begin(), uniform.begin() + part, out + done,
                   [law](double x) { return static_cast<Real>(law(x)); });
  }
}

template <class Real>
void FirstValues::Fill(int64_t first, int64_t stride, int64_t count, Real* out) const {
  if (initializer_.kind == Initializer::Kind::kUniform) {
    const auto law = [&first_values = initializer_](double x) {
      return OnInterval(first_values, x);
    };
    return FillUniform(first, stride, count, law, out);
  }
  if (initializer_.kind == Initializer::Kind::kFanIn) {
    const auto law = [bound = bound_](double x) { return AboutZero(bound, x); };
    return FillUniform(first, stride, count, law, out);
  }
  for (int64_t k = 0; k < count; ++k) out[k] = static_cast<Real>((*this)(first + k * stride));
}

template void FirstValues::Fill(int64_t, int64_t, int64_t, float*) const;
template void FirstValues::Fill(int64_t, int64_t, int64_t, double*) const;

std::vector<double> Draw(const Initializer& initializer, int64_t count, int64_t fan_in,
                         uint64_t seed, absl::string_view name) {
  const FirstValues first(initializer, fan_in, seed, name);
  std::vector<double> values(static_cast<size_t>(count));
  first.Fill(0, 1, count, values.data());
  return values;
}

}  // namespace prospero
