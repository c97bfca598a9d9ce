// The control plane, call by call.

#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Key;
using testing::Pair;
using testing::StartsWith;
using Stub = v1::NetworkService::Stub;

v1::CreateNetworkRequest CreateRequest(const std::string& id) {
  v1::CreateNetworkRequest request;
  request.set_network_id(id);
  *request.mutable_network()->mutable_spec() = SmallSpec();
  return request;
}

grpc::Status Create(TestServer& server, const v1::CreateNetworkRequest& request,
                    v1::CreateNetworkResponse* response) {
  return Call(server.networks(), &Stub::CreateNetwork, request, response);
}

grpc::Status Create(TestServer& server, const v1::CreateNetworkRequest& request) {
  v1::CreateNetworkResponse response;
  return Create(server, request, &response);
}

grpc::Status Update(TestServer& server, const v1::UpdateNetworkRequest& request,
                    v1::UpdateNetworkResponse* response) {
  return Call(server.networks(), &Stub::UpdateNetwork, request, response);
}

grpc::Status Update(TestServer& server, const v1::UpdateNetworkRequest& request) {
  v1::UpdateNetworkResponse response;
  return Update(server, request, &response);
}

v1::UpdateNetworkRequest UpdateOf(const std::string& id, const std::vector<std::string>& paths) {
  v1::UpdateNetworkRequest request;
  request.mutable_network()->set_name("networks/" + id);
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  return request;
}

/// Steps a network with a fixed input, and returns its output.
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

TEST(CreateNetwork, MakesANetworkAndDescribesIt) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("lab-1");
  (*request.mutable_network()->mutable_labels())["team"] = "a";
  v1::CreateNetworkResponse response;
  ASSERT_TRUE(Create(server, request, &response).ok());
  const v1::Network& network = response.network();
  EXPECT_EQ(network.name(), "networks/lab-1");
  EXPECT_EQ(network.uid().size(), 36u);
  EXPECT_EQ(network.state(), v1::Network::STATE_RUNNING);
  EXPECT_EQ(network.clock().mode(), v1::Clock::MODE_LOCKSTEP);
  EXPECT_TRUE(network.learning());
  EXPECT_EQ(network.labels().at("team"), "a");
  EXPECT_EQ(network.cursor().step(), 0);
  EXPECT_FALSE(network.driven());
  EXPECT_FALSE(network.etag().empty());
  EXPECT_EQ(network.spec().SerializeAsString(), request.network().spec().SerializeAsString());
  EXPECT_EQ(server.Get("lab-1").SerializeAsString(), network.SerializeAsString());
}

TEST(CreateNetwork, ChoosesAnIdWhenNoneIsGiven) {
  TestServer server;
  v1::CreateNetworkResponse one;
  v1::CreateNetworkResponse other;
  ASSERT_TRUE(Create(server, CreateRequest(""), &one).ok());
  ASSERT_TRUE(Create(server, CreateRequest(""), &other).ok());
  EXPECT_THAT(one.network().name(), StartsWith("networks/n-"));
  EXPECT_NE(one.network().name(), other.network().name());
}

TEST(CreateNetwork, StartsAFreeNetworkPausedAndCanStartWithoutLearning) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("free");
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  request.mutable_network()->set_learning(false);
  v1::CreateNetworkResponse response;
  ASSERT_TRUE(Create(server, request, &response).ok());
  EXPECT_EQ(response.network().state(), v1::Network::STATE_PAUSED);
  EXPECT_FALSE(response.network().learning());
}

TEST(CreateNetwork, RefusesAnIdThatIsTaken) {
  TestServer server;
  server.Make("twin", SmallSpec());
  const grpc::Status status = Create(server, CreateRequest("twin"));
  EXPECT_TRUE(IsError(status, StatusCode::ALREADY_EXISTS, "NETWORK_EXISTS"));
  EXPECT_THAT(DetailsOf(status).metadata, ElementsAre(Pair("network", "networks/twin")));
}

struct BadCreate {
  std::string what;
  std::function<void(v1::CreateNetworkRequest&)> spoil;
  StatusCode code;
  std::string reason;
  std::string field;
};

v1::GlePopulation* Population(v1::CreateNetworkRequest& request, int index) {
  return request.mutable_network()->mutable_spec()->mutable_gle()->mutable_populations(index);
}

