#include "server/budget.h"

#include "server/limits.h"

namespace prospero::server {

absl::StatusOr<Budget::Reservation> Budget::Reserve(int64_t bytes) {
  if (absl::Status status = Take(bytes); !status.ok()) return status;
  return Reservation(this, bytes);
}

absl::Status Budget::Take(int64_t bytes) {
  MutexLock lock(mu_);
  if (bytes > total_ - reserved_) {
    return LimitExceededBeside("max_total_bytes", total_, bytes, reserved_);
  }
  reserved_ += bytes;
  return absl::OkStatus();
}

void Budget::Give(int64_t bytes) {
  MutexLock lock(mu_);
  reserved_ -= bytes;
}

int64_t Budget::reserved() const {
  MutexLock lock(mu_);
  return reserved_;
}

}  // namespace prospero::server
