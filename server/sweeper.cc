#include "server/sweeper.h"

#include <utility>

namespace prospero::server {

Sweeper::Sweeper(absl::Duration period, std::function<void()> job)
    : period_(absl::ToChronoNanoseconds(period)),
      job_(std::move(job)),
      thread_([this] { Run(); }) {}

Sweeper::~Sweeper() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  over_.notify_all();
  thread_.join();
}

void Sweeper::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!over_.wait_for(lock, period_, [this] { return ending_; })) {
    lock.unlock();
    job_();
    lock.lock();
  }
}

}  // namespace prospero::server
