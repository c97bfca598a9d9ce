#include "tests/server/support.h"

#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "server/convert/network.h"
#include "server/models/gle.h"
#include "server/models/latent_equilibrium.h"
#include "server/models/microcircuit.h"

namespace prospero::server {
namespace {

void SetPlasticity(v1::Plasticity* plasticity, double learning_rate) {
  plasticity->set_learning_rate(learning_rate);
}

v1::GlePopulation* AddPopulation(v1::GleSpec* spec, const std::string& name, int64_t size,
                                 v1::GlePopulation::Role role) {
  v1::GlePopulation* population = spec->add_populations();
  population->set_name(name);
  population->set_size(size);
  population->set_role(role);
  if (role == v1::GlePopulation::ROLE_INPUT) return population;
  population->set_activation(v1::ACTIVATION_TANH);
  population->add_tau_m_ms(1.0);
  population->add_tau_r_ms(0.5);
  population->set_gamma(0.5);
  SetPlasticity(population->mutable_bias()->mutable_plasticity(), 0.01);
  return population;
}

testing::AssertionResult Compare(grpc::StatusCode code, const std::string& message,
                                 const Details& details, grpc::StatusCode wanted_code,
                                 const std::string& reason, const std::string& field) {
  if (code == wanted_code && details.reason == reason && details.field == field) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "code " << code << ", reason '" << details.reason
                                     << "', field '" << details.field << "': " << message;
}

}  // namespace

TestServer::TestServer(const std::function<void(Server::Options&)>& change) {
  Logger::Options quiet;
  quiet.level = LogLevel::kError;
  log_ = *Logger::Make(quiet);
  Server::Options options;
  options.listen = "127.0.0.1:0";
  options.workers = 2;
  options.storage.ephemeral = true;
  options.kinds = {GleKind(), LatentEquilibriumKind(), MicrocircuitKind()};
  options.log = log_.get();
  if (change) change(options);
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  channel_ = NewChannel();
  networks_ = v1::NetworkService::NewStub(channel_);
  simulation_ = v1::SimulationService::NewStub(channel_);
  info_ = v1::ServerService::NewStub(channel_);
  state_ = v1::StateService::NewStub(channel_);
}

TestServer::~TestServer() = default;

std::shared_ptr<grpc::Channel> TestServer::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
}

