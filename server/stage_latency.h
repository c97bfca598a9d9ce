#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "prospero/v1/simulation_service.pb.h"

namespace prospero::server {

/// How long requests take in one stage of their way: v1::StageLatency, counted. Used by one
/// thread at a time; a count allocates nothing.
class StageHistogram {
 public:
  using Duration = std::chrono::nanoseconds;

  /// Upper ends of the buckets but the last one: 1 us, then each 2^(1/4) times the one before, up
  /// to some 100 s.
  static constexpr size_t kBounds = 107;
  static const std::array<int64_t, kBounds>& Bounds();  ///< [ns]

  /// A negative duration counts as 0.
  void Count(Duration duration);

  v1::StageLatency ToProto(v1::StageLatency::Stage stage) const;

 private:
  int64_t count_ = 0;
  int64_t sum_ns_ = 0;
  int64_t max_ns_ = 0;
  std::array<int64_t, kBounds + 1> buckets_ = {};
};

/// The stages of one Drive stream.
struct DriveLatency {
  StageHistogram decode;
  StageHistogram queue;
  StageHistogram step;
  StageHistogram encode;
  StageHistogram write;

  /// In the order of the stages.
  google::protobuf::RepeatedPtrField<v1::StageLatency> ToProto() const;
};

}  // namespace prospero::server
