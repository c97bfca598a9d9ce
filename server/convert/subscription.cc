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

absl::Status Reserved(absl::string_view path, absl::string_view what) {
  return FieldError(absl::StatusCode::kUnimplemented, "NOT_IMPLEMENTED", path,
                    absl::StrCat(what, " is reserved"));
}

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
  if (absl::Status status = CheckAgainst(selection, table); !status.ok()) return status;
  return selection;
}

/// Number of values that a sample carries of a variable.
int64_t SampledCount(const Selection& selection, const Variable& variable) {
  const int64_t count =
      selection.slice.has_value() ? *CountOf(*selection.slice, variable.size()) : variable.size();
  return selection.aggregation == Aggregation::kMinMax ? 2 * count : count;
}

absl::Status CheckReserved(const v1::Subscription& wire) {
  using S = v1::Subscription;
  if (wire.start() == S::START_CURSOR) return Reserved("start", "START_CURSOR");
  if (!S::Start_IsValid(wire.start())) {
    return InvalidField("start", absl::StrCat("is unknown: ", static_cast<int>(wire.start())));
  }
  if (wire.delivery() == S::DELIVERY_RELIABLE) return Reserved("delivery", "DELIVERY_RELIABLE");
  if (!S::Delivery_IsValid(wire.delivery())) {
    return InvalidField("delivery",
                        absl::StrCat("is unknown: ", static_cast<int>(wire.delivery())));
  }
  if (wire.has_cursor()) return InvalidField("cursor", "is for START_CURSOR only");
  return absl::OkStatus();
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
  }
  return v1::Notice::KIND_UNSPECIFIED;
}

}  // namespace

int64_t LargestSample(const ObserverSpec& spec, const VariableTable& table) {
  int64_t largest = 0;
  for (const Selection& selection : spec.selections) {
    int64_t bytes = 0;
    for (const int index : selection.variables) {
      bytes += SampledCount(selection, table[index]) * SizeOf(table[index].type);
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

absl::StatusOr<ObserverSpec> FromProto(const v1::Subscription& wire, const VariableTable& table) {
  if (absl::Status status = CheckReserved(wire); !status.ok()) return status;
  if (wire.selections().empty() || wire.selections_size() > kMaxSelections) {
    return InvalidField("selections", absl::StrCat("must be 1 to ", kMaxSelections, ", got ",
                                                   wire.selections_size()));
  }
  if (wire.max_pending() < 0) {
    return InvalidField("max_pending", absl::StrCat("must be >= 0, got ", wire.max_pending()));
  }
  ObserverSpec spec;
  spec.start_with_snapshot = wire.start() == v1::Subscription::START_SNAPSHOT;
  spec.capacity = wire.max_pending();
  for (int i = 0; i < wire.selections_size(); ++i) {
    absl::StatusOr<Selection> selection = FromProto(wire.selections(i), table);
    if (!selection.ok()) return UnderField(selection.status(), Element("selections", i));
    spec.selections.push_back(*std::move(selection));
  }
  return spec;
}

v1::SubscriptionEvent::Opened MakeOpened(const ObserverSpec& spec, const VariableTable& table,
                                         const Cursor& cursor, double dt) {
  v1::SubscriptionEvent::Opened opened;
  *opened.mutable_cursor() = ToProto(cursor);
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
  wire.set_reason(v1::SubscriptionEvent::Gap::REASON_SLOW_READER);
  *wire.mutable_first() = ToProto(gap.first);
  *wire.mutable_last() = ToProto(gap.last);
  wire.set_count(gap.count);
  return wire;
}

v1::SubscriptionEvent::Sample ToProto(ObservedSample&& sample, const ObserverSpec& spec) {
  v1::SubscriptionEvent::Sample wire;
  wire.set_selection(sample.selection);
  *wire.mutable_cursor() = ToProto(sample.cursor);
  const std::vector<int>& variables = spec.selections[sample.selection].variables;
  for (size_t i = 0; i < variables.size(); ++i) {
    v1::Block* block = wire.add_values();
    block->set_uid(UidOf(variables[i]));
    block->set_data(std::move(sample.values[i]));
  }
  return wire;
}

}  // namespace prospero::server
