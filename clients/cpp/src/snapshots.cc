#include "prospero/client/snapshots.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "connection.h"
#include "prospero/client/error.h"
#include "prospero/client/network.h"

namespace prospero::client {
namespace {

using Stub = v1::StateService::Stub;

/// The whole name, from that or from the id alone.
std::string SnapshotName(const std::string& network, const std::string& snapshot) {
  return absl::StrContains(snapshot, '/') ? snapshot
                                          : absl::StrCat(network, "/snapshots/", snapshot);
}

/// The connection or the server has gone, and may come back.
bool IsBroken(const absl::Status& status) {
  if (absl::IsUnavailable(status)) return true;
  const bool by_grpc = absl::IsCancelled(status) || absl::IsInternal(status) ||
                       absl::IsUnknown(status) || absl::IsDeadlineExceeded(status);
  return by_grpc && Reason(status).empty();
}

/// Writes what comes from `offset` on, which it moves. OK at the end of the file.
absl::Status Download(const Connection& connection, const std::string& name, int64_t* offset,
                      std::ofstream& file) {
  grpc::ClientContext context;
  v1::ExportSnapshotRequest request;
  request.set_name(name);
  request.set_offset(*offset);
  const auto stream = connection.state->ExportSnapshot(&context, request);
  v1::ExportSnapshotResponse chunk;
  bool wrote = true;
  while (wrote && stream->Read(&chunk)) {
    const auto count = static_cast<std::streamsize>(chunk.data().size());
    wrote = static_cast<bool>(file.write(chunk.data().data(), count));
    *offset += count;
  }
  if (!wrote) context.TryCancel();
  const grpc::Status end = stream->Finish();
  if (!wrote) return absl::ResourceExhaustedError("the file cannot be written");
  return end.ok() ? absl::OkStatus() : ToStatus(end);
}

absl::Status DownloadAll(const Connection& connection, const std::string& name, std::ofstream& file,
                         absl::Duration patience) {
  int64_t offset = 0;
  int64_t before = 0;
  absl::Time moved_at = absl::Now();
  absl::Duration pause = absl::Milliseconds(100);
  for (;;) {
    const absl::Status status = Download(connection, name, &offset, file);
    if (status.ok() || !IsBroken(status)) return status;
    if (offset > before) {
      before = offset;
      moved_at = absl::Now();
      pause = absl::Milliseconds(100);
    }
    if (absl::Now() - moved_at > patience) return status;
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(pause));
    pause = std::min(2 * pause, absl::Seconds(5));
  }
}

}  // namespace

absl::StatusOr<v1::Snapshot> Network::CreateSnapshot(const SnapshotOptions& options) const {
  v1::CreateSnapshotRequest request;
  request.set_network(name_);
  request.set_snapshot_id(options.id);
  request.set_description(options.description);
  request.set_request_id(NewRequestId());
  if (options.ttl.has_value()) *request.mutable_ttl() = ToProto(*options.ttl);
  auto response = Call(*connection_, *connection_->state, &Stub::CreateSnapshot, request,
                       options.timeout.value_or(connection_->call_timeout));
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_snapshot());
}

absl::StatusOr<std::vector<v1::Snapshot>> Network::ListSnapshots() const {
  std::vector<v1::Snapshot> result;
  v1::ListSnapshotsRequest request;
  request.set_network(name_);
  do {
    auto page = Call(*connection_, *connection_->state, &Stub::ListSnapshots, request);
    if (!page.ok()) return page.status();
    for (auto& snapshot : *page->mutable_snapshots()) result.push_back(std::move(snapshot));
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return result;
}

absl::Status Network::DeleteSnapshot(const std::string& snapshot) const {
  v1::DeleteSnapshotRequest request;
  request.set_name(SnapshotName(name_, snapshot));
  request.set_request_id(NewRequestId());
  return Call(*connection_, *connection_->state, &Stub::DeleteSnapshot, request).status();
}

absl::StatusOr<v1::Network> Network::Restore(const std::string& snapshot) const {
  v1::RestoreSnapshotRequest request;
  request.set_name(SnapshotName(name_, snapshot));
  request.set_request_id(NewRequestId());
  auto response = Call(*connection_, *connection_->state, &Stub::RestoreSnapshot, request);
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_network());
}

absl::Status Network::Export(const std::string& snapshot, const std::string& path,
                             const ExportOptions& options) const {
  const std::string aside = path + ".part";
  std::ofstream file(aside, std::ios::binary | std::ios::trunc);
  if (!file) return absl::FailedPreconditionError(absl::StrCat("cannot write '", aside, "'"));
  absl::Status status =
      DownloadAll(*connection_, SnapshotName(name_, snapshot), file, options.patience);
  file.close();
  if (status.ok() && !file) status = absl::ResourceExhaustedError("the file cannot be written");
  if (status.ok() && std::rename(aside.c_str(), path.c_str()) == 0) return status;
  std::remove(aside.c_str());
  if (!status.ok()) return status;
  return absl::FailedPreconditionError(absl::StrCat("cannot write '", path, "'"));
}

}  // namespace prospero::client
