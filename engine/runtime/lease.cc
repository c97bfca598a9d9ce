#include "engine/runtime/lease.h"

#include <utility>

#include "engine/core/errors.h"

namespace prospero {
namespace {

absl::Status Detached() {
  return Error(absl::StatusCode::kCancelled, "DETACHED", "the driver has given its lease back");
}

}  // namespace

absl::Status Lease::Push(DriveJob* job, bool* alone) {
  const MutexLock lock(mu_);
  if (detached()) return Detached();
  if (!closed_.ok()) return closed_;
  *alone = queue_.empty() && current_ == nullptr;
  queue_.push_back(job);
  ++in_flight_;
  return absl::OkStatus();
}

void Lease::Refuse(DriveJob* job) {
  {
    const MutexLock lock(mu_);
    ++inside_;
  }
  job->done(*job);
  Leave();
}

int64_t Lease::in_flight() const {
  const MutexLock lock(mu_);
  return in_flight_;
}

void Lease::Detach(absl::string_view why) {
  std::deque<DriveJob*> jobs;
  {
    const MutexLock lock(mu_);
    if (!detached()) farewell_ = std::string(why);
    detached_.store(true, std::memory_order_release);
    while (inside_ > 0) empty_.Wait(mu_);
    jobs = TakeAll();
    ++inside_;
  }
  for (DriveJob* job : jobs) {
    job->status = Detached();
    job->done(*job);
  }
  Leave();
}

std::string Lease::farewell() const {
  const MutexLock lock(mu_);
  return farewell_;
}

bool Lease::Enter() {
  const MutexLock lock(mu_);
  if (detached()) return false;
  ++inside_;
  return true;
}

void Lease::Leave() {
  const MutexLock lock(mu_);
  if (--inside_ == 0) empty_.SignalAll();
}

DriveJob* Lease::Next() {
  const MutexLock lock(mu_);
  if (queue_.empty() || detached()) return nullptr;
  current_ = queue_.front();
  queue_.pop_front();
  return current_;
}

bool Lease::has_jobs() const {
  const MutexLock lock(mu_);
  return !queue_.empty();
}

void Lease::Finish(DriveJob* job) {
  {
    const MutexLock lock(mu_);
    current_ = nullptr;
    --in_flight_;
  }
  job->done(*job);
}

void Lease::Notify(const Event& event) const {
  if (options_.on_event) options_.on_event(event);
}

void Lease::Close(const absl::Status& why, Cursor cursor) {
  std::deque<DriveJob*> jobs;
  {
    const MutexLock lock(mu_);
    closed_ = why;
    jobs = TakeAll();
  }
  for (DriveJob* job : jobs) {
    job->status = why;
    job->cursor = cursor;
    job->done(*job);
  }
}

void Lease::NotifyEnd(const absl::Status& why) const {
  if (options_.on_end) options_.on_end(why);
}

std::deque<DriveJob*> Lease::TakeAll() {
  std::deque<DriveJob*> jobs = std::exchange(queue_, {});
  if (current_ != nullptr) jobs.push_front(std::exchange(current_, nullptr));
  in_flight_ -= static_cast<int64_t>(jobs.size());
  return jobs;
}

}  // namespace prospero
