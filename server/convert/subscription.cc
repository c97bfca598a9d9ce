#include "server/convert/subscription.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

constexpr int kMaxSelections = 256;

absl::StatusOr<Aggregation> FromProto(v1::Aggregation aggregation) {
  switch (aggregation) {
    case v1::AGGREGATION_UNSPECIFIED:
    case v1::AGGREGATION_LAST:
      return Aggregation::kLast;
    case v1::AGGREGATION_MEAN:
      return Aggregation::kMean;
    case v1::AGGREGATION_MIN_MAX:
      return Aggregation::kMinMax;
    default:
      return InvalidField("aggregation",
                          absl::StrCat("is unknown: ", static_cast<int>(aggregation)));
  }
}

/// Number of values that the slice takes of an array of `size`; errors name its fields.
absl::StatusOr<int64_t> CountOf(const Slice& slice, int64_t size) {
  if (slice.start < 0 || slice.start >= size) {
    return InvalidField("start", absl::StrCat("must be in [0, ", size, "), got ", slice.start));
  }
  if (slice.stride < 1) {
    return InvalidField("stride", absl::StrCat("must be >= 0, got ", slice.stride));
  }
  const int64_t most = (size - slice.start - 1) / slice.stride + 1;
  if (slice.count < 0 || slice.count > most) {
    return InvalidField("count", absl::StrCat("must be in [0, ", most, "] for an array of ", size,
                                              " values, got ", slice.count));
  }
  return slice.count == 0 ? most : slice.count;
}

absl::StatusOr<std::vector<int>> VariablesOf(const v1::Selection& wire,
                                             const VariableTable& table) {
  absl::StatusOr<std::vector<int>> found = FindVariables(wire.variables(), table, "variables");
  if (!found.ok()) return found;
  if (wire.uids_size() > table.size()) {
    return InvalidField("uids",
                        absl::StrCat("must be at most ", table.size(), ", got ", wire.uids_size()));
  }
  std::vector<bool> taken(static_cast<size_t>(table.size()), false);
  for (const int index : *found) taken[static_cast<size_t>(index)] = true;
  for (int i = 0; i < wire.uids_size(); ++i) {
    const int index = IndexOf(wire.uids(i), table);
    if (index < 0) {
      return FieldError(absl::StatusCode::kInvalidArgument, "UNKNOWN_VARIABLE", Element("uids", i),
                        absl::StrCat("there is no variable with uid ", wire.uids(i)));
    }
    if (!taken[static_cast<size_t>(index)]) found->push_back(index);
    taken[static_cast<size_t>(index)] = true;
  }
  if (found->empty()) return InvalidField("variables", "must name a variable, or uids must");
  return found;
}

/// Checks what depends on the variables that were selected.
absl::Status CheckAgainst(const Selection& selection, const VariableTable& table) {
  for (const int index : selection.variables) {
    const Variable& variable = table[index];
    if (selection.aggregation != Aggregation::kLast && variable.computed()) {
      return InvalidField("aggregation",
                          absl::StrCat("must be LAST, because '", variable.name, "' is computed"));
    }
    if (!selection.slice.has_value()) continue;
    const absl::StatusOr<int64_t> count = CountOf(*selection.slice, variable.size());
    if (!count.ok()) return UnderField(count.status(), "slice");
  }
  return absl::OkStatus();
}

absl::StatusOr<Selection> FromProto(const v1::Selection& wire, const VariableTable& table) {
  Selection selection;
  absl::StatusOr<std::vector<int>> variables = VariablesOf(wire, table);
  if (!variables.ok()) return variables.status();
  selection.variables = *std::move(variables);

  if (wire.every_steps() < 0) {
    return InvalidField("every_steps", absl::StrCat("must be >= 0, got ", wire.every_steps()));
  }
  selection.every_steps = std::max<int64_t>(wire.every_steps(), 1);

  if (absl::Status status = CheckFinite(wire.max_rate_hz(), "max_rate_hz"); !status.ok()) {
    return status;
  }
  if (wire.max_rate_hz() < 0.0) {
    return InvalidField("max_rate_hz", absl::StrCat("must be >= 0, got ", wire.max_rate_hz()));
  }
  selection.max_rate_hz = wire.max_rate_hz();

  const absl::StatusOr<Aggregation> aggregation = FromProto(wire.aggregation());
  if (!aggregation.ok()) return aggregation.status();
  selection.aggregation = *aggregation;

  if (wire.has_slice()) {
    const int64_t stride = wire.slice().stride();
    selection.slice =
        Slice{wire.slice().start(), wire.slice().count(), stride == 0 ? int64_t{1} : stride};
  }
  if (wire.has_on_change()) {
    const double threshold = wire.on_change().threshold();
    if (absl::Status status = CheckFinite(threshold, "on_change.threshold"); !status.ok()) {
      return status;
    }
    if (threshold < 0.0) {
      return InvalidField("on_change.threshold", absl::StrCat("must be >= 0, got ", threshold));
    }
    selection.on_change = threshold;
  }
  if (absl::Status status = CheckAgainst(selection, table); !status.ok()) return status;
  return selection;
}

