#include "server/snapshot_calls.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"
#include "server/convert/field.h"
#include "server/convert/network.h"
#include "server/convert/snapshot.h"
#include "server/network_calls.h"
#include "server/page_token.h"
#include "server/promise.h"
#include "server/snapshots.h"
#include "server/uploads.h"

namespace prospero::server {
namespace {

constexpr int32_t kDefaultPage = 50;
constexpr int32_t kMaxPage = 1000;
constexpr absl::string_view kSeqPrefix = "s-";

absl::StatusOr<SnapshotWish> ReadWish(const v1::CreateSnapshotRequest& request) {
  SnapshotWish wish;
  if (!request.snapshot_id().empty()) {
    absl::Status status = CheckId(request.snapshot_id(), "snapshot_id");
    if (!status.ok()) return status;
  }
  absl::Status status = CheckDescription(request.description(), "description");
  if (!status.ok()) return status;
  if (request.has_ttl()) {
    const absl::StatusOr<absl::Duration> ttl = ReadTtl(request.ttl(), "ttl");
    if (!ttl.ok()) return ttl.status();
    wish.ttl = *ttl;
  }
  wish.id = request.snapshot_id();
  wish.description = request.description();
  return wish;
}

void Create(Host& host, const v1::CreateSnapshotRequest& request,
            const Promise<v1::CreateSnapshotResponse>& promise) {
  const absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host, request.network(), "network");
  if (!record.ok()) return promise.Break(record.status());
  absl::StatusOr<SnapshotWish> wish = ReadWish(request);
  if (!wish.ok()) return promise.Break(wish.status());
  const auto answer = [](const v1::Snapshot& snapshot) {
    v1::CreateSnapshotResponse response;
    *response.mutable_snapshot() = snapshot;
    return response;
  };
  wish->with = [promise, answer](const v1::Snapshot& snapshot, std::vector<Write>* writes) {
    promise.AddAnswer(answer(snapshot), writes);
  };
  KeepSnapshot(host, *record, *std::move(wish),
               [promise, answer](const absl::StatusOr<v1::Snapshot>& snapshot) {
                 if (!snapshot.ok()) return promise.Break(snapshot.status());
                 promise.Settle(absl::OkStatus(), answer(*snapshot));
               });
}

void Delete(Host& host, const v1::DeleteSnapshotRequest& request,
            const Promise<v1::DeleteSnapshotResponse>& promise) {
  const v1::DeleteSnapshotResponse response;
  std::vector<Write> writes;
  const auto settle = [promise, response](const absl::Status& kept) {
    promise.Settle(kept, response);
  };
  const absl::StatusOr<FoundSnapshot> found = FindSnapshot(host, request.name(), "name");
  absl::Status status = found.status();
  if (found.ok()) {
    promise.AddAnswer(response, &writes);
    status = RemoveSnapshot(host, found->record, found->id, std::move(writes), settle);
    writes.clear();
  }
  if (status.ok()) return;
  if (!request.allow_missing() || !absl::IsNotFound(status)) return promise.Break(status);
  promise.AddAnswer(response, &writes);
  host.committer.Post(std::move(writes));
  host.committer.Await(settle);
}

/// Where a list goes on: behind the snapshot with this number.
absl::StatusOr<int64_t> ReadToken(const v1::ListSnapshotsRequest& request) {
  const absl::StatusOr<std::string> after = ReadPageToken(request.page_token(), request.network());
  if (!after.ok()) return after.status();
  if (after->empty()) return std::numeric_limits<int64_t>::max();
  int64_t seq = 0;
  absl::string_view digits = *after;
  if (absl::ConsumePrefix(&digits, kSeqPrefix) && absl::SimpleAtoi(digits, &seq)) return seq;
  return InvalidField("page_token", "must be a next_page_token of a list of the same network");
}

absl::StatusOr<v1::ListSnapshotsResponse> List(const Host& host,
                                               const v1::ListSnapshotsRequest& request) {
  const absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host, request.network(), "network");
  if (!record.ok()) return record.status();
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat("must be >= 0, got ", request.page_size()));
  }
  const absl::StatusOr<int64_t> before = ReadToken(request);
  if (!before.ok()) return before.status();
  const auto wanted = static_cast<size_t>(
      request.page_size() == 0 ? kDefaultPage : std::min(request.page_size(), kMaxPage));
  v1::ListSnapshotsResponse response;
  const auto room = static_cast<size_t>(host.limits.max_message_bytes / 2);
  size_t bytes = 0;
  int64_t last = 0;
  for (const store::StoredSnapshot& row : (*record)->shelf().Before(*before, wanted + 1)) {
    const auto listed = static_cast<size_t>(response.snapshots_size());
    if (listed == wanted || (listed > 0 && bytes > room)) {
      response.set_next_page_token(
          MakePageToken(absl::StrCat(kSeqPrefix, last), request.network()));
      break;
    }
    *response.add_snapshots() = row.snapshot();
    bytes += row.ByteSizeLong();
    last = row.seq();
  }
  return response;
}

