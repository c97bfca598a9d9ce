#include "prospero/client/feed.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "feed_stream.h"
#include "numbers.h"

namespace prospero::client {
namespace {

template <class T>
absl::StatusOr<v1::FeedFrame> ToFrame(const v1::VariableSchema& variable,
                                      absl::Span<const T> values, const FrameStamp& stamp) {
  int64_t size = 1;
  for (const int64_t extent : variable.shape()) size *= extent;
  if (static_cast<int64_t>(values.size()) != size) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", variable.name(), "' has ", size, " values, got ", values.size()));
  }
  v1::FeedFrame frame;
  Append(values, variable.data_type(), *frame.mutable_data());
  if (stamp.at_step.has_value()) frame.set_at_step(*stamp.at_step);
  if (stamp.captured_at.has_value()) {
    absl::Duration rest = *stamp.captured_at - absl::UnixEpoch();
    auto& captured_at = *frame.mutable_captured_at();
    captured_at.set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
    captured_at.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  }
  return frame;
}

}  // namespace

Feed::Feed(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Feed::Feed(Feed&&) noexcept = default;
Feed& Feed::operator=(Feed&&) noexcept = default;
Feed::~Feed() = default;

const v1::VariableSchema& Feed::variable() const { return stream_->variable(); }
int64_t Feed::dropped() const { return stream_->dropped(); }
absl::StatusOr<FeedSummary> Feed::Close() { return stream_->Close(); }

absl::Status Feed::Push(absl::Span<const float> values, const FrameStamp& stamp) {
  auto frame = ToFrame(variable(), values, stamp);
  return frame.ok() ? stream_->Push(*std::move(frame)) : frame.status();
}

absl::Status Feed::Push(absl::Span<const double> values, const FrameStamp& stamp) {
  auto frame = ToFrame(variable(), values, stamp);
  return frame.ok() ? stream_->Push(*std::move(frame)) : frame.status();
}

}  // namespace prospero::client