TEST(CreateNetwork, NamesTheFieldThatIsWrong) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const auto spec = [](v1::CreateNetworkRequest& r) { return r.mutable_network()->mutable_spec(); };
  const auto bad = StatusCode::INVALID_ARGUMENT;
  const std::string gle = "network.spec.gle.";
  const std::vector<BadCreate> cases = {
      {"no network", [](auto& r) { r.clear_network(); }, bad, "INVALID_FIELD", "network.spec"},
      {"no model", [&](auto& r) { spec(r)->clear_model(); }, bad, "INVALID_FIELD",
       "network.spec.model"},
      {"negative dt", [&](auto& r) { spec(r)->set_dt_ms(-0.1); }, bad, "INVALID_FIELD",
       "network.spec.dt_ms"},
      {"no dt", [&](auto& r) { spec(r)->clear_dt_ms(); }, bad, "INVALID_FIELD",
       "network.spec.dt_ms"},
      {"dt is NaN", [&](auto& r) { spec(r)->set_dt_ms(kNan); }, bad, "INVALID_FIELD",
       "network.spec.dt_ms"},
      {"dt is infinite", [&](auto& r) { spec(r)->set_dt_ms(kInf); }, bad, "INVALID_FIELD",
       "network.spec.dt_ms"},
      {"unknown precision", [&](auto& r) { spec(r)->set_precision(static_cast<v1::DataType>(9)); },
       bad, "INVALID_FIELD", "network.spec.precision"},
      {"negative batch", [&](auto& r) { spec(r)->set_batch_size(-1); }, bad, "INVALID_FIELD",
       "network.spec.batch_size"},
      {"huge batch", [&](auto& r) { spec(r)->set_batch_size(1 << 30); },
       StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED", "network.spec.batch_size"},
      {"REALTIME",
       [](auto& r) { r.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_REALTIME); },
       StatusCode::UNIMPLEMENTED, "NOT_IMPLEMENTED", "network.clock.mode"},
      {"unknown clock",
       [](auto& r) {
         r.mutable_network()->mutable_clock()->set_mode(static_cast<v1::Clock::Mode>(77));
       },
       bad, "INVALID_FIELD", "network.clock.mode"},
      {"bad id", [](auto& r) { r.set_network_id("Lab_1"); }, bad, "INVALID_FIELD", "network_id"},
      {"id ends with -", [](auto& r) { r.set_network_id("lab-"); }, bad, "INVALID_FIELD",
       "network_id"},
      {"long id", [](auto& r) { r.set_network_id(std::string(64, 'a')); }, bad, "INVALID_FIELD",
       "network_id"},
      {"long request id", [](auto& r) { r.set_request_id(std::string(129, 'a')); }, bad,
       "INVALID_FIELD", "request_id"},
      {"name set", [](auto& r) { r.mutable_network()->set_name("networks/x"); }, bad,
       "INVALID_FIELD", "network.name"},
      {"uid set", [](auto& r) { r.mutable_network()->set_uid("x"); }, bad, "INVALID_FIELD",
       "network.uid"},
      {"state set", [](auto& r) { r.mutable_network()->set_state(v1::Network::STATE_RUNNING); },
       bad, "INVALID_FIELD", "network.state"},
      {"cursor set", [](auto& r) { r.mutable_network()->mutable_cursor(); }, bad, "INVALID_FIELD",
       "network.cursor"},
      {"label key", [](auto& r) { (*r.mutable_network()->mutable_labels())["A"] = ""; }, bad,
       "INVALID_FIELD", "network.labels[\"A\"]"},
      {"label value",
       [](auto& r) { (*r.mutable_network()->mutable_labels())["a"] = std::string(64, 'x'); }, bad,
       "INVALID_FIELD", "network.labels[\"a\"]"},
      {"unknown activation",
       [](auto& r) { Population(r, 1)->set_activation(static_cast<v1::Activation>(99)); }, bad,
       "INVALID_FIELD", gle + "populations[1].activation"},
      {"unknown role",
       [](auto& r) { Population(r, 1)->set_role(static_cast<v1::GlePopulation::Role>(99)); }, bad,
       "INVALID_FIELD", gle + "populations[1].role"},
      {"unknown error mode",
       [](auto& r) {
         Population(r, 1)->set_error_mode(static_cast<v1::GlePopulation::ErrorMode>(99));
       },
       bad, "INVALID_FIELD", gle + "populations[1].error_mode"},
      {"unknown loss", [](auto& r) { Population(r, 2)->set_loss(static_cast<v1::Loss>(99)); }, bad,
       "INVALID_FIELD", gle + "populations[2].loss"},
      {"loss of a hidden population", [](auto& r) { Population(r, 1)->set_loss(v1::LOSS_MSE); },
       bad, "INVALID_FIELD", gle + "populations[1].loss"},
      {"beta of a hidden population", [](auto& r) { Population(r, 1)->set_beta(1.0); }, bad,
       "INVALID_FIELD", gle + "populations[1].beta"},
      {"dynamics of an input", [](auto& r) { Population(r, 0)->add_tau_m_ms(1.0); }, bad,
       "INVALID_FIELD", gle + "populations[0].tau_m_ms"},
      {"tau is NaN", [](auto& r) { Population(r, 1)->set_tau_m_ms(0, kNan); }, bad, "INVALID_FIELD",
       gle + "populations[1].tau_m_ms[0]"},
      {"negative tau", [](auto& r) { Population(r, 1)->set_tau_m_ms(0, -1.0); }, bad,
       "INVALID_FIELD", gle + "populations[1].tau_m_ms"},
      {"gamma is infinite", [](auto& r) { Population(r, 1)->set_gamma(kInf); }, bad,
       "INVALID_FIELD", gle + "populations[1].gamma"},
      {"no size", [](auto& r) { Population(r, 1)->set_size(0); }, bad, "INVALID_FIELD",
       gle + "populations[1].size"},
      {"learning rate is NaN",
       [&](auto& r) {
         spec(r)->mutable_gle()->mutable_projections(0)->mutable_plasticity()->set_learning_rate(
             kNan);
       },
       bad, "INVALID_FIELD", gle + "projections[0].plasticity.learning_rate"},
      {"bytes of given weights",
       [&](auto& r) {
         v1::Tensor* values = spec(r)
                                  ->mutable_gle()
                                  ->mutable_projections(0)
                                  ->mutable_initializer()
                                  ->mutable_values();
         *values = Doubles({5, 3}, std::vector<double>(14, 0.0));
       },
       bad, "INVALID_FIELD", gle + "projections[0].initializer.values.data"},
      {"given weights are NaN",
       [&](auto& r) {
         v1::Tensor* values = spec(r)
                                  ->mutable_gle()
                                  ->mutable_projections(0)
                                  ->mutable_initializer()
                                  ->mutable_values();
         *values = Doubles({5, 3}, std::vector<double>(15, kNan));
       },
       bad, "INVALID_FIELD", gle + "projections[0].initializer.values.data"},
      {"unknown population",
       [&](auto& r) { spec(r)->mutable_gle()->mutable_projections(0)->set_pre("nobody"); }, bad,
       "INVALID_FIELD", gle + "projections[0].pre"},
  };
  TestServer server;
  for (const BadCreate& bad_create : cases) {
    v1::CreateNetworkRequest request = CreateRequest("");
    bad_create.spoil(request);
    EXPECT_TRUE(
        IsError(Create(server, request), bad_create.code, bad_create.reason, bad_create.field))
        << bad_create.what;
  }
  v1::ListNetworksResponse left;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, v1::ListNetworksRequest(), &left).ok());
  EXPECT_EQ(left.networks_size(), 0);
}

