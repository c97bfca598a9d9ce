#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/core/variable.h"
#include "engine/runtime/feed.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::server {

/// How a feed begins, without its callbacks. `max_bytes`: what the frames kept for one feed may
/// take; it bounds max_pending where that is not given. Errors name the field of `open`.
absl::StatusOr<FeedOptions> FromProto(const v1::FeedOpen& open, const VariableTable& table,
                                      int64_t max_bytes);

/// Moves a frame out of its message. It is too old when it was captured more than `max_age`
/// before `now`. kInvalidArgument names "at_step" or "captured_at".
absl::StatusOr<FeedFrame> TakeFrame(v1::FeedFrame* wire, absl::Duration max_age, absl::Time now);

v1::FeedResponse ToProto(const FeedSummary& summary, const Cursor& cursor);

/// The same error with the numbers of the summary in its metadata.
absl::Status WithSummary(absl::Status status, const FeedSummary& summary);

}  // namespace prospero::server
