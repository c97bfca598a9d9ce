#pragma once

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "engine/core/mutex.h"
#include "engine/runtime/recording_options.h"

namespace prospero::server {

/// Memory that may be spent. Thread-safe; its mutex is a leaf.
class Budget final : public MemoryPool {
 public:
  /// A part of the budget, given back when it goes.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept { *this = std::move(other); }
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Reservation() {
      if (budget_ != nullptr) budget_->Give(bytes_);
    }
    int64_t bytes() const { return bytes_; }

   private:
    friend class Budget;
    Reservation(Budget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}
    Budget* budget_ = nullptr;
    int64_t bytes_ = 0;
  };

  /// [bytes]
  explicit Budget(int64_t total) : total_(total) {}

  /// kResourceExhausted (LIMIT_EXCEEDED, max_total_bytes) when too little is left; it says
  /// how much is taken. The budget must outlive the reservation.
  absl::StatusOr<Reservation> Reserve(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  /// The same, to be given back by hand.
  absl::Status Take(int64_t bytes) override ABSL_LOCKS_EXCLUDED(mu_);
  void Give(int64_t bytes) override ABSL_LOCKS_EXCLUDED(mu_);

  int64_t reserved() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const int64_t total_;
  mutable Mutex mu_;
  int64_t reserved_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace prospero::server
