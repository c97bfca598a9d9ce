#include "server/server_service.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "prospero/v1/server_service.grpc.pb.h"
#include "server/call_log.h"
#include "server/convert/field.h"
#include "server/version.h"

namespace prospero::server {
namespace {

class ServerService final : public v1::ServerService::CallbackService {
 public:
  explicit ServerService(Host* host) : host_(*host) {}

  /// Answers also while the server drains.
  grpc::ServerUnaryReactor* GetServerInfo(grpc::CallbackServerContext* context,
                                          const v1::GetServerInfoRequest* /*request*/,
                                          v1::GetServerInfoResponse* response) override {
    CallLog log(&host_, LogLevel::kDebug, "GetServerInfo", *context);
    Fill(response);
    log.Finish(absl::OkStatus());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  void Fill(v1::GetServerInfoResponse* info) const {
    info->set_product("prosperod");
    info->set_version(Version());
    info->set_api_version("prospero.v1");
    info->set_build(BuildDescription());
    *info->mutable_limits() = ToProto(host_.limits);
    info->mutable_limits()->set_max_realtime_cores(host_.admission.max_cores());
    for (const ModelKind& kind : host_.kinds) {
      auto* wire = info->add_model_kinds();
      wire->set_name(kind.name);
      wire->set_summary(kind.summary);
    }
    *info->mutable_start_time() = ToProto(host_.start_time);
    info->set_network_count(host_.catalog.size());
    info->set_workers(host_.scheduler->workers());
    FillStorage(info->mutable_storage());
  }

  void FillStorage(v1::ServerStorage* storage) const {
    storage->set_ephemeral(host_.storage.ephemeral);
    storage->set_default_durability(DefaultDurability(host_.storage));
    *storage->mutable_group_commit() = google::protobuf::util::TimeUtil::NanosecondsToDuration(
        absl::ToInt64Nanoseconds(host_.storage.group_commit));
    storage->set_degraded(!host_.committer.status().ok());
    const Recovery::Counts networks = host_.recovery.counts();
    storage->set_networks_found(networks.found);
    storage->set_networks_recovered(networks.recovered);
    storage->set_networks_damaged(networks.damaged);
  }

  Host& host_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeServerService(Host* host) {
  return std::make_unique<ServerService>(host);
}

}  // namespace prospero::server
