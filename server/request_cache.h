#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "engine/runtime/clock.h"
#include "google/protobuf/message_lite.h"
#include "server/store/committer.h"
#include "server/store/store.h"

namespace prospero::server {

/// Answers a call: once, on any thread.
template <class Response>
using Reply = std::function<void(absl::StatusOr<Response>)>;

template <class Response>
class Promise;

/// Remembers the answers to calls with a request id, so that a repeated call is answered and
/// not done again. A call repeated while the first one is at work gets its answer too. Errors
/// are not remembered: such a call may be tried again. Thread-safe; its mutex is held when the
/// committer's is taken.
class RequestCache {
 public:
  struct Options {
    std::chrono::seconds lifetime{600};
    size_t max_answers = 10'000;
    size_t max_bytes = size_t{64} << 20;  ///< when it is full the oldest answers go
    const Clock* time = &Clock::Real();
    /// Writes the answers to the store and drops them there; null: they are not kept. It may be
    /// made after the cache, and must be there for every call.
    Committer* committer = nullptr;
  };
  explicit RequestCache(Options options) : options_(options) {}

  /// Takes over what was answered before the server was started, the oldest first; before any
  /// call. Wall clocks jump, so all of it lives as long as if it had been answered now; but what
  /// seems to be a week old goes, lest a server that is started again and again keeps it for ever.
  void Remember(std::vector<store::StoredAnswer> answers, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  /// Does `work` unless it was done under this id, and replies with its answer (promise.h).
  /// kInvalidArgument (REQUEST_ID_REUSED) when the id came with another request;
  /// kInvalidArgument, naming "request_id", when it is too long. An empty id is not remembered.
  template <class Request, class Response>
  void Once(absl::string_view method, const Request& request,
            const std::function<void(Promise<Response>)>& work, Reply<Response> reply);

 private:
  template <class Response>
  friend class Promise;
  using Bytes = std::string;  ///< a serialized response
  struct Entry {
    uint64_t fingerprint = 0;
    Clock::Time time;     ///< of the answer
    bool posted = false;  ///< the answer is on its way to the store, or there
    bool answered = false;
    Bytes answer;
    std::vector<Reply<Bytes>> waiting;  ///< until it is answered
    std::list<std::string>::iterator age;
  };

  /// Does not depend on the process.
  static uint64_t Fingerprint(absl::string_view method,
                              const google::protobuf::MessageLite& request);
  void Do(const std::string& id, uint64_t fingerprint, const std::function<void()>& work,
          Reply<Bytes> reply) ABSL_LOCKS_EXCLUDED(mu_);

  // Of the promise.
  Write MakeAnswer(const std::string& id, Bytes answer) ABSL_LOCKS_EXCLUDED(mu_);
  void Settle(const std::string& id, const absl::Status& kept, Bytes answer)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Break(const std::string& id, const absl::Status& why) ABSL_LOCKS_EXCLUDED(mu_);

  void Answer(Entry& entry, const std::string& id, Bytes answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// What is too old, or too much, goes.
  void Forget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// In the order in which the answers come and go.
  void Post(Write write) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  /// Once all that was posted is on disk.
  void Await(Committer::Then then) ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  Mutex mu_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> by_age_ ABSL_GUARDED_BY(mu_);  ///< answered ones, the oldest first
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace prospero::server
