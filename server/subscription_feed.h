#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "engine/runtime/observer.h"
#include "prospero/v1/simulation_service.pb.h"
#include "server/budget.h"
#include "server/host.h"

namespace prospero::server {

/// Turns what an observer finds into the messages of one stream, in their order. Used by one
/// thread at a time.
class SubscriptionFeed {
 public:
  /// Begins to observe. `on_ready` is called whenever Next, having had nothing, may have something.
  /// Errors name the field under `path`.
  absl::Status Open(Host& host, const v1::Subscription& subscription, absl::string_view path,
                    std::function<void()> on_ready);

  /// Moves the next message out, with `*samples` in it, at most `credit`; false when there is none.
  bool Next(int64_t credit, grpc::ByteBuffer* message, int64_t* samples);

  /// Not OK, when Next has had nothing, once the stream has nothing more to say.
  absl::Status end() const { return end_; }

  /// Zero: none is wanted.
  absl::Duration heartbeat() const { return heartbeat_; }
  /// When Next has had nothing: how far the stream has come. False before it was opened.
  bool Heartbeat(grpc::ByteBuffer* message);

  /// To be cancelled, from outside, before the feed goes; null until Open has succeeded.
  std::shared_ptr<Observer> observer() const { return observer_; }

 private:
  /// Fills in what the subscription left open, within the limits, and sets memory aside for what
  /// the stream may hold of the recording.
  absl::Status SetBounds(Host& host, absl::string_view path);
  /// Puts what was found in the order in which it is told.
  void Queue();
  v1::SubscriptionEvent& QueueEvent();

  std::shared_ptr<Record> record_;
  ObserverSpec spec_;
  int64_t batch_bytes_ = 1;  ///< of the samples in one message, unless one alone has more
  absl::Duration heartbeat_ = absl::ZeroDuration();
  Budget::Reservation memory_;
  std::shared_ptr<Observer> observer_;
  Observed found_;
  std::deque<absl::variant<v1::SubscriptionEvent, Samples>> waiting_;
  uint64_t sequence_ = 0;
  bool opened_ = false;
  bool draining_ = false;
  absl::Status end_;
};

}  // namespace prospero::server
