#include "engine/runtime/admission.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/errors.h"

namespace prospero {
namespace {

std::string Cores(double cores) { return absl::StrFormat("%.3g", cores); }

}  // namespace

Admission::Admission(double max_cores, double max_alone)
    : max_cores_(max_cores), max_alone_(std::min(max_alone, max_cores)) {}

void Admission::Share::GiveBack() {
  if (admission_ != nullptr) admission_->Release(cores_);
  admission_ = nullptr;
  cores_ = 0.0;
}

absl::Status Admission::Take(const Demand& demand, Share* share) {
  const MutexLock lock(mu_);
  const double others = std::max(taken_ - share->cores_, 0.0);
  if (auto status = CheckBeside(demand, others); !status.ok()) return status;
  share->admission_ = this;
  share->cores_ = demand.cores();
  taken_ = others + share->cores_;
  return absl::OkStatus();
}

absl::Status Admission::Check(const Demand& demand, const Share& share) const {
  const MutexLock lock(mu_);
  return CheckBeside(demand, std::max(taken_ - share.cores_, 0.0));
}

double Admission::taken() const {
  const MutexLock lock(mu_);
  return taken_;
}

void Admission::Release(double cores) {
  const MutexLock lock(mu_);
  taken_ = std::max(taken_ - cores, 0.0);
}

absl::Status Admission::CheckBeside(const Demand& demand, double others) const {
  const double wanted = demand.cores();
  const bool alone = wanted > max_alone_;
  if (!alone && others + wanted <= max_cores_) return absl::OkStatus();
  const std::string bound = alone
                                ? absl::StrCat("one network may take ", Cores(max_alone_))
                                : absl::StrCat("all REALTIME networks may take ", Cores(max_cores_),
                                               " together, of which ", Cores(others), " are taken");
  absl::Status status =
      Error(absl::StatusCode::kResourceExhausted, "REALTIME_OVERLOAD",
            absl::StrCat("a step takes ", demand.step_cost_ns, " ns, and ",
                         absl::StrFormat("%.6g", demand.rate_hz), " of them in a second ",
                         Cores(wanted), " cores; ", bound));
  status = WithMetadata(std::move(status), "step_cost_ns", absl::StrCat(demand.step_cost_ns));
  status = WithMetadata(std::move(status), "rate_hz", absl::StrCat(demand.rate_hz));
  status = WithMetadata(std::move(status), "wanted", absl::StrCat(wanted));
  status = WithMetadata(std::move(status), "taken", absl::StrCat(others));
  return WithMetadata(std::move(status), "max", absl::StrCat(alone ? max_alone_ : max_cores_));
}

}  // namespace prospero
