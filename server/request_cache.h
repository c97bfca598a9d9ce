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

namespace prospero::server {

/// Answers a call: once, on any thread.
template <class Response>
using Reply = std::function<void(absl::StatusOr<Response>)>;

/// Remembers the answers to calls with a request id, so that a repeated call is answered and
/// not done again. A call repeated while the first one is at work gets its answer too. Errors
/// are not remembered: such a call may be tried again. Thread-safe; its mutex is a leaf.
class RequestCache {
 public:
  struct Options {
    std::chrono::seconds lifetime{600};
    size_t max_answers = 10'000;
    size_t max_bytes = size_t{64} << 20;  ///< when it is full the oldest answers go
    const Clock* time = &Clock::Real();
  };
  explicit RequestCache(Options options) : options_(options) {}

  /// Does `work` unless it was done under this id, and replies with its answer.
  /// kInvalidArgument (REQUEST_ID_REUSED) when the id came with another request;
  /// kInvalidArgument, naming "request_id", when it is too long. An empty id is not remembered.
  template <class Request, class Response>
  void Once(absl::string_view method, const Request& request,
            const std::function<void(Reply<Response>)>& work, Reply<Response> reply);

 private:
  using Bytes = std::string;  ///< a serialized response
  struct Entry {
    uint64_t fingerprint = 0;
    Clock::Time time;  ///< of the answer
    bool answered = false;
    Bytes answer;
    std::vector<Reply<Bytes>> waiting;  ///< until it is answered
    std::list<std::string>::iterator age;
  };

  static uint64_t Fingerprint(absl::string_view method,
                              const google::protobuf::MessageLite& request);
  void Do(const std::string& id, uint64_t fingerprint,
          const std::function<void(Reply<Bytes>)>& work, Reply<Bytes> reply)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Finish(const std::string& id, const absl::StatusOr<Bytes>& answer) ABSL_LOCKS_EXCLUDED(mu_);
  void Forget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  Mutex mu_;
  std::unordered_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);
  std::list<std::string> by_age_ ABSL_GUARDED_BY(mu_);  ///< answered ones, the oldest first
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

template <class Request, class Response>
void RequestCache::Once(absl::string_view method, const Request& request,
                        const std::function<void(Reply<Response>)>& work, Reply<Response> reply) {
  if (request.request_id().empty()) return work(std::move(reply));
  Do(
      request.request_id(), Fingerprint(method, request),
      [&work](Reply<Bytes> done) {
        work([done = std::move(done)](absl::StatusOr<Response> response) {
          if (!response.ok()) return done(response.status());
          done(response->SerializeAsString());
        });
      },
      [reply = std::move(reply)](const absl::StatusOr<Bytes>& answer) {
        if (!answer.ok()) return reply(answer.status());
        Response response;
        response.ParseFromString(*answer);
        reply(std::move(response));
      });
}

}  // namespace prospero::server