TEST(CreateNetwork, RefusesWhatIsTooBigBeforeItCostsMemory) {
  TestServer server;
  for (const int64_t size : {int64_t{1'000'000'000'000}, std::numeric_limits<int64_t>::max()}) {
    v1::CreateNetworkRequest request = CreateRequest("");
    Population(request, 1)->set_size(size);
    const grpc::Status status = Create(server, request);
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_EQ(DetailsOf(status).reason, "LIMIT_EXCEEDED");
    EXPECT_THAT(DetailsOf(status).metadata, Contains(Pair("limit", "max_neurons")));
  }
}

TEST(CreateNetwork, KeepsToTheNumberOfNetworks) {
  TestServer server([](Server::Options& options) { options.limits.max_networks = 2; });
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  const grpc::Status status = Create(server, CreateRequest("c"));
  EXPECT_TRUE(IsError(status, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
  EXPECT_THAT(DetailsOf(status).metadata, Contains(Pair("limit", "max_networks")));
  ASSERT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(Create(server, CreateRequest("c")).ok());
}

TEST(CreateNetwork, GivesMemoryBackAfterDelete) {
  TestServer server([](Server::Options& options) { options.limits.max_total_bytes = 60'000; });
  for (int round = 0; round < 20; ++round) {
    server.Make("a", SmallSpec());
    ASSERT_TRUE(server.Delete("a").ok());
  }
  std::vector<grpc::Status> refused;
  for (int i = 0; i < 100 && refused.empty(); ++i) {
    const grpc::Status status = Create(server, CreateRequest(""));
    if (!status.ok()) refused.push_back(status);
  }
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_THAT(DetailsOf(refused[0]).metadata, Contains(Pair("limit", "max_total_bytes")));
}

TEST(CreateNetwork, ChecksEverythingAndMakesNothingWhenItShallOnlyValidate) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("maybe");
  request.set_validate_only(true);
  v1::CreateNetworkResponse response;
  ASSERT_TRUE(Create(server, request, &response).ok());
  EXPECT_EQ(response.network().name(), "networks/maybe");
  EXPECT_EQ(response.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_TRUE(response.network().uid().empty());
  v1::GetNetworkRequest get;
  get.set_name("networks/maybe");
  v1::GetNetworkResponse got;
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::GetNetwork, get, &got), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  request.mutable_network()->mutable_spec()->set_dt_ms(0);
  EXPECT_EQ(Create(server, request).error_code(), StatusCode::INVALID_ARGUMENT);
  server.Make("maybe", SmallSpec());
  EXPECT_EQ(Create(server, CreateRequest("maybe")).error_code(), StatusCode::ALREADY_EXISTS);
}

TEST(RequestId, GetsTheFirstAnswerAgain) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("");
  request.set_request_id("4b2f");
  v1::CreateNetworkResponse first;
  v1::CreateNetworkResponse second;
  ASSERT_TRUE(Create(server, request, &first).ok());
  ASSERT_TRUE(Create(server, request, &second).ok());
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());

  request.mutable_network()->mutable_spec()->set_seed(8);
  EXPECT_TRUE(IsError(Create(server, request), StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED",
                      "request_id"));
}

TEST(RequestId, MakesOneNetworkOfCallsThatComeAtOnce) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("");
  request.set_request_id("at-once");
  std::vector<v1::CreateNetworkResponse> responses(8);
  std::vector<std::thread> threads;
  for (v1::CreateNetworkResponse& response : responses) {
    threads.emplace_back([&] { EXPECT_TRUE(Create(server, request, &response).ok()); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const v1::CreateNetworkResponse& response : responses) {
    EXPECT_EQ(response.network().uid(), responses[0].network().uid());
  }
}

TEST(RequestId, LetsARefusedCallBeTriedAgain) {
  TestServer server;
  server.Make("busy", SmallSpec());
  v1::CreateNetworkRequest request = CreateRequest("busy");
  request.set_request_id("again");
  EXPECT_EQ(Create(server, request).error_code(), StatusCode::ALREADY_EXISTS);
  ASSERT_TRUE(server.Delete("busy").ok());
  EXPECT_TRUE(Create(server, request).ok());
}

TEST(RequestId, MakesDeleteResetUpdateAndCloneRepeatable) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  reset.set_request_id("r");
  v1::ResetNetworkResponse one;
  v1::ResetNetworkResponse two;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, reset, &one).ok());
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, reset, &two).ok());
  EXPECT_EQ(server.Get("a").cursor().epoch(), 1);

  v1::UpdateNetworkRequest update = UpdateOf("a", {"labels"});
  update.set_request_id("u");
  v1::UpdateNetworkResponse updated;
  v1::UpdateNetworkResponse again;
  ASSERT_TRUE(Update(server, update, &updated).ok());
  ASSERT_TRUE(Update(server, update, &again).ok());
  EXPECT_EQ(updated.network().etag(), again.network().etag());

  v1::CloneNetworkRequest clone;
  clone.set_name("networks/a");
  clone.set_request_id("c");
  v1::CloneNetworkResponse cloned;
  v1::CloneNetworkResponse cloned_again;
  ASSERT_TRUE(Call(server.networks(), &Stub::CloneNetwork, clone, &cloned).ok());
  ASSERT_TRUE(Call(server.networks(), &Stub::CloneNetwork, clone, &cloned_again).ok());
  EXPECT_EQ(cloned.network().name(), cloned_again.network().name());

  v1::DeleteNetworkRequest remove;
  remove.set_name("networks/a");
  remove.set_request_id("d");
  v1::DeleteNetworkResponse removed;
  EXPECT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, remove, &removed).ok());
  EXPECT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, remove, &removed).ok());
}

