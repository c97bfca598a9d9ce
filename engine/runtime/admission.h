#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "engine/core/mutex.h"

namespace prospero {

/// How much of the workers REALTIME networks may take, and have taken: the sum of what their steps
/// cost, times their rates. Thread-safe; its mutex is a leaf.
class Admission {
 public:
  struct Demand {
    int64_t step_cost_ns = 0;
    double rate_hz = 0.0;
    double cores() const { return static_cast<double>(step_cost_ns) * 1e-9 * rate_hz; }
  };

  /// What one network has taken, given back when it goes.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept {
      std::swap(admission_, other.admission_);
      std::swap(cores_, other.cores_);
      return *this;
    }
    ~Share() { GiveBack(); }
    void GiveBack();
    double cores() const { return cores_; }

   private:
    friend class Admission;
    Admission* admission_ = nullptr;
    double cores_ = 0.0;
  };

  /// `max_cores`: of all networks; `max_alone`: of one.
  explicit Admission(double max_cores, double max_alone = 0.9);

  /// Exchanges a share for one that is as large as the demand. kResourceExhausted
  /// (REALTIME_OVERLOAD, with step_cost_ns, rate_hz, wanted, taken by others, max), and no change,
  /// when it does not fit. The admission must outlive the share.
  absl::Status Take(const Demand& demand, Share* share) ABSL_LOCKS_EXCLUDED(mu_);
  /// What Take would say.
  absl::Status Check(const Demand& demand, const Share& share) const ABSL_LOCKS_EXCLUDED(mu_);

  double max_cores() const { return max_cores_; }
  double taken() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  absl::Status CheckBeside(const Demand& demand, double others) const;
  void Release(double cores) ABSL_LOCKS_EXCLUDED(mu_);

  const double max_cores_;
  const double max_alone_;
  mutable Mutex mu_;
  double taken_ ABSL_GUARDED_BY(mu_) = 0.0;
};

}  // namespace prospero
