#include "server/budget.h"

#include "server/limits.h"

namespace prospero::server {

absl::StatusOr<Budget::Reservation> Budget::Reserve(int64_t bytes) {
  MutexLock lock(mu_);
  if (bytes > total_ - reserved_) {
    return LimitExceededBeside("max_total_bytes", total_, bytes, reserved_);
  }
  reserved_ += bytes;
  return Reservation(this, bytes);
}

int64_t Budget::reserved() const {
  MutexLock lock(mu_);
  return reserved_;
}

void Budget::Release(int64_t bytes) {
  MutexLock lock(mu_);
  reserved_ -= bytes;
}

}  // namespace prospero::server
