#include "tests/bench/local_server.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "prospero/v1/network_service.grpc.pb.h"
#include "server/models/gle.h"

namespace prospero::server {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

v1::NetworkSpec ChainSpec(const std::vector<int64_t>& sizes) {
  v1::NetworkSpec spec;
  spec.set_dt_ms(0.1);
  v1::Plasticity plasticity;
  plasticity.mutable_sgd();
  plasticity.set_learning_rate(1e-5);
  for (size_t k = 0; k < sizes.size(); ++k) {
    v1::GlePopulation* const population = spec.mutable_gle()->add_populations();
    population->set_name(absl::StrCat("p", k));
    population->set_size(sizes[k]);
    population->set_role(k == 0                  ? v1::GlePopulation::ROLE_INPUT
                         : k + 1 == sizes.size() ? v1::GlePopulation::ROLE_OUTPUT
                                                 : v1::GlePopulation::ROLE_HIDDEN);
    if (k == 0) continue;
    population->set_activation(v1::ACTIVATION_TANH);
    population->add_tau_m_ms(1.0);
    population->add_tau_r_ms(0.1);
    *population->mutable_bias()->mutable_plasticity() = plasticity;
    v1::GleProjection* const projection = spec.mutable_gle()->add_projections();
    projection->set_pre(absl::StrCat("p", k - 1));
    projection->set_post(absl::StrCat("p", k));
    *projection->mutable_plasticity() = plasticity;
  }
  return spec;
}

}  // namespace

LocalServer::LocalServer(int workers) {
  StorageOptions storage;
  storage.ephemeral = true;
  Start(workers, std::move(storage));
}

LocalServer::LocalServer(const std::string& data_dir) {
  StorageOptions storage;
  storage.data_dir = data_dir;
  Start(0, std::move(storage));
}

void LocalServer::Start(int workers, StorageOptions storage) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as prosperod
  Logger::Options quiet;
  quiet.level = LogLevel::kWarning;
  log_ = *Logger::Make(quiet);
  Server::Options options;
  options.listen = "127.0.0.1:0";
  options.kinds = {GleKind()};
  options.log = log_.get();
  options.workers = workers;
  options.storage = std::move(storage);
  server_ = *Server::Start(std::move(options));
}

void LocalServer::ShutDown() {
  if (!server_->Drain(absl::Minutes(1))) Die("the server does not end");
}

void LocalServer::MakeChain(const std::string& id, const std::vector<int64_t>& sizes,
                            v1::Durability durability) {
  v1::CreateNetworkRequest request;
  request.set_network_id(id);
  *request.mutable_network()->mutable_spec() = ChainSpec(sizes);
  request.mutable_network()->set_durability(durability);
  grpc::ClientContext context;
  v1::CreateNetworkResponse response;
  const grpc::Status status =
      v1::NetworkService::NewStub(Connect(address()))->CreateNetwork(&context, request, &response);
  if (!status.ok()) Die(status.error_message());
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

DriveStream::DriveStream(const std::string& address, const v1::DriveAttach& attach)
    : stub_(v1::SimulationService::NewStub(Connect(address))), stream_(stub_->Drive(&context_)) {
  v1::DriveRequest request;
  *request.mutable_attach() = attach;
  Write(request);
  v1::DriveResponse response;
  Read(&response);
  if (!response.has_attached()) Die("not attached");
  attached_ = response.attached();
}

DriveStream::~DriveStream() {
  stream_->WritesDone();
  stream_->Finish();
}

void DriveStream::Write(const v1::DriveRequest& request) {
  if (!stream_->Write(request)) Die("the stream is broken");
}

void DriveStream::Read(v1::DriveResponse* response) {
  if (!stream_->Read(response)) Die(stream_->Finish().error_message());
  if (response->has_error()) Die(response->error().status().message());
}

}  // namespace prospero::server
