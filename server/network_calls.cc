#include "server/network_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/convert/network.h"
#include "server/convert/variable.h"

namespace prospero::server {
namespace {

/// Answers with the resource, after an order has been carried out.
template <class Response>
void Answer(const Record& record, const absl::Status& status, const Reply<Response>& reply) {
  if (!status.ok()) return reply(status);
  Response response;
  *response.mutable_network() = record.Describe();
  reply(std::move(response));
}

/// Starts or pauses a network, in its turn.
template <class Response>
void Switch(Host& host, const std::string& name, void (Instance::*order)(Instance::Done<Cursor>),
            const Reply<Response>& reply) {
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, name, "name");
  if (!found.ok()) return reply(found.status());
  const absl::Status entered =
      (*found)->changes().Enter([record = *found, order, reply](const Turns::Turn& turn) {
        if (absl::Status status = record->CheckCurrent(""); !status.ok()) return reply(status);
        Instance& instance = record->instance();
        const RunState before = instance.status().state;
        (instance.*order)([record, before, turn, reply](const absl::StatusOr<Cursor>& done) {
          if (done.ok() && record->instance().status().state != before) record->Touch();
          Answer(*record, done.status(), reply);
        });
      });
  if (!entered.ok()) reply(entered);
}

void Reset(Host& host, const v1::ResetNetworkRequest& request,
           const Reply<v1::ResetNetworkResponse>& reply) {
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return reply(found.status());
  const absl::StatusOr<Scopes> scopes = FromProto(request.scopes());
  if (!scopes.ok()) return reply(scopes.status());
  const absl::optional<uint64_t> seed =
      request.has_seed() ? absl::optional<uint64_t>(request.seed()) : absl::nullopt;
  const absl::Status entered =
      (*found)->changes().Enter([record = *found, scopes = *scopes, seed, etag = request.etag(),
                                 reply](const Turns::Turn& turn) {
        if (absl::Status status = record->CheckCurrent(etag); !status.ok()) return reply(status);
        record->instance().Reset(scopes.network, scopes.step, seed,
                                 [record, turn, reply](const absl::StatusOr<Cursor>& done) {
                                   if (done.ok()) record->Touch();
                                   Answer(*record, done.status(), reply);
                                 });
      });
  if (!entered.ok()) reply(entered);
}

absl::Status Deleted(absl::string_view id) {
  return WithMetadata(Error(absl::StatusCode::kAborted, "NETWORK_DELETED",
                            absl::StrCat("the network \"", NameOf(id), "\" was deleted")),
                      "network", NameOf(id));
}

/// Removes a network, in its turn, and ends it where that may wait.
void Remove(Host& host, const std::shared_ptr<Record>& record, const Turns::Turn& turn,
            const Reply<v1::DeleteNetworkResponse>& reply) {
  record->MarkDeleted();
  host.catalog.Remove(record->id());
  host.control.Post([record, turn, reply] {
    record->instance().End(Deleted(record->id()));
    reply(v1::DeleteNetworkResponse());
  });
}

void Delete(Host& host, const v1::DeleteNetworkRequest& request,
            const Reply<v1::DeleteNetworkResponse>& reply) {
  const auto answer = [allow_missing = request.allow_missing(), reply](const absl::Status& status) {
    if (allow_missing && absl::IsNotFound(status)) return reply(v1::DeleteNetworkResponse());
    reply(status);
  };
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return answer(found.status());
  const absl::Status entered = (*found)->changes().Enter(
      [&host, record = *found, etag = request.etag(), answer, reply](const Turns::Turn& turn) {
        if (absl::Status status = record->CheckCurrent(etag); !status.ok()) return answer(status);
        Remove(host, record, turn, reply);
      });
  if (!entered.ok()) answer(entered);
}

}  // namespace

absl::StatusOr<std::shared_ptr<Record>> FindNetwork(const Host& host, absl::string_view name,
                                                    absl::string_view path) {
  const absl::StatusOr<std::string> id = IdOf(name, path);
  if (!id.ok()) return id.status();
  return host.catalog.Find(*id);
}

void GetNetwork(Host& host, const v1::GetNetworkRequest& request,
                Reply<v1::GetNetworkResponse> reply) {
  if (const absl::StatusOr<std::string> id = IdOf(request.name(), "name"); id.ok()) {
    if (const auto pending = host.catalog.FindPending(*id); pending != nullptr) {
      v1::GetNetworkResponse response;
      *response.mutable_network() = pending->Describe();
      return reply(std::move(response));
    }
  }
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return reply(found.status());
  Answer(**found, absl::OkStatus(), reply);
}

void GetNetworkSchema(Host& host, const v1::GetNetworkSchemaRequest& request,
                      Reply<v1::GetNetworkSchemaResponse> reply) {
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return reply(found.status());
  const VariableTable& table = (*found)->instance().variables();
  v1::GetNetworkSchemaResponse response;
  for (int i = 0; i < table.size(); ++i) *response.add_variables() = ToProto(table[i], i);
  reply(std::move(response));
}

void StartNetwork(Host& host, const v1::StartNetworkRequest& request,
                  Reply<v1::StartNetworkResponse> reply) {
  Switch(host, request.name(), &Instance::Start, reply);
}

void PauseNetwork(Host& host, const v1::PauseNetworkRequest& request,
                  Reply<v1::PauseNetworkResponse> reply) {
  Switch(host, request.name(), &Instance::Pause, reply);
}

void ResetNetwork(Host& host, const v1::ResetNetworkRequest& request,
                  Reply<v1::ResetNetworkResponse> reply) {
  host.requests.Once<v1::ResetNetworkRequest, v1::ResetNetworkResponse>(
      "ResetNetwork", request,
      [&host, &request](const Reply<v1::ResetNetworkResponse>& done) {
        Reset(host, request, done);
      },
      std::move(reply));
}

void DeleteNetwork(Host& host, const v1::DeleteNetworkRequest& request,
                   Reply<v1::DeleteNetworkResponse> reply) {
  host.requests.Once<v1::DeleteNetworkRequest, v1::DeleteNetworkResponse>(
      "DeleteNetwork", request,
      [&host, &request](const Reply<v1::DeleteNetworkResponse>& done) {
        Delete(host, request, done);
      },
      std::move(reply));
}

}  // namespace prospero::server
