#pragma once

#include <tuple>

#include "absl/types/optional.h"
#include "prospero/client/array.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::client {

/// How far a subscription has come. Samples come in order of time, so a step is complete when a
/// later one begins; with one selection, at once.
class Position {
 public:
  Position() = default;
  /// The stream opened with the network at `opened`.
  Position(const v1::Subscription& subscription, Cursor opened)
      : single_(subscription.selections_size() == 1) {
    if (subscription.start() == v1::Subscription::START_CURSOR) {
      Reach({subscription.cursor().epoch(), subscription.cursor().step()});
    } else if (subscription.start() != v1::Subscription::START_SNAPSHOT) {
      Reach(opened);
    }
  }

  void Take(Cursor sample) {
    if (!single_) --sample.step;
    if (sample.step >= 0) Reach(sample);
  }

  void Reach(Cursor cursor) {
    const auto key = [](const Cursor& c) { return std::tie(c.epoch, c.step); };
    if (!cursor_.has_value() || key(*cursor_) < key(cursor)) cursor_ = cursor;
  }

  absl::optional<Cursor> cursor() const { return cursor_; }

 private:
  bool single_ = true;
  absl::optional<Cursor> cursor_;
};

}  // namespace prospero::client