TEST(GetNetwork, SaysWhatIsMissingOrMisspelt) {
  TestServer server;
  v1::GetNetworkRequest request;
  v1::GetNetworkResponse response;
  request.set_name("networks/nobody");
  const grpc::Status missing = Call(server.networks(), &Stub::GetNetwork, request, &response);
  EXPECT_TRUE(IsError(missing, StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  EXPECT_THAT(DetailsOf(missing).metadata, ElementsAre(Pair("network", "networks/nobody")));
  for (const char* name : {"", "nobody", "networks/", "networks/A", "networks/a/b"}) {
    request.set_name(name);
    EXPECT_TRUE(IsError(Call(server.networks(), &Stub::GetNetwork, request, &response),
                        StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "name"))
        << name;
  }
}

TEST(GetNetwork, CutsErrorsThatWouldNotFitIntoTheTrailers) {
  TestServer server;
  v1::GetNetworkRequest request;
  request.set_name("networks/" + std::string(1 << 20, 'x'));
  v1::GetNetworkResponse response;
  const grpc::Status status = Call(server.networks(), &Stub::GetNetwork, request, &response);
  EXPECT_TRUE(IsError(status, StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "name"));
  EXPECT_LT(status.error_message().size(), 2000u);
}

TEST(UpdateNetwork, TakesWhatTheMaskNames) {
  TestServer server;
  const v1::Network before = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
  (*request.mutable_network()->mutable_labels())["team"] = "ignored";
  request.mutable_network()->set_learning(false);
  v1::UpdateNetworkResponse response;
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_FALSE(response.network().learning());
  EXPECT_TRUE(response.network().labels().empty());
  EXPECT_NE(response.network().etag(), before.etag());
  EXPECT_EQ(response.applied_at().step(), 0);

  request = UpdateOf("a", {"*"});
  (*request.mutable_network()->mutable_labels())["team"] = "a";
  request.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_FREE);
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_TRUE(response.network().learning());
  EXPECT_EQ(response.network().labels().at("team"), "a");
  EXPECT_EQ(response.network().clock().mode(), v1::Clock::MODE_FREE);
  EXPECT_EQ(response.network().state(), v1::Network::STATE_PAUSED);
}

TEST(UpdateNetwork, ChangesParametersAtAStepBoundary) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  Drift(server, "a", 10);
  Drift(server, "b", 10);
  v1::UpdateNetworkRequest request = UpdateOf("a", {});
  (*request.mutable_parameters())["hidden_to_out.W"] = Doubles({}, {0.0});
  (*request.mutable_parameters())["hidden_to_out.W.eta"] = Doubles({}, {0.0});
  (*request.mutable_parameters())["out.b"] = Doubles({2}, {0.0, 0.0});
  (*request.mutable_parameters())["out.b.eta"] = Doubles({}, {0.0});
  v1::UpdateNetworkResponse response;
  const grpc::Status status = Update(server, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.applied_at().step(), 10);
  EXPECT_NE(Drift(server, "a", 10), Drift(server, "b", 10));
}

