#include "engine/core/spec_check.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

bool IsName(absl::string_view name) {
  return !name.empty() && absl::ascii_isalpha(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

}  // namespace

absl::Status Refuse(absl::string_view field, absl::string_view wish, double got) {
  return InvalidField(field, absl::StrCat("must be ", wish, ", got ", got));
}

absl::Status CheckName(absl::string_view name, size_t max_length) {
  if (name.size() <= max_length && IsName(name)) return absl::OkStatus();
  return InvalidField("name", absl::StrCat("must be 1 to ", max_length,
                                           " letters, digits and _, starting with a letter, got '",
                                           name.substr(0, 2 * max_length), "'"));
}

absl::Status CheckValues(absl::string_view field, const std::vector<double>& values, int64_t size,
                         double minimum, absl::string_view wish) {
  if (values.size() != 1 && values.size() != static_cast<size_t>(size)) {
    return InvalidField(field,
                        absl::StrCat("must have 1 or ", size, " values, got ", values.size()));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]) && values[i] >= minimum) continue;
    return Refuse(values.size() == 1 ? std::string(field) : absl::StrCat(field, "[", i, "]"),
                  absl::StrCat("finite and >= ", wish), values[i]);
  }
  return absl::OkStatus();
}

absl::Status CheckTau(absl::string_view field, const std::vector<double>& tau, int64_t size,
                      double dt) {
  return CheckValues(field, tau, size, dt, absl::StrCat("dt_ms (", dt, ")"));
}

absl::Status CheckNotNegative(absl::string_view field, double value) {
  if (std::isfinite(value) && value >= 0) return absl::OkStatus();
  return Refuse(field, "finite and >= 0", value);
}

absl::Status CheckOptionalTau(absl::string_view field, double tau, double dt) {
  if (tau == 0 || (std::isfinite(tau) && tau >= dt)) return absl::OkStatus();
  return Refuse(field, absl::StrCat("0 or finite and >= dt_ms (", dt, ")"), tau);
}

}  // namespace prospero
