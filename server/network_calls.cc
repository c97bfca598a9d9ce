#include "server/network_calls.h"

#include <utility>

#include "server/convert/network.h"
#include "server/convert/variable.h"
#include "server/promise.h"

namespace prospero::server {
namespace {

/// Keeps the network as it is now, and answers with it, after an order has been carried out.
template <class Response>
void Keep(const Record& record, const absl::Status& status, const Promise<Response>& promise) {
  if (!status.ok()) return promise.Break(status);
  Response response;
  *response.mutable_network() = record.Describe();
  promise.Keep(record.keeper(), {record.Row()}, std::move(response));
}

/// Starts or pauses a network, in its turn.
template <class Response>
void Switch(Host& host, const std::string& name, void (Instance::*order)(Instance::Done<Cursor>),
            const Reply<Response>& reply) {
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, name, "name");
  if (!found.ok()) return reply(found.status());
  const absl::Status entered =
      (*found)->changes().Enter([record = *found, order, reply](const Turns::Turn& turn) {
        if (absl::Status status = CheckChange(*record, ""); !status.ok()) return reply(status);
        Instance& instance = record->instance();
        const RunState before = instance.status().state;
        (instance.*order)([record, before, turn, reply](const absl::StatusOr<Cursor>& done) {
          if (done.ok() && record->instance().status().state != before) record->Touch();
          Keep(*record, done.status(), Promise<Response>(reply));
        });
      });
  if (!entered.ok()) reply(entered);
}

void Reset(Host& host, const v1::ResetNetworkRequest& request,
           const Promise<v1::ResetNetworkResponse>& promise) {
  const absl::StatusOr<std::shared_ptr<Record>> found = FindNetwork(host, request.name(), "name");
  if (!found.ok()) return promise.Break(found.status());
  const absl::StatusOr<Scopes> scopes = FromProto(request.scopes());
  if (!scopes.ok()) return promise.Break(scopes.status());
  const absl::optional<uint64_t> seed =
      request.has_seed() ? absl::optional<uint64_t>(request.seed()) : absl::nullopt;
  const absl::Status entered =
      (*found)->changes().Enter([record = *found, scopes = *scopes, seed, etag = request.etag(),
                                 promise](const Turns::Turn& turn) {
        if (absl::Status status = CheckChange(*record, etag); !status.ok()) {
          return promise.Break(status);
        }
        record->instance().Reset(scopes.network, scopes.step, seed,
                                 [record, turn, promise](const absl::StatusOr<Cursor>& done) {
                                   if (done.ok()) record->Touch();
                                   Keep(*record, done.status(), promise);
                                 });
      });
  if (!entered.ok()) promise.Break(entered);
}

}  // namespace

absl::Status CheckChange(const Record& record, absl::string_view etag) {
  if (absl::Status status = record.CheckCurrent(etag); !status.ok()) return status;
  return record.keeper().CheckWritable();
}

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
  v1::GetNetworkResponse response;
  *response.mutable_network() = (*found)->Describe();
  reply(std::move(response));
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
      [&host, &request](const Promise<v1::ResetNetworkResponse>& promise) {
        Reset(host, request, promise);
      },
      std::move(reply));
}

}  // namespace prospero::server