TEST(UpdateNetwork, NamesTheFieldThatIsWrong) {
  TestServer server;
  server.Make("a", SmallSpec());
  const auto bad = StatusCode::INVALID_ARGUMENT;
  EXPECT_TRUE(IsError(Update(server, v1::UpdateNetworkRequest()), bad, "INVALID_FIELD", "network"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("a", {})), bad, "INVALID_FIELD", "update_mask"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("a", {"labels", "spec"})), bad, "INVALID_FIELD",
                      "update_mask.paths[1]"));
  EXPECT_TRUE(IsError(Update(server, UpdateOf("nobody", {"labels"})), StatusCode::NOT_FOUND,
                      "NETWORK_NOT_FOUND"));
  const auto set = [&](const std::string& name, const v1::Tensor& tensor) {
    v1::UpdateNetworkRequest request = UpdateOf("a", {});
    (*request.mutable_parameters())[name] = tensor;
    return Update(server, request);
  };
  EXPECT_TRUE(IsError(set("nothing", Doubles({}, {1.0})), bad, "UNKNOWN_VARIABLE",
                      "parameters[\"nothing\"]"));
  EXPECT_TRUE(IsError(set("hidden.u", Doubles({}, {1.0})), bad, "INVALID_FIELD",
                      "parameters[\"hidden.u\"]"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({3}, {1.0, 2.0, 3.0})), bad, "INVALID_FIELD",
                      "parameters[\"out.b\"].shape"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({2}, {1.0})), bad, "INVALID_FIELD",
                      "parameters[\"out.b\"].data"));
  EXPECT_TRUE(IsError(set("out.b", Doubles({2}, {1.0, std::numeric_limits<double>::infinity()})),
                      bad, "INVALID_FIELD", "parameters[\"out.b\"].data"));
  v1::Tensor strange = Doubles({}, {1.0});
  strange.set_data_type(static_cast<v1::DataType>(12));
  EXPECT_TRUE(
      IsError(set("out.b", strange), bad, "INVALID_FIELD", "parameters[\"out.b\"].data_type"));
}

