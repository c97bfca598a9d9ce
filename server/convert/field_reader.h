#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/errors.h"
#include "google/protobuf/repeated_field.h"
#include "server/convert/components.h"
#include "server/convert/field.h"

namespace prospero::server {

/// Reads the fields of a message one after the other and remembers the first error, which names
/// its field. What it returns after an error is not to be used.
class FieldReader {
 public:
  /// What was read elsewhere.
  template <class T>
  T Take(absl::StatusOr<T> value) {
    Keep(value.status());
    return value.ok() ? *std::move(value) : T{};
  }

  /// The value of a part that is a message of its own, if it is there.
  template <class To, class From>
  absl::optional<To> Optional(bool present, const From& from, absl::string_view path) {
    if (!present) return absl::nullopt;
    absl::StatusOr<To> value = FromProto(from);
    if (!value.ok()) Keep(UnderField(value.status(), path));
    if (!value.ok()) return absl::nullopt;
    return *std::move(value);
  }

  /// What an enum value of the wire stands for.
  template <class To, class From>
  To OneOf(From from, absl::string_view path, std::initializer_list<std::pair<From, To>> known) {
    for (const auto& [wire, value] : known) {
      if (wire == from) return value;
    }
    Refuse(true, path, absl::StrCat("is unknown: ", static_cast<int>(from)));
    return To{};
  }

  std::vector<double> Numbers(const google::protobuf::RepeatedField<double>& from,
                              absl::string_view path) {
    for (int i = 0; i < from.size(); ++i) Keep(CheckFinite(from[i], Element(path, i)));
    return {from.begin(), from.end()};
  }

  double Number(double value, absl::string_view path) {
    Keep(CheckFinite(value, path));
    return value;
  }

  void Refuse(bool present, absl::string_view path, absl::string_view why) {
    if (present) Keep(InvalidField(path, why));
  }

  void Keep(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace prospero::server