v1::Network TestServer::Make(const std::string& id, const v1::NetworkSpec& spec,
                             v1::Clock::Mode clock) {
  v1::CreateNetworkRequest request;
  request.set_network_id(id);
  *request.mutable_network()->mutable_spec() = spec;
  request.mutable_network()->mutable_clock()->set_mode(clock);
  v1::CreateNetworkResponse response;
  const grpc::Status status =
      Call(networks(), &v1::NetworkService::Stub::CreateNetwork, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.network();
}

v1::Network TestServer::Get(const std::string& id) {
  v1::GetNetworkRequest request;
  request.set_name(NameOf(id));
  v1::GetNetworkResponse response;
  const grpc::Status status =
      Call(networks(), &v1::NetworkService::Stub::GetNetwork, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.network();
}

grpc::Status TestServer::Delete(const std::string& id) {
  v1::DeleteNetworkRequest request;
  request.set_name(NameOf(id));
  v1::DeleteNetworkResponse response;
  return Call(networks(), &v1::NetworkService::Stub::DeleteNetwork, request, &response);
}

std::map<std::string, v1::VariableSchema> TestServer::Schema(const std::string& id) {
  v1::GetNetworkSchemaRequest request;
  request.set_name(NameOf(id));
  v1::GetNetworkSchemaResponse response;
  const grpc::Status status =
      Call(networks(), &v1::NetworkService::Stub::GetNetworkSchema, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::map<std::string, v1::VariableSchema> schema;
  for (const v1::VariableSchema& variable : response.variables()) {
    schema[variable.name()] = variable;
  }
  return schema;
}

std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  context->set_wait_for_ready(true);
  return context;
}

v1::CreateNetworkRequest CreateRequest(const std::string& id) {
  v1::CreateNetworkRequest request;
  request.set_network_id(id);
  *request.mutable_network()->mutable_spec() = SmallSpec();
  return request;
}

grpc::Status Create(TestServer& server, const v1::CreateNetworkRequest& request,
                    v1::CreateNetworkResponse* response) {
  v1::CreateNetworkResponse unused;
  return Call(server.networks(), &v1::NetworkService::Stub::CreateNetwork, request,
              response == nullptr ? &unused : response);
}

v1::UpdateNetworkRequest UpdateOf(const std::string& id, const std::vector<std::string>& paths) {
  v1::UpdateNetworkRequest request;
  request.mutable_network()->set_name(NameOf(id));
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  return request;
}

grpc::Status Update(TestServer& server, const v1::UpdateNetworkRequest& request,
                    v1::UpdateNetworkResponse* response) {
  v1::UpdateNetworkResponse unused;
  return Call(server.networks(), &v1::NetworkService::Stub::UpdateNetwork, request,
              response == nullptr ? &unused : response);
}

std::string Drift(TestServer& server, const std::string& id, int64_t steps) {
  v1::StepRequest request;
  request.set_network("networks/" + id);
  request.set_steps(steps);
  (*request.mutable_inputs())["in"] = Doubles({1, 3}, {0.5, -0.25, 1.0});
  (*request.mutable_inputs())["out"] = Doubles({1, 2}, {0.3, -0.3});
  v1::StepResponse response;
  const grpc::Status status =
      Call(server.simulation(), &v1::SimulationService::Stub::Step, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.outputs().at("out.r").data();
}

void Start(TestServer& server, const std::string& id) {
  v1::StartNetworkRequest request;
  request.set_name("networks/" + id);
  v1::StartNetworkResponse unused;
  const grpc::Status status =
      Call(server.networks(), &v1::NetworkService::Stub::StartNetwork, request, &unused);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

void AwaitPublished(TestServer& server, const std::string& id) { Start(server, id); }

grpc::Status CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& request, std::string* response) {
  grpc::GenericStub stub(channel);
  const auto context = Context();
  const grpc::Slice slice(request);
  grpc::CompletionQueue queue;
  const auto reader =
      stub.PrepareUnaryCall(context.get(), method, grpc::ByteBuffer(&slice, 1), &queue);
  reader->StartCall();
  grpc::ByteBuffer bytes;
  grpc::Status status;
  reader->Finish(&bytes, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (response == nullptr || !status.ok() || !bytes.Dump(&slices).ok()) return status;
  for (const grpc::Slice& part : slices) response->append(part.begin(), part.end());
  return status;
}

Details DetailsOf(const google::rpc::Status& status) {
  Details details;
  for (const google::protobuf::Any& any : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    if (any.UnpackTo(&info)) {
      EXPECT_EQ(info.domain(), "prospero");
      details.reason = info.reason();
      details.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad_request)) {
      details.field = bad_request.field_violations(0).field();
    }
  }
  return details;
}

Details DetailsOf(const grpc::Status& status) {
  google::rpc::Status wire;
  EXPECT_TRUE(wire.ParseFromString(status.error_details()));
  EXPECT_EQ(wire.code(), static_cast<int>(status.error_code()));
  return DetailsOf(wire);
}

testing::AssertionResult IsError(const grpc::Status& status, grpc::StatusCode code,
                                 const std::string& reason, const std::string& field) {
  return Compare(status.error_code(), status.error_message(), DetailsOf(status), code, reason,
                 field);
}

testing::AssertionResult IsError(const google::rpc::Status& status, grpc::StatusCode code,
                                 const std::string& reason, const std::string& field) {
  return Compare(static_cast<grpc::StatusCode>(status.code()), status.message(), DetailsOf(status),
                 code, reason, field);
}

v1::NetworkSpec SmallSpec(int64_t inputs) {
  v1::NetworkSpec spec;
  spec.set_dt_ms(0.1);
  spec.set_precision(v1::DATA_TYPE_FLOAT64);
  spec.set_seed(7);
  v1::GleSpec* gle = spec.mutable_gle();
  AddPopulation(gle, "in", inputs, v1::GlePopulation::ROLE_INPUT);
  AddPopulation(gle, "hidden", 5, v1::GlePopulation::ROLE_HIDDEN);
  AddPopulation(gle, "out", 2, v1::GlePopulation::ROLE_OUTPUT);
  for (const auto& [pre, post] : {std::pair("in", "hidden"), std::pair("hidden", "out")}) {
    v1::GleProjection* projection = gle->add_projections();
    projection->set_pre(pre);
    projection->set_post(post);
    SetPlasticity(projection->mutable_plasticity(), 0.02);
  }
  return spec;
}

v1::NetworkSpec ExplosiveSpec() {
  v1::NetworkSpec spec = SmallSpec();
  for (v1::GlePopulation& population : *spec.mutable_gle()->mutable_populations()) {
    if (population.role() != v1::GlePopulation::ROLE_INPUT) {
      population.set_activation(v1::ACTIVATION_LINEAR);
    }
  }
  for (v1::GleProjection& projection : *spec.mutable_gle()->mutable_projections()) {
    SetPlasticity(projection.mutable_plasticity(), 1e12);
  }
  return spec;
}

v1::Tensor Doubles(const std::vector<int64_t>& shape, const std::vector<double>& values) {
  v1::Tensor tensor;
  tensor.set_data_type(v1::DATA_TYPE_FLOAT64);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(Bytes(values));
  return tensor;
}

v1::DriveAttach AttachTo(const std::string& id) {
  v1::DriveAttach attach;
  attach.set_network(NameOf(id));
  return attach;
}

std::vector<double> InputAt(int64_t step) {
  const double t = 0.01 * static_cast<double>(step);
  return {std::sin(t), std::cos(3 * t), 0.5};
}

std::vector<double> TargetAt(int64_t step) {
  const double t = 0.01 * static_cast<double>(step);
  return {0.5 * std::sin(t), 0.3};
}

std::vector<double> Rows(int64_t first, int64_t count, std::vector<double> (*row)(int64_t step)) {
  std::vector<double> rows;
  for (int64_t i = first; i < first + count; ++i) {
    const std::vector<double> values = row(i);
    rows.insert(rows.end(), values.begin(), values.end());
  }
  return rows;
}

v1::DriveAdvance Lesson(const TestDriver& driver, int64_t first, int64_t count) {
  v1::DriveAdvance advance;
  advance.set_steps(count);
  AddBlock(&advance, driver.uid("in.r"), Rows(first, count, InputAt));
  AddBlock(&advance, driver.uid("out.target"), Rows(first, count, TargetAt));
  return advance;
}

TestDriver::TestDriver(v1::SimulationService::Stub& stub, const v1::DriveAttach& attach)
    : context_(Context()), stream_(stub.Drive(context_.get())) {
  v1::DriveRequest request;
  *request.mutable_attach() = attach;
  stream_->Write(request);
  const v1::DriveResponse response = Receive();
  opened_ = response.has_attached();
  attached_ = response.attached();
}

TestDriver::TestDriver(v1::SimulationService::Stub& stub, const std::string& network)
    : TestDriver(stub, AttachTo(network)) {}

TestDriver::~TestDriver() {
  if (over_) return;
  Cancel();
  End();
}

uint32_t TestDriver::uid(const std::string& variable) const {
  for (const v1::VariableSchema& schema : attached_.inputs()) {
    if (schema.name() == variable) return schema.uid();
  }
  for (const v1::VariableSchema& schema : attached_.outputs()) {
    if (schema.name() == variable) return schema.uid();
  }
  ADD_FAILURE() << "no variable " << variable;
  return 0;
}

bool TestDriver::Send(const v1::DriveAdvance& advance) {
  v1::DriveRequest request;
  *request.mutable_advance() = advance;
  return stream_->Write(request);
}

v1::DriveResponse TestDriver::Receive() {
  v1::DriveResponse response;
  while (stream_->Read(&response)) {
    if (!response.has_notice()) return response;
    notices_.push_back(response.notice());
  }
  return v1::DriveResponse();
}

v1::DriveResponse TestDriver::Advance(const v1::DriveAdvance& advance) {
  if (!Send(advance)) return v1::DriveResponse();
  return Receive();
}

grpc::Status TestDriver::End() {
  over_ = true;
  while (Receive().message_case() != v1::DriveResponse::MESSAGE_NOT_SET) {
  }
  return stream_->Finish();
}

}  // namespace prospero::server