TEST(UpdateNetwork, MindsTheEtag) {
  TestServer server;
  const v1::Network network = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"labels"});
  request.set_etag(network.etag());
  EXPECT_TRUE(Update(server, request).ok());
  const grpc::Status late = Update(server, request);
  EXPECT_TRUE(IsError(late, StatusCode::ABORTED, "ETAG_MISMATCH"));
  EXPECT_THAT(DetailsOf(late).metadata, ElementsAre(Pair("etag", server.Get("a").etag())));
  v1::DeleteNetworkRequest remove;
  remove.set_name("networks/a");
  remove.set_etag(network.etag());
  v1::DeleteNetworkResponse removed;
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::DeleteNetwork, remove, &removed),
                      StatusCode::ABORTED, "ETAG_MISMATCH"));
  v1::ResetNetworkRequest reset;
  reset.set_name("networks/a");
  reset.set_etag(network.etag());
  v1::ResetNetworkResponse was_reset;
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::ResetNetwork, reset, &was_reset),
                      StatusCode::ABORTED, "ETAG_MISMATCH"));
}

TEST(UpdateNetwork, LetsOneOfManyWithTheSameEtagThrough) {
  TestServer server;
  const v1::Network network = server.Make("a", SmallSpec());
  std::atomic<int> through = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
      request.set_etag(network.etag());
      const grpc::Status status = Update(server, request);
      if (status.ok()) ++through;
      EXPECT_TRUE(status.ok() || DetailsOf(status).reason == "ETAG_MISMATCH");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(through, 1);
}

TEST(UpdateNetwork, ChangesNothingWhenItShallOnlyValidate) {
  TestServer server;
  const v1::Network before = server.Make("a", SmallSpec());
  v1::UpdateNetworkRequest request = UpdateOf("a", {"learning"});
  request.mutable_network()->set_learning(false);
  request.set_validate_only(true);
  v1::UpdateNetworkResponse response;
  ASSERT_TRUE(Update(server, request, &response).ok());
  EXPECT_EQ(server.Get("a").SerializeAsString(), before.SerializeAsString());
}

TEST(DeleteNetwork, RemovesItAndCanForgiveThatThereIsNone) {
  TestServer server;
  server.Make("a", SmallSpec());
  EXPECT_TRUE(server.Delete("a").ok());
  EXPECT_TRUE(IsError(server.Delete("a"), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  v1::DeleteNetworkRequest request;
  request.set_name("networks/a");
  request.set_allow_missing(true);
  v1::DeleteNetworkResponse response;
  EXPECT_TRUE(Call(server.networks(), &Stub::DeleteNetwork, request, &response).ok());
  server.Make("a", SmallSpec());
}

TEST(CloneNetwork, GoesOnBitForBit) {
  TestServer server;
  server.Make("old", SmallSpec());
  Drift(server, "old", 100);
  v1::CloneNetworkRequest request;
  request.set_name("networks/old");
  request.set_network_id("new");
  (*request.mutable_labels())["copy"] = "yes";
  v1::CloneNetworkResponse response;
  const grpc::Status status = Call(server.networks(), &Stub::CloneNetwork, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.network().name(), "networks/new");
  EXPECT_EQ(response.network().cursor().step(), 100);
  EXPECT_EQ(response.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_EQ(response.network().labels().at("copy"), "yes");
  EXPECT_NE(response.network().uid(), server.Get("old").uid());
  EXPECT_EQ(Drift(server, "old", 100), Drift(server, "new", 100));
}

TEST(CloneNetwork, RefusesWhatItCannotCopy) {
  TestServer server;
  server.Make("old", SmallSpec());
  v1::CloneNetworkRequest request;
  v1::CloneNetworkResponse response;
  const auto clone = [&] {
    return Call(server.networks(), &Stub::CloneNetwork, request, &response);
  };
  request.set_name("networks/nobody");
  EXPECT_TRUE(IsError(clone(), StatusCode::NOT_FOUND, "NETWORK_NOT_FOUND"));
  request.set_name("networks/old");
  request.set_network_id("old");
  EXPECT_TRUE(IsError(clone(), StatusCode::ALREADY_EXISTS, "NETWORK_EXISTS"));
  request.set_network_id("-");
  EXPECT_TRUE(IsError(clone(), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "network_id"));
}

TEST(ResetNetwork, PutsPartsBack) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string first = Drift(server, "a", 50);
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  v1::ResetNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_EQ(response.network().cursor().epoch(), 1);
  EXPECT_EQ(response.network().cursor().step(), 0);
  EXPECT_EQ(Drift(server, "a", 50), first);

  request.add_scopes(v1::RESET_SCOPE_STATE);
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_EQ(response.network().cursor().step(), 50);
  EXPECT_NE(Drift(server, "a", 50), first);

  request.add_scopes(v1::RESET_SCOPE_UNSPECIFIED);
  EXPECT_TRUE(IsError(Call(server.networks(), &Stub::ResetNetwork, request, &response),
                      StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "scopes[1]"));
}

TEST(ResetNetwork, DrawsOtherWeightsFromAnotherSeed) {
  TestServer server;
  server.Make("a", SmallSpec());
  const std::string first = Drift(server, "a", 50);
  v1::ResetNetworkRequest request;
  request.set_name("networks/a");
  request.set_seed(8);
  v1::ResetNetworkResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::ResetNetwork, request, &response).ok());
  EXPECT_NE(Drift(server, "a", 50), first);
}