/// Whether the file is what was written is noted by LoadSnapshot.
void Verify(Host& host, const FoundSnapshot& found, const Reply<v1::GetSnapshotResponse>& reply) {
  host.control.Post([&host, found, reply] {
    const absl::StatusOr<LoadedSnapshot> loaded = LoadSnapshot(host, *found.record, found.row);
    if (!loaded.ok() && !absl::IsDataLoss(loaded.status())) return reply(loaded.status());
    const absl::StatusOr<store::StoredSnapshot> row = found.record->shelf().Find(found.id);
    if (!row.ok()) return reply(row.status());
    v1::GetSnapshotResponse response;
    *response.mutable_snapshot() = row->snapshot();
    reply(std::move(response));
  });
}

}  // namespace

absl::StatusOr<FoundSnapshot> FindSnapshot(const Host& host, absl::string_view name,
                                           absl::string_view path) {
  const absl::StatusOr<SnapshotIds> ids = SnapshotIdsOf(name, path);
  if (!ids.ok()) return ids.status();
  absl::StatusOr<std::shared_ptr<Record>> record = host.catalog.Find(ids->network);
  if (!record.ok()) return record.status();
  absl::StatusOr<store::StoredSnapshot> row = (*record)->shelf().Find(ids->snapshot);
  if (!row.ok()) return row.status();
  return FoundSnapshot{*std::move(record), ids->snapshot, *std::move(row)};
}

void CreateSnapshot(Host& host, const v1::CreateSnapshotRequest& request,
                    Reply<v1::CreateSnapshotResponse> reply) {
  host.requests.Once<v1::CreateSnapshotRequest, v1::CreateSnapshotResponse>(
      "CreateSnapshot", request,
      [&host, &request](const Promise<v1::CreateSnapshotResponse>& promise) {
        Create(host, request, promise);
      },
      std::move(reply));
}

void GetSnapshot(Host& host, const v1::GetSnapshotRequest& request,
                 Reply<v1::GetSnapshotResponse> reply) {
  const absl::StatusOr<FoundSnapshot> found = FindSnapshot(host, request.name(), "name");
  if (!found.ok()) return reply(found.status());
  if (request.verify()) return Verify(host, *found, reply);
  v1::GetSnapshotResponse response;
  *response.mutable_snapshot() = found->row.snapshot();
  reply(std::move(response));
}

void ListSnapshots(Host& host, const v1::ListSnapshotsRequest& request,
                   Reply<v1::ListSnapshotsResponse> reply) {
  reply(List(host, request));
}

void DeleteSnapshot(Host& host, const v1::DeleteSnapshotRequest& request,
                    Reply<v1::DeleteSnapshotResponse> reply) {
  host.requests.Once<v1::DeleteSnapshotRequest, v1::DeleteSnapshotResponse>(
      "DeleteSnapshot", request,
      [&host, &request](const Promise<v1::DeleteSnapshotResponse>& promise) {
        Delete(host, request, promise);
      },
      std::move(reply));
}

void GetUpload(Host& host, const v1::GetUploadRequest& request,
               Reply<v1::GetUploadResponse> reply) {
  const absl::StatusOr<std::shared_ptr<Record>> record =
      FindNetwork(host, request.network(), "network");
  if (!record.ok()) return reply(record.status());
  if (absl::Status status = CheckUploadId(request.upload_id(), "upload_id"); !status.ok()) {
    return reply(status);
  }
  host.errands.Post([&host, record = *record, id = request.upload_id(), reply] {
    const absl::StatusOr<Upload::Extent> extent = Upload(&host, record.get(), id).Find();
    if (!extent.ok()) return reply(WithMetadata(extent.status(), "upload", id));
    v1::GetUploadResponse response;
    response.set_received_bytes(extent->received);
    response.set_size_bytes(extent->size);
    reply(response);
  });
}

}  // namespace prospero::server
