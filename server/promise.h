#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/durability/keeper.h"
#include "server/request_cache.h"
#include "server/store/store.h"

namespace prospero::server {

/// How a call that changes something ends: what it changed and its answer are kept together, and
/// only then it replies. Exactly one of Keep, Settle and Break is called, once, on any thread.
template <class Response>
class Promise {
 public:
  /// Of a call without a request id: its answer is not kept.
  explicit Promise(Reply<Response> reply) : reply_(std::move(reply)) {}

  /// The change is made: `writes` and the answer are kept as one, and the call is answered when
  /// they are on disk. While the disk refuses them it gets kUnavailable (STORAGE_DEGRADED); they
  /// may still be kept later, so a call that is repeated is not done again.
  void Keep(Keeper& keeper, std::vector<Write> writes, Response response) const {
    AddAnswer(response, &writes);
    keeper.Post(std::move(writes));
    keeper.Await([self = *this, response = std::move(response)](const absl::Status& kept) {
      self.Settle(kept, response);
    });
  }

  // The same in two parts, when something else than the keeper hands the writes over.

  /// The answer, to be kept with the writes.
  void AddAnswer(const Response& response, std::vector<Write>* writes) const {
    if (cache_ == nullptr) return;
    writes->push_back(cache_->MakeAnswer(id_, response.SerializeAsString()));
  }
  /// What the disk says to them.
  void Settle(const absl::Status& kept, Response response) const {
    if (cache_ != nullptr) return cache_->Settle(id_, kept, response.SerializeAsString());
    if (!kept.ok()) return reply_(kept);
    reply_(std::move(response));
  }

  /// Nothing was changed, or it was taken back. A call that is repeated is done anew.
  void Break(const absl::Status& why) const {
    if (cache_ != nullptr) return cache_->Break(id_, why);
    reply_(why);
  }

 private:
  friend class RequestCache;
  Promise(RequestCache* cache, std::string id) : cache_(cache), id_(std::move(id)) {}

  RequestCache* cache_ = nullptr;  ///< null: nobody repeats the call
  std::string id_;
  Reply<Response> reply_;
};

template <class Request, class Response>
void RequestCache::Once(absl::string_view method, const Request& request,
                        const std::function<void(Promise<Response>)>& work, Reply<Response> reply) {
  if (request.request_id().empty()) return work(Promise<Response>(std::move(reply)));
  Do(
      request.request_id(), Fingerprint(method, request),
      [&work, this, &request] { work(Promise<Response>(this, request.request_id())); },
      [reply = std::move(reply)](const absl::StatusOr<Bytes>& answer) {
        if (!answer.ok()) return reply(answer.status());
        Response response;
        response.ParseFromString(*answer);
        reply(std::move(response));
      });
}

}  // namespace prospero::server
