#include "server/convert/feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/field_reader.h"
#include "server/convert/network.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

constexpr int32_t kMaxPending = 4096;
constexpr int64_t kDefaultPending = 64;

}  // namespace

absl::StatusOr<FeedOptions> FromProto(const v1::FeedOpen& open, const VariableTable& table,
                                      int64_t max_bytes) {
  FieldReader read;
  FeedOptions options;
  options.between = read.OneOf<Between>(open.between(), "between",
                                        {{v1::FeedOpen::BETWEEN_UNSPECIFIED, Between::kHold},
                                         {v1::FeedOpen::BETWEEN_HOLD, Between::kHold},
                                         {v1::FeedOpen::BETWEEN_LINEAR, Between::kLinear},
                                         {v1::FeedOpen::BETWEEN_ZERO, Between::kZero}});
  options.late = read.OneOf<Late>(open.late(), "late",
                                  {{v1::FeedOpen::LATE_UNSPECIFIED, Late::kDrop},
                                   {v1::FeedOpen::LATE_DROP, Late::kDrop},
                                   {v1::FeedOpen::LATE_APPLY, Late::kApply},
                                   {v1::FeedOpen::LATE_REFUSE, Late::kRefuse}});
  const int32_t pending = open.max_pending();
  read.Refuse(pending < 0 || pending > kMaxPending, "max_pending",
              absl::StrCat("must be from 0 to ", kMaxPending, ", got ", pending));
  if (!read.status().ok()) return read.status();
  const absl::StatusOr<int> input = FindInput(open.input(), table, "input");
  if (!input.ok()) return input.status();
  options.input = *input;
  options.preempt = open.preempt();
  const int64_t fit = std::max<int64_t>(max_bytes / std::max<int64_t>(table[*input].bytes(), 1), 1);
  options.max_pending = pending > 0 ? pending : std::min(kDefaultPending, fit);
  return options;
}

absl::StatusOr<FeedFrame> TakeFrame(v1::FeedFrame* wire, absl::Duration max_age, absl::Time now) {
  FeedFrame frame;
  if (wire->has_at_step()) {
    if (wire->at_step() < 0) {
      return InvalidField("at_step", absl::StrCat("must be >= 0, got ", wire->at_step()));
    }
    frame.at_step = wire->at_step();
  }
  if (wire->has_captured_at()) {
    const absl::StatusOr<absl::Time> captured = FromProto(wire->captured_at(), "captured_at");
    if (!captured.ok()) return captured.status();
    frame.too_old = now - *captured > max_age;
  }
  frame.values.swap(*wire->mutable_data());
  return frame;
}

v1::FeedResponse ToProto(const FeedSummary& summary, const Cursor& cursor) {
  v1::FeedResponse wire;
  *wire.mutable_cursor() = ToProto(cursor);
  wire.set_received(summary.received);
  wire.set_applied(summary.applied);
  wire.set_late(summary.late);
  wire.set_invalid(summary.invalid);
  wire.set_replaced(summary.replaced);
  if (summary.first_applied.has_value()) {
    *wire.mutable_first_applied() = ToProto(*summary.first_applied);
  }
  if (summary.last_applied.has_value()) {
    *wire.mutable_last_applied() = ToProto(*summary.last_applied);
  }
  return wire;
}

absl::Status WithSummary(absl::Status status, const FeedSummary& summary) {
  const std::pair<absl::string_view, int64_t> numbers[] = {{"received", summary.received},
                                                           {"applied", summary.applied},
                                                           {"late", summary.late},
                                                           {"invalid", summary.invalid},
                                                           {"replaced", summary.replaced}};
  for (const auto& [name, number] : numbers) {
    status = WithMetadata(std::move(status), name, absl::StrCat(number));
  }
  const auto place = [&status](absl::string_view name, const absl::optional<Cursor>& cursor) {
    if (!cursor.has_value()) return;
    status =
        WithMetadata(std::move(status), absl::StrCat(name, "_epoch"), absl::StrCat(cursor->epoch));
    status =
        WithMetadata(std::move(status), absl::StrCat(name, "_step"), absl::StrCat(cursor->step));
  };
  place("first_applied", summary.first_applied);
  place("last_applied", summary.last_applied);
  return status;
}

}  // namespace prospero::server
