#pragma once

#include "prospero/v1/state_service.pb.h"
#include "server/host.h"
#include "server/request_cache.h"

namespace prospero::server {

// The unary calls of v1::StateService, as its comments say, without gRPC. Each replies once, on any
// thread; until then the request must live.

void CreateSnapshot(Host& host, const v1::CreateSnapshotRequest& request,
                    Reply<v1::CreateSnapshotResponse> reply);
void GetSnapshot(Host& host, const v1::GetSnapshotRequest& request,
                 Reply<v1::GetSnapshotResponse> reply);
void ListSnapshots(Host& host, const v1::ListSnapshotsRequest& request,
                   Reply<v1::ListSnapshotsResponse> reply);
void DeleteSnapshot(Host& host, const v1::DeleteSnapshotRequest& request,
                    Reply<v1::DeleteSnapshotResponse> reply);
void RestoreSnapshot(Host& host, const v1::RestoreSnapshotRequest& request,
                     Reply<v1::RestoreSnapshotResponse> reply);
void GetUpload(Host& host, const v1::GetUploadRequest& request, Reply<v1::GetUploadResponse> reply);

/// A snapshot and its network.
struct FoundSnapshot {
  std::shared_ptr<Record> record;
  std::string id;
  store::StoredSnapshot row;
};
/// The snapshot of a resource name. kInvalidArgument, naming `path`; kNotFound.
absl::StatusOr<FoundSnapshot> FindSnapshot(const Host& host, absl::string_view name,
                                           absl::string_view path);

}  // namespace prospero::server
