#pragma once

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/network.h"
#include "server/limits.h"
#include "server/model_kind.h"

namespace prospero::server {

/// What turns a message of v1::NetworkSpec into a network.
template <class Wire, class Spec>
struct Recipe {
  const Wire& (v1::NetworkSpec::*message)() const;
  /// Refuses long lists before they are translated.
  absl::Status (*check_counts)(const Wire&, const NetworkLimits&);
  absl::StatusOr<Spec> (*translate)(const Wire&);
  absl::StatusOr<Footprint> (*check)(const Spec&, const NetworkOptions&, const NetworkLimits&);
  absl::StatusOr<std::unique_ptr<Network>> (*make)(const Spec&, const NetworkOptions&,
                                                   const NetworkLimits&);
};

/// The kind that the recipe makes; name, summary and model as in ModelKind.
template <class Wire, class Spec>
ModelKind KindOf(absl::string_view name, absl::string_view summary,
                 v1::NetworkSpec::ModelCase model, const Recipe<Wire, Spec>& recipe) {
  ModelKind kind;
  kind.name = std::string(name);
  kind.summary = std::string(summary);
  kind.model = model;
  kind.check = [recipe](const v1::NetworkSpec& wire, const NetworkOptions& options,
                        const NetworkLimits& limits) -> absl::StatusOr<Footprint> {
    const Wire& message = (wire.*recipe.message)();
    if (absl::Status status = recipe.check_counts(message, limits); !status.ok()) return status;
    const absl::StatusOr<Spec> spec = recipe.translate(message);
    if (!spec.ok()) return spec.status();
    return recipe.check(*spec, options, limits);
  };
  kind.make = [recipe](const v1::NetworkSpec& wire, const NetworkOptions& options,
                       const NetworkLimits& limits) -> absl::StatusOr<std::unique_ptr<Network>> {
    const absl::StatusOr<Spec> spec = recipe.translate((wire.*recipe.message)());
    if (!spec.ok()) return spec.status();
    return recipe.make(*spec, options, limits);
  };
  return kind;
}

/// LimitExceeded, about the list at `path`, when it is longer than the limit.
inline absl::Status CheckCount(absl::string_view limit, int64_t max, int64_t count,
                               absl::string_view path) {
  return count <= max ? absl::OkStatus() : LimitExceeded(limit, max, count, path);
}

}  // namespace prospero::server
