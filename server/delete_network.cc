#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/durability/durability.h"
#include "server/network_calls.h"
#include "server/promise.h"

namespace prospero::server {
namespace {

using Response = v1::DeleteNetworkResponse;

absl::Status Deleted(absl::string_view id) {
  return WithMetadata(Error(absl::StatusCode::kAborted, "NETWORK_DELETED",
                            absl::StrCat("the network \"", NameOf(id), "\" was deleted")),
                      "network", NameOf(id));
}

/// Drops what is kept of a network, and answers.
void Drop(Host& host, const std::string& uid, const Promise<Response>& promise) {
  std::vector<Write> writes = {DropNetwork{uid}};
  promise.AddAnswer(Response(), &writes);
  host.committer.Post(std::move(writes));
  host.committer.Await([&host, uid, promise](const absl::Status& dropped) {
    if (dropped.ok()) RemoveBlobsLater(host, uid);
    promise.Settle(dropped, Response());
  });
}

/// Removes a network, in its turn, and ends it where that may wait. When it is dropped nothing is
/// written for it any more, neither a journal nor a checkpoint that was on its way.
void Remove(Host& host, const std::shared_ptr<Record>& record, bool force, const Turns::Turn& turn,
            const Promise<Response>& promise) {
  const absl::Status entered =
      record->checkpoints().Enter([&host, record, force, turn, promise](const Turns::Turn& last) {
        const absl::Status closed = record->shelf().Close(force);
        if (!closed.ok()) return promise.Break(closed);
        record->MarkDeleted();
        host.catalog.Remove(record->id());
        host.recovery.Forget(*record);
        host.control.Post([&host, record, turn, promise, last] {
          record->instance().End(Deleted(record->id()));
          Drop(host, record->uid(), promise);
        });
      });
  if (!entered.ok()) promise.Break(entered);
}

/// Of a network that is damaged there is nothing but its name.
void RemoveDamaged(Host& host, const std::string& id, const Pending& damaged,
                   const Promise<Response>& promise) {
  if (absl::Status status = host.committer.status(); !status.ok()) return promise.Break(status);
  host.catalog.Remove(id);
  Drop(host, damaged.uid(), promise);
}

void Delete(Host& host, const v1::DeleteNetworkRequest& request, const Promise<Response>& promise) {
  const auto fail = [&host, allow_missing = request.allow_missing(),
                     promise](const absl::Status& status) {
    if (!allow_missing || !absl::IsNotFound(status)) return promise.Break(status);
    std::vector<Write> writes;
    promise.AddAnswer(Response(), &writes);
    host.committer.Post(std::move(writes));
    host.committer.Await([promise](const absl::Status& kept) { promise.Settle(kept, Response()); });
  };
  const absl::StatusOr<std::string> id = IdOf(request.name(), "name");
  if (!id.ok()) return fail(id.status());
  if (const auto pending = host.catalog.FindPending(*id);
      pending != nullptr && pending->condemned()) {
    return RemoveDamaged(host, *id, *pending, promise);
  }
  const absl::StatusOr<std::shared_ptr<Record>> found = host.catalog.Find(*id);
  if (!found.ok()) return fail(found.status());
  const absl::Status entered =
      (*found)->changes().Enter([&host, record = *found, etag = request.etag(),
                                 force = request.force(), fail, promise](const Turns::Turn& turn) {
        if (absl::Status status = CheckChange(*record, etag); !status.ok()) return fail(status);
        Remove(host, record, force, turn, promise);
      });
  if (!entered.ok()) fail(entered);
}

}  // namespace

void DeleteNetwork(Host& host, const v1::DeleteNetworkRequest& request, Reply<Response> reply) {
  host.requests.Once<v1::DeleteNetworkRequest, Response>(
      "DeleteNetwork", request,
      [&host, &request](const Promise<Response>& promise) { Delete(host, request, promise); },
      std::move(reply));
}

}  // namespace prospero::server