/// Number of values that a sample carries of a variable.
int64_t SampledCount(const Selection& selection, const Variable& variable) {
  const int64_t count =
      selection.slice.has_value() ? *CountOf(*selection.slice, variable.size()) : variable.size();
  return selection.aggregation == Aggregation::kMinMax ? 2 * count : count;
}

absl::StatusOr<ObserverSpec::Start> FromProto(v1::Subscription::Start start) {
  switch (start) {
    case v1::Subscription::START_UNSPECIFIED:
    case v1::Subscription::START_NOW:
      return ObserverSpec::Start::kNow;
    case v1::Subscription::START_SNAPSHOT:
      return ObserverSpec::Start::kSnapshot;
    case v1::Subscription::START_CURSOR:
      return ObserverSpec::Start::kBehind;
    default:
      return InvalidField("start", absl::StrCat("is unknown: ", static_cast<int>(start)));
  }
}

absl::StatusOr<ObserverSpec::Delivery> FromProto(v1::Subscription::Delivery delivery) {
  switch (delivery) {
    case v1::Subscription::DELIVERY_UNSPECIFIED:
    case v1::Subscription::DELIVERY_LATEST:
      return ObserverSpec::Delivery::kLatest;
    case v1::Subscription::DELIVERY_RELIABLE:
      return ObserverSpec::Delivery::kReliable;
    default:
      return InvalidField("delivery", absl::StrCat("is unknown: ", static_cast<int>(delivery)));
  }
}

/// Behind which sample the subscription begins.
absl::StatusOr<Place> PlaceOf(const v1::Subscription& wire) {
  if (wire.start() != v1::Subscription::START_CURSOR) {
    if (wire.has_cursor()) return InvalidField("cursor", "is for START_CURSOR only");
    if (wire.has_cursor_selection()) {
      return InvalidField("cursor_selection", "is for START_CURSOR only");
    }
    return Place();
  }
  if (!wire.has_cursor()) return InvalidField("cursor", "must be set for START_CURSOR");
  const Cursor cursor = {wire.cursor().epoch(), wire.cursor().step()};
  if (cursor.epoch < 0) {
    return InvalidField("cursor.epoch", absl::StrCat("must be >= 0, got ", cursor.epoch));
  }
  if (cursor.step < 0) {
    return InvalidField("cursor.step", absl::StrCat("must be >= 0, got ", cursor.step));
  }
  if (!wire.has_cursor_selection()) return Place{cursor};
  if (wire.cursor_selection() >= static_cast<uint32_t>(wire.selections_size())) {
    return InvalidField("cursor_selection", absl::StrCat("must be in [0, ", wire.selections_size(),
                                                         "), got ", wire.cursor_selection()));
  }
  return Place{cursor, wire.cursor_selection()};
}

v1::Notice::Kind ToProto(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::kStarted:
      return v1::Notice::KIND_STARTED;
    case Event::Kind::kPaused:
      return v1::Notice::KIND_PAUSED;
    case Event::Kind::kEpochChanged:
      return v1::Notice::KIND_EPOCH_CHANGED;
    case Event::Kind::kLeaseLost:
      return v1::Notice::KIND_LEASE_LOST;
    case Event::Kind::kDraining:
      return v1::Notice::KIND_DRAINING;
    case Event::Kind::kInputSilent:
      return v1::Notice::KIND_INPUT_SILENT;
    case Event::Kind::kInputReturned:
      return v1::Notice::KIND_INPUT_RETURNED;
    case Event::Kind::kLearningFrozen:
      return v1::Notice::KIND_LEARNING_FROZEN;
    case Event::Kind::kLearningResumed:
      return v1::Notice::KIND_LEARNING_RESUMED;
    case Event::Kind::kDriverCame:
      return v1::Notice::KIND_DRIVER_CAME;
    case Event::Kind::kDriverLeft:
      return v1::Notice::KIND_DRIVER_LEFT;
    case Event::Kind::kDriverMissing:
      return v1::Notice::KIND_DRIVER_MISSING;
    case Event::Kind::kClockChanged:
      return v1::Notice::KIND_CLOCK_CHANGED;
    case Event::Kind::kOverrun:
      return v1::Notice::KIND_OVERRUN;
    case Event::Kind::kStorageDegraded:
      return v1::Notice::KIND_STORAGE_DEGRADED;
    case Event::Kind::kStorageRestored:
      return v1::Notice::KIND_STORAGE_RESTORED;
  }
  return v1::Notice::KIND_UNSPECIFIED;
}

}  // namespace

