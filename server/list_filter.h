#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "prospero/v1/network.pb.h"

namespace prospero::server {

/// The filter of ListNetworks: conditions joined by AND.
///
///   state = RUNNING AND labels.team != "a" AND labels:owner
class ListFilter {
 public:
  /// kInvalidArgument, naming "filter", when it cannot be read.
  static absl::StatusOr<ListFilter> Parse(absl::string_view text);

  bool Accepts(const v1::Network& network) const;

 private:
  struct Condition {
    enum class Kind { kState, kLabelIs, kHasLabel };
    Kind kind = Kind::kState;
    bool negated = false;
    v1::Network::State state = v1::Network::STATE_UNSPECIFIED;
    std::string key;
    std::string value;
  };
  static absl::StatusOr<Condition> ReadCondition(absl::string_view* text);
  static bool Holds(const Condition& condition, const v1::Network& network);

  std::vector<Condition> conditions_;
};

}  // namespace prospero::server
