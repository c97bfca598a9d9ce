#include "prospero/client/drive.h"

#include "drive_stream.h"

namespace prospero::client {

Drive::Drive(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Drive::Drive(Drive&&) noexcept = default;
Drive& Drive::operator=(Drive&&) noexcept = default;
Drive::~Drive() = default;

absl::StatusOr<Drive> Drive::Attach(std::shared_ptr<Connection> connection,
                                    const std::string& network, const AttachOptions& options) {
  auto stream = std::make_unique<Stream>(std::move(connection), options.max_in_flight);
  if (auto status = stream->Attach(network, options); !status.ok()) return status;
  return Drive(std::move(stream));
}

Cursor Drive::cursor() const { return stream_->cursor(); }
double Drive::dt_ms() const { return stream_->dt_ms(); }
const Schemas& Drive::inputs() const { return stream_->inputs(); }
const Schemas& Drive::outputs() const { return stream_->outputs(); }
int64_t Drive::max_steps() const { return stream_->max_steps(); }
bool Drive::open() const { return stream_->open(); }
int64_t Drive::in_flight() const { return stream_->in_flight(); }

absl::StatusOr<Advanced> Drive::Advance(absl::Span<const Input> inputs, int64_t steps,
                                        const FrameOptions& options) {
  if (in_flight() > 0) {
    return absl::FailedPreconditionError("other frames are in flight: receive their answers first");
  }
  const auto tag = Send(inputs, steps, options);
  if (!tag.ok()) return tag.status();
  return Receive();
}

absl::StatusOr<Advanced> Drive::Advance(std::initializer_list<Input> inputs, int64_t steps,
                                        const FrameOptions& options) {
  return Advance(absl::MakeConstSpan(inputs.begin(), inputs.size()), steps, options);
}

absl::StatusOr<uint64_t> Drive::Send(absl::Span<const Input> inputs, int64_t steps,
                                     const FrameOptions& options) {
  return stream_->Send(inputs, steps, options);
}

absl::StatusOr<uint64_t> Drive::Send(std::initializer_list<Input> inputs, int64_t steps,
                                     const FrameOptions& options) {
  return Send(absl::MakeConstSpan(inputs.begin(), inputs.size()), steps, options);
}

absl::StatusOr<Advanced> Drive::Receive() { return stream_->Receive(); }
absl::Status Drive::Finish() { return stream_->Finish(); }
void Drive::Cancel() { stream_->Cancel(); }

}  // namespace prospero::client
