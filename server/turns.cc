#include "server/turns.h"

#include <utility>

#include "engine/core/errors.h"

namespace prospero::server {

absl::Status Turns::Enter(std::function<void(Turn)> job) {
  {
    MutexLock lock(mu_);
    if (taken_) {
      if (waiting_.size() >= kMaxWaiting) {
        return Error(absl::StatusCode::kResourceExhausted, "MAILBOX_FULL",
                     "too many calls wait for this network");
      }
      waiting_.push_back(std::move(job));
      return absl::OkStatus();
    }
    taken_ = true;
  }
  job(MakeTurn());
  return absl::OkStatus();
}

Turns::Turn Turns::MakeTurn() {
  return {this, [self = shared_from_this()](void*) { self->Leave(); }};
}

void Turns::Leave() {
  std::function<void(Turn)> next;
  {
    MutexLock lock(mu_);
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  executor_->Post([self = shared_from_this(), next = std::move(next)] { next(self->MakeTurn()); });
}

}  // namespace prospero::server
