#include "server/stage_latency.h"

#include <algorithm>
#include <cmath>

namespace prospero::server {

const std::array<int64_t, StageHistogram::kBounds>& StageHistogram::Bounds() {
  static const auto bounds = [] {
    std::array<int64_t, kBounds> ends;
    for (size_t i = 0; i < kBounds; ++i) {
      ends[i] = std::llround(1e3 * std::exp2(static_cast<double>(i) / 4));
    }
    return ends;
  }();
  return bounds;
}

void StageHistogram::Count(Duration duration) {
  const int64_t ns = std::max<int64_t>(duration.count(), 0);
  const auto& bounds = Bounds();
  const auto bucket = std::upper_bound(bounds.begin(), bounds.end(), ns) - bounds.begin();
  ++buckets_[static_cast<size_t>(bucket)];
  ++count_;
  sum_ns_ += ns;
  max_ns_ = std::max(max_ns_, ns);
}

v1::StageLatency StageHistogram::ToProto(v1::StageLatency::Stage stage) const {
  v1::StageLatency wire;
  wire.set_stage(stage);
  wire.set_count(count_);
  wire.set_sum_ns(sum_ns_);
  wire.set_max_ns(max_ns_);
  const auto zeros = std::find_if(buckets_.rbegin(), buckets_.rend(), [](int64_t n) { return n; });
  wire.mutable_buckets()->Add(buckets_.begin(), zeros.base());
  return wire;
}

google::protobuf::RepeatedPtrField<v1::StageLatency> DriveLatency::ToProto() const {
  google::protobuf::RepeatedPtrField<v1::StageLatency> stages;
  *stages.Add() = decode.ToProto(v1::StageLatency::STAGE_DECODE);
  *stages.Add() = queue.ToProto(v1::StageLatency::STAGE_QUEUE);
  *stages.Add() = step.ToProto(v1::StageLatency::STAGE_STEP);
  *stages.Add() = encode.ToProto(v1::StageLatency::STAGE_ENCODE);
  *stages.Add() = write.ToProto(v1::StageLatency::STAGE_WRITE);
  return stages;
}

}  // namespace prospero::server