std::vector<int64_t> SampleBytes(const ObserverSpec& spec, const VariableTable& table) {
  std::vector<int64_t> samples;
  for (const Selection& selection : spec.selections) {
    int64_t& bytes = samples.emplace_back(0);
    for (const int index : selection.variables) {
      bytes += SampledCount(selection, table[index]) * SizeOf(table[index].type);
    }
  }
  return samples;
}

absl::StatusOr<ObserverSpec> FromProto(const v1::Subscription& wire, const VariableTable& table) {
  const absl::StatusOr<ObserverSpec::Start> start = FromProto(wire.start());
  if (!start.ok()) return start.status();
  const absl::StatusOr<ObserverSpec::Delivery> delivery = FromProto(wire.delivery());
  if (!delivery.ok()) return delivery.status();
  const absl::StatusOr<Place> behind = PlaceOf(wire);
  if (!behind.ok()) return behind.status();
  if (wire.selections().empty() || wire.selections_size() > kMaxSelections) {
    return InvalidField("selections", absl::StrCat("must be 1 to ", kMaxSelections, ", got ",
                                                   wire.selections_size()));
  }
  if (wire.max_pending() < 0) {
    return InvalidField("max_pending", absl::StrCat("must be >= 0, got ", wire.max_pending()));
  }
  if (wire.retained_bytes() < 0) {
    return InvalidField("retained_bytes",
                        absl::StrCat("must be >= 0, got ", wire.retained_bytes()));
  }
  ObserverSpec spec;
  spec.start = *start;
  spec.behind = *behind;
  spec.delivery = *delivery;
  spec.capacity = wire.max_pending();
  spec.retained_bytes = wire.retained_bytes();
  for (int i = 0; i < wire.selections_size(); ++i) {
    absl::StatusOr<Selection> selection = FromProto(wire.selections(i), table);
    if (!selection.ok()) return UnderField(selection.status(), Element("selections", i));
    spec.selections.push_back(*std::move(selection));
  }
  return spec;
}

v1::SubscriptionEvent::Opened MakeOpened(const ObserverSpec& spec, const VariableTable& table,
                                         const Observed::Opened& at, double dt) {
  v1::SubscriptionEvent::Opened opened;
  *opened.mutable_cursor() = ToProto(at.cursor);
  if (at.oldest.has_value()) *opened.mutable_oldest() = ToProto(*at.oldest);
  opened.set_dt_ms(dt);
  for (const Selection& selection : spec.selections) {
    auto* selected = opened.add_selections();
    for (const int index : selection.variables) {
      const Variable& variable = table[index];
      v1::VariableSchema* schema = selected->add_variables();
      *schema = ToProto(variable, index);
      const bool two_rows = selection.aggregation == Aggregation::kMinMax;
      if (!selection.slice.has_value() && !two_rows) continue;
      schema->clear_shape();
      if (two_rows) schema->add_shape(2);
      if (selection.slice.has_value()) {
        schema->add_shape(*CountOf(*selection.slice, variable.size()));
      } else {
        schema->mutable_shape()->Add(variable.shape.begin(), variable.shape.end());
      }
    }
  }
  return opened;
}

v1::Notice ToProto(const Event& event) {
  v1::Notice notice;
  notice.set_kind(ToProto(event.kind));
  *notice.mutable_cursor() = ToProto(event.cursor);
  notice.set_message(event.message);
  notice.set_variable(event.variable);
  return notice;
}

v1::SubscriptionEvent::Gap ToProto(const Gap& gap) {
  v1::SubscriptionEvent::Gap wire;
  using Wire = v1::SubscriptionEvent::Gap;
  wire.set_reason(gap.reason == Gap::Reason::kEvicted ? Wire::REASON_EVICTED
                                                      : Wire::REASON_SLOW_READER);
  *wire.mutable_first() = ToProto(gap.first);
  *wire.mutable_last() = ToProto(gap.last);
  wire.set_count(gap.count);
  return wire;
}

}  // namespace prospero::server
