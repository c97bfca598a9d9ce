#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/runtime/observer.h"
#include "prospero/v1/simulation_service.pb.h"
#include "server/budget.h"
#include "server/host.h"

namespace prospero::server {

/// Turns what an observer finds into the events of one stream, in their order. Used by one
/// thread at a time.
class SubscriptionFeed {
 public:
  /// Begins to observe. `on_ready` is called on the strand whenever Next may have something.
  /// Errors name the field under `path`.
  absl::Status Open(Host& host, const v1::Subscription& subscription, absl::string_view path,
                    std::function<void()> on_ready);

  /// Moves the next event out, at most `credit` samples in it; false when there is none.
  bool Next(int64_t credit, v1::SubscriptionEvent* event);

  /// Not OK once the stream has nothing more to say: the network or the server ends.
  absl::Status end() const;

  /// Zero: none is wanted.
  absl::Duration heartbeat() const { return heartbeat_; }
  v1::SubscriptionEvent Heartbeat() const;

  /// To be cancelled, from outside, before the feed goes; null until Open has succeeded.
  std::shared_ptr<Observer> observer() const { return observer_; }

 private:
  /// Chooses what the observer keeps, and sets the memory for it aside.
  absl::Status SetCapacity(Host& host, absl::string_view path);
  void Refill(int64_t credit);
  void Queue(Observed& found);

  std::shared_ptr<Record> record_;
  ObserverSpec spec_;
  int64_t batch_ = 1;  ///< samples in one message, at most
  absl::Duration heartbeat_ = absl::ZeroDuration();
  Budget::Reservation memory_;
  std::shared_ptr<Observer> observer_;
  Observed found_;
  std::deque<v1::SubscriptionEvent> waiting_;
  bool draining_ = false;
};

}  // namespace prospero::server
