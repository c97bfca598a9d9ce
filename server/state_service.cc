#include "server/state_service.h"

#include "prospero/v1/state_service.grpc.pb.h"
#include "server/convert/snapshot.h"
#include "server/export_session.h"
#include "server/import_session.h"
#include "server/snapshot_calls.h"
#include "server/unary.h"

namespace prospero::server {
namespace {

class StateService final : public v1::StateService::CallbackService {
 public:
  explicit StateService(Host* host) : host_(*host) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateSnapshot(Context* context, const v1::CreateSnapshotRequest* request,
                          v1::CreateSnapshotResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "CreateSnapshot", request->network(), context, request,
                  response, server::CreateSnapshot);
  }
  Reactor* GetSnapshot(Context* context, const v1::GetSnapshotRequest* request,
                       v1::GetSnapshotResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "GetSnapshot", NetworkPart(request->name()), context,
                  request, response, server::GetSnapshot);
  }
  Reactor* ListSnapshots(Context* context, const v1::ListSnapshotsRequest* request,
                         v1::ListSnapshotsResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "ListSnapshots", request->network(), context, request,
                  response, server::ListSnapshots);
  }
  Reactor* DeleteSnapshot(Context* context, const v1::DeleteSnapshotRequest* request,
                          v1::DeleteSnapshotResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "DeleteSnapshot", NetworkPart(request->name()), context,
                  request, response, server::DeleteSnapshot);
  }
  Reactor* RestoreSnapshot(Context* context, const v1::RestoreSnapshotRequest* request,
                           v1::RestoreSnapshotResponse* response) override {
    return Answer(host_, LogLevel::kInfo, "RestoreSnapshot", NetworkPart(request->name()), context,
                  request, response, server::RestoreSnapshot);
  }
  grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* ExportSnapshot(
      Context* context, const v1::ExportSnapshotRequest* request) override {
    return MakeExportSession(&host_, context, *request);
  }
  grpc::ServerReadReactor<v1::ImportSnapshotRequest>* ImportSnapshot(
      Context* context, v1::ImportSnapshotResponse* response) override {
    return MakeImportSession(&host_, context, response);
  }
  Reactor* GetUpload(Context* context, const v1::GetUploadRequest* request,
                     v1::GetUploadResponse* response) override {
    return Answer(host_, LogLevel::kDebug, "GetUpload", request->network(), context, request,
                  response, server::GetUpload);
  }

 private:
  Host& host_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeStateService(Host* host) {
  return std::make_unique<StateService>(host);
}

}  // namespace prospero::server
