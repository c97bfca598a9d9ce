#include "drive_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "numbers.h"

namespace prospero::client {

Drive::Stream::Stream(std::shared_ptr<Connection> connection, int max_in_flight)
    : connection_(std::move(connection)), max_in_flight_(std::max(max_in_flight, 1)) {}

Drive::Stream::~Stream() {
  if (stream_ == nullptr || !open()) return;
  context_.TryCancel();
  heart_.reset();
  stream_->Finish();
}

absl::Status Drive::Stream::Attach(const std::string& network, const AttachOptions& options) {
  stream_ = connection_->simulations->Drive(&context_);
  v1::DriveAttach& attach = *request_.mutable_attach();
  attach.set_network(network);
  attach.mutable_inputs()->Add(options.inputs.begin(), options.inputs.end());
  attach.mutable_outputs()->Add(options.outputs.begin(), options.outputs.end());
  attach.set_preempt(options.preempt);
  const absl::Duration heartbeat = options.heartbeat.value_or(absl::ZeroDuration());
  *attach.mutable_heartbeat() = ToProto(heartbeat);
  v1::DriveResponse response;
  if (!stream_->Write(request_) || !stream_->Read(&response)) {
    End();
    return status_;
  }
  if (!response.has_attached()) {
    return absl::InternalError("the server did not answer the attachment first");
  }
  attached_ = std::move(*response.mutable_attached());
  cursor_ = ToCursor(attached_.cursor());
  inputs_ = ToSchemas(attached_.inputs());
  outputs_ = ToSchemas(attached_.outputs());
  if (heartbeat > absl::ZeroDuration()) {
    heart_ = std::make_unique<Heart>(heartbeat, [this] { Beat(); });
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Drive::Stream::Send(absl::Span<const Input> inputs, int64_t steps,
                                             const FrameOptions& options) {
  if (!open()) return status_;
  v1::DriveAdvance& advance = *request_.mutable_advance();
  advance.Clear();
  for (const Input& input : inputs) {
    const auto* schema = FindPort(inputs_, input.port);
    if (schema == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("no attached input is called '", input.port, "'; there are ",
                       absl::StrJoin(inputs_, ", ", [](std::string* out, const auto& variable) {
                         absl::StrAppend(out, "'", variable->name(), "'");
                       })));
    }
    v1::Block& block = *advance.add_inputs();
    block.set_uid((*schema)->uid());
    std::visit([&](auto values) { Append(values, (*schema)->data_type(), *block.mutable_data()); },
               input.values);
  }
  advance.set_steps(steps);
  if (options.at_step.has_value()) advance.set_at_step(*options.at_step);
  advance.set_output_every(options.output_every);
  advance.set_tag(next_tag_);
  while (unanswered_ >= max_in_flight_) {
    if (ReadAnswer()) continue;
    End();
    return status_;
  }
  if (!Write(request_)) {
    End();
    return status_;
  }
  ++unanswered_;
  return next_tag_++;
}

absl::StatusOr<Advanced> Drive::Stream::Receive() {
  if (answers_.empty() && open() && unanswered_ == 0) {
    return absl::FailedPreconditionError("no frame is in flight: send one first");
  }
  if (answers_.empty() && open() && !ReadAnswer()) End();
  if (answers_.empty()) return status_;
  absl::StatusOr<Advanced> answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

absl::Status Drive::Stream::Finish() {
  if (!open()) return status_;
  heart_.reset();
  stream_->WritesDone();
  while (ReadAnswer()) answers_.clear();
  answers_.clear();
  unanswered_ = 0;
  status_ = absl::FailedPreconditionError("the stream was finished");
  return ToStatus(stream_->Finish());
}

bool Drive::Stream::ReadAnswer() {
  v1::DriveResponse response;
  while (stream_->Read(&response)) {
    switch (response.message_case()) {
      case v1::DriveResponse::kAdvanced:
        answers_.emplace_back(ToAdvanced(*response.mutable_advanced()));
        break;
      case v1::DriveResponse::kError:
        cursor_ = ToCursor(response.error().cursor());
        answers_.emplace_back(ToStatus(response.error().status()));
        break;
      case v1::DriveResponse::kNotice:
        notices_.push_back(std::move(*response.mutable_notice()));
        continue;
      default:  // a message that a later version of the server may send
        continue;
    }
    --unanswered_;
    return true;
  }
  return false;
}

absl::StatusOr<Advanced> Drive::Stream::ToAdvanced(v1::DriveAdvanced& message) {
  Advanced advanced;
  advanced.tag = message.tag();
  advanced.cursor = cursor_ = ToCursor(message.cursor());
  advanced.steps = message.steps();
  if (message.has_loss()) advanced.loss = message.loss();
  advanced.queued = absl::Nanoseconds(message.queued_ns());
  advanced.stepping = absl::Nanoseconds(message.stepping_ns());
  advanced.notices = std::exchange(notices_, {});
  auto outputs = TakeArrays(*message.mutable_outputs(), outputs_);
  if (!outputs.ok()) return outputs.status();
  advanced.outputs = *std::move(outputs);
  return advanced;
}

bool Drive::Stream::Write(const v1::DriveRequest& request) {
  const std::lock_guard<std::mutex> lock(writing_);
  return stream_->Write(request);
}

void Drive::Stream::Beat() {
  const std::unique_lock<std::mutex> lock(writing_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  v1::DriveRequest request;
  request.mutable_heartbeat();
  stream_->Write(request);  // when this fails the stream has ended, and the next read says why
}

void Drive::Stream::End() {
  heart_.reset();
  while (ReadAnswer()) {
  }
  unanswered_ = 0;
  status_ = ToStatus(stream_->Finish());
  if (status_.ok()) status_ = absl::UnavailableError("the server ended the stream");
}

}  // namespace prospero::client
