#include "server/simulation_service.h"

#include "prospero/v1/simulation_service.grpc.pb.h"
#include "server/drive_session.h"
#include "server/feed_session.h"
#include "server/step_call.h"
#include "server/subscribe_session.h"

namespace prospero::server {
namespace {

/// Subscribe and Watch answer with bytes that many streams share.
using Methods = v1::SimulationService::WithCallbackMethod_Drive<
    v1::SimulationService::WithCallbackMethod_Step<v1::SimulationService::WithCallbackMethod_Feed<
        v1::SimulationService::WithRawCallbackMethod_Subscribe<
            v1::SimulationService::WithRawCallbackMethod_Watch<v1::SimulationService::Service>>>>>;

class SimulationService final : public Methods {
 public:
  explicit SimulationService(Host* host) : host_(host) {}

  using Context = grpc::CallbackServerContext;

  grpc::ServerBidiReactor<v1::DriveRequest, v1::DriveResponse>* Drive(Context* context) override {
    return MakeDriveSession(host_, context);
  }
  grpc::ServerUnaryReactor* Step(Context* context, const v1::StepRequest* request,
                                 v1::StepResponse* response) override {
    return MakeStepCall(host_, context, *request, response);
  }
  grpc::ServerReadReactor<v1::FeedRequest>* Feed(Context* context,
                                                 v1::FeedResponse* response) override {
    return MakeFeedSession(host_, context, response);
  }
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Subscribe(
      Context* context) override {
    return MakeSubscribeSession(host_, context);
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(Context* context,
                                                    const grpc::ByteBuffer* request) override {
    return MakeWatchSession(host_, context, *request);
  }

 private:
  Host* const host_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSimulationService(Host* host) {
  return std::make_unique<SimulationService>(host);
}

}  // namespace prospero::server
