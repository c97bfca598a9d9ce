#include "server/executor.h"

#include <utility>

namespace prospero::server {

Executor::Executor(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Executor::~Executor() { Stop(); }

void Executor::Stop() {
  {
    MutexLock lock(mu_);
    ending_ = true;
    work_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Executor::Post(std::function<void()> job) {
  MutexLock lock(mu_);
  if (ending_) return;
  jobs_.push_back(std::move(job));
  work_.Signal();
}

void Executor::Run() {
  while (true) {
    std::function<void()> job;
    {
      MutexLock lock(mu_);
      while (jobs_.empty() && !ending_) work_.Wait(mu_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace prospero::server
