#include "server/open_calls.h"

namespace prospero::server {

bool OpenCalls::AwaitNone(absl::Time deadline) {
  std::unique_lock<std::mutex> lock(mu_);
  return none_.wait_until(lock, absl::ToChronoTime(deadline), [this] { return open_ == 0; });
}

void OpenCalls::Add(int64_t count) {
  const std::lock_guard<std::mutex> lock(mu_);
  open_ += count;
  if (open_ == 0) none_.notify_all();
}

}  // namespace prospero::server