TEST(PauseNetwork, StopsAndStartLetsGoOn) {
  TestServer server;
  const v1::Network made = server.Make("a", SmallSpec());
  v1::StartNetworkRequest start;
  start.set_name("networks/a");
  v1::StartNetworkResponse started;
  ASSERT_TRUE(Call(server.networks(), &Stub::StartNetwork, start, &started).ok());
  EXPECT_EQ(started.network().etag(), made.etag()) << "no change";
  v1::PauseNetworkRequest pause;
  pause.set_name("networks/a");
  v1::PauseNetworkResponse paused;
  ASSERT_TRUE(Call(server.networks(), &Stub::PauseNetwork, pause, &paused).ok());
  EXPECT_EQ(paused.network().state(), v1::Network::STATE_PAUSED);
  EXPECT_NE(paused.network().etag(), made.etag());
  v1::StepRequest step;
  step.set_network("networks/a");
  v1::StepResponse stepped;
  EXPECT_TRUE(IsError(Call(server.simulation(), &v1::SimulationService::Stub::Step, step, &stepped),
                      StatusCode::FAILED_PRECONDITION, "NETWORK_PAUSED"));
  ASSERT_TRUE(Call(server.networks(), &Stub::StartNetwork, start, &started).ok());
  EXPECT_EQ(started.network().state(), v1::Network::STATE_RUNNING);
  EXPECT_TRUE(Call(server.simulation(), &v1::SimulationService::Stub::Step, step, &stepped).ok());
}

TEST(StartNetwork, LetsAFreeNetworkRunByItself) {
  TestServer server;
  server.Make("a", SmallSpec(), v1::Clock::MODE_FREE);
  v1::StartNetworkRequest start;
  start.set_name("networks/a");
  v1::StartNetworkResponse started;
  ASSERT_TRUE(Call(server.networks(), &Stub::StartNetwork, start, &started).ok());
  while (server.Get("a").cursor().step() < 1000) {
  }
}

std::vector<std::string> List(TestServer& server, v1::ListNetworksRequest request) {
  std::vector<std::string> names;
  v1::ListNetworksResponse response;
  do {
    response.Clear();
    const grpc::Status status = Call(server.networks(), &Stub::ListNetworks, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    for (const v1::Network& network : response.networks()) {
      names.push_back(network.name().substr(9));
    }
    EXPECT_TRUE(request.page_size() == 0 || response.networks_size() <= request.page_size());
    request.set_page_token(response.next_page_token());
  } while (!response.next_page_token().empty());
  return names;
}

TEST(ListNetworks, GoesThroughThemPageByPage) {
  TestServer server;
  for (const char* id : {"d", "a", "f", "c", "b", "e", "g"}) server.Make(id, SmallSpec());
  v1::ListNetworksRequest request;
  EXPECT_THAT(List(server, request), ElementsAre("a", "b", "c", "d", "e", "f", "g"));
  for (const int size : {1, 2, 3, 7, 5000}) {
    request.set_page_size(size);
    EXPECT_EQ(List(server, request).size(), 7u) << size;
  }
  request.set_page_size(7);
  v1::ListNetworksResponse page;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, request, &page).ok());
  EXPECT_TRUE(page.next_page_token().empty()) << "the last page has no token";
}

TEST(ListNetworks, FiltersByStateAndLabels) {
  TestServer server;
  for (const auto& [id, team] : {std::pair("a", "x"), std::pair("b", "y"), std::pair("c", "")}) {
    v1::CreateNetworkRequest request = CreateRequest(id);
    if (*team != '\0') (*request.mutable_network()->mutable_labels())["team"] = team;
    ASSERT_TRUE(Create(server, request).ok());
  }
  server.Make("d", SmallSpec(), v1::Clock::MODE_FREE);
  const auto list = [&](const std::string& filter) {
    v1::ListNetworksRequest request;
    request.set_filter(filter);
    request.set_page_size(1);
    return List(server, request);
  };
  EXPECT_THAT(list("state = RUNNING"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(list("state = PAUSED"), ElementsAre("d"));
  EXPECT_THAT(list("state != RUNNING"), ElementsAre("d"));
  EXPECT_THAT(list("labels.team = \"x\""), ElementsAre("a"));
  EXPECT_THAT(list("labels.team != \"x\" AND state = RUNNING"), ElementsAre("b", "c"));
  EXPECT_THAT(list("labels:team"), ElementsAre("a", "b"));
  EXPECT_THAT(list("labels:team AND labels.team=y"), ElementsAre("b"));
  EXPECT_THAT(list("state = FAILED"), ElementsAre());
}

TEST(ListNetworks, RefusesWhatItCannotRead) {
  TestServer server;
  server.Make("a", SmallSpec());
  server.Make("b", SmallSpec());
  const auto list = [&](const v1::ListNetworksRequest& request) {
    v1::ListNetworksResponse response;
    return Call(server.networks(), &Stub::ListNetworks, request, &response);
  };
  for (const char* filter : {"name = a", "state", "state = SLEEPING", "state = RUNNING OR",
                             "labels.team = \"a", "labels.", "state = RUNNING AND"}) {
    v1::ListNetworksRequest request;
    request.set_filter(filter);
    EXPECT_TRUE(IsError(list(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "filter"))
        << filter;
  }
  v1::ListNetworksRequest request;
  request.set_page_size(-1);
  EXPECT_TRUE(IsError(list(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "page_size"));
  request.set_page_size(1);
  request.set_page_token("nonsense!");
  EXPECT_TRUE(IsError(list(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "page_token"));
  request.clear_page_token();
  v1::ListNetworksResponse page;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, request, &page).ok());
  request.set_page_token(page.next_page_token());
  request.set_filter("state = RUNNING");
  EXPECT_TRUE(IsError(list(request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD", "page_token"));
}

TEST(ListNetworks, LeavesTheValuesOfGivenWeightsOut) {
  TestServer server;
  v1::NetworkSpec spec = SmallSpec();
  *spec.mutable_gle()->mutable_projections(0)->mutable_initializer()->mutable_values() =
      Doubles({5, 3}, std::vector<double>(15, 0.125));
  server.Make("a", spec);
  v1::ListNetworksResponse page;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, v1::ListNetworksRequest(), &page).ok());
  const auto values = [](const v1::Network& network) {
    return network.spec().gle().projections(0).initializer().values();
  };
  EXPECT_EQ(values(page.networks(0)).shape_size(), 2);
  EXPECT_TRUE(values(page.networks(0)).data().empty());
  EXPECT_EQ(values(server.Get("a")).data().size(), 15u * 8u);
}

TEST(GetNetworkSchema, NamesEveryVariable) {
  TestServer server;
  server.Make("a", SmallSpec());
  v1::GetNetworkSchemaRequest request;
  request.set_name("networks/a");
  v1::GetNetworkSchemaResponse response;
  ASSERT_TRUE(Call(server.networks(), &Stub::GetNetworkSchema, request, &response).ok());
  for (int i = 0; i < response.variables_size(); ++i) {
    EXPECT_EQ(response.variables(i).uid(), static_cast<uint32_t>(i) + 1);
    EXPECT_NE(response.variables(i).role(), v1::VARIABLE_ROLE_UNSPECIFIED);
  }
  const auto schema = server.Schema("a");
  EXPECT_THAT(schema, IsSupersetOf({Key("in.r"), Key("out.target"), Key("out.r"), Key("hidden.u"),
                                    Key("hidden_to_out.W"), Key("hidden_to_out.W.eta"),
                                    Key("learning"), Key("loss")}));
  const v1::VariableSchema& weights = schema.at("hidden_to_out.W");
  EXPECT_THAT(weights.shape(), ElementsAre(2, 5));
  EXPECT_EQ(weights.data_type(), v1::DATA_TYPE_FLOAT64);
  EXPECT_EQ(weights.role(), v1::VARIABLE_ROLE_WEIGHT);
  EXPECT_TRUE(schema.at("hidden_to_out.W.norm").computed());
}

}  // namespace
}  // namespace prospero::server
