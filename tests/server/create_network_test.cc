// How networks are made, within limits and only once.

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
using Stub = v1::NetworkService::Stub;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;
using testing::UnorderedElementsAre;

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
      {"speed of the clock",
       [](auto& r) {
         r.mutable_network()->mutable_clock()->set_mode(v1::Clock::MODE_REALTIME);
         r.mutable_network()->mutable_clock()->set_speed(-1.0);
       },
       bad, "INVALID_FIELD", "network.clock.speed"},
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

// 3-5-2: 10 neurons, 25 weights.
TEST(Footprint, IsToldBeforeTheNetworkIsMadeAndEverAfter) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("cost");
  request.set_validate_only(true);
  v1::CreateNetworkResponse preview;
  ASSERT_TRUE(Create(server, request, &preview).ok());
  const v1::Footprint& told = preview.network().footprint();
  EXPECT_EQ(told.neurons(), 10);
  EXPECT_EQ(told.weights(), 25);
  EXPECT_GT(told.bytes(), 25 * 8) << "FLOAT64";
  const std::string footprint = told.SerializeAsString();
  EXPECT_EQ(server.Make("cost", request.network().spec()).footprint().SerializeAsString(),
            footprint);
  EXPECT_EQ(server.Get("cost").footprint().SerializeAsString(), footprint);
  v1::ListNetworksResponse list;
  ASSERT_TRUE(Call(server.networks(), &Stub::ListNetworks, v1::ListNetworksRequest(), &list).ok());
  EXPECT_EQ(list.networks(0).footprint().SerializeAsString(), footprint);
  v1::CloneNetworkRequest clone;
  clone.set_name("networks/cost");
  v1::CloneNetworkResponse cloned;
  ASSERT_TRUE(Call(server.networks(), &Stub::CloneNetwork, clone, &cloned).ok());
  EXPECT_EQ(cloned.network().footprint().SerializeAsString(), footprint);
}

TEST(Footprint, IsTheServersToSay) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("a");
  request.mutable_network()->mutable_footprint();
  EXPECT_TRUE(IsError(Create(server, request), StatusCode::INVALID_ARGUMENT, "INVALID_FIELD",
                      "network.footprint"));
}

// A network whose weights alone are 4 TB is refused, both ways, at once and by its figures.
TEST(Footprint, IsRefusedBeyondALimitBeforeMemoryIsSpent) {
  TestServer server;
  v1::CreateNetworkRequest request = CreateRequest("large");
  Population(request, 0)->set_size(1'000'000);
  Population(request, 1)->set_size(1'000'000);
  for (const bool validate_only : {true, false}) {
    request.set_validate_only(validate_only);
    const grpc::Status status = Create(server, request);
    EXPECT_TRUE(IsError(status, StatusCode::RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"));
    EXPECT_THAT(DetailsOf(status).metadata,
                UnorderedElementsAre(Pair("limit", "max_weights"), Pair("max", "1000000000"),
                                     Pair("wanted", "1000002000000")));
    EXPECT_THAT(status.error_message(), HasSubstr("1000002000000"));
    EXPECT_THAT(status.error_message(), HasSubstr("1000000000,"));
  }
}

TEST(Footprint, IsWhatTheLimitOfBytesIsAbout) {
  int64_t bytes = 0;
  {
    TestServer server;
    bytes = server.Make("a", SmallSpec()).footprint().bytes();
  }
  const auto create = [](int64_t limit) {
    TestServer server([limit](auto& options) { options.limits.network.max_bytes = limit; });
    return Create(server, CreateRequest("a"));
  };
  EXPECT_TRUE(create(bytes).ok());
  const grpc::Status status = create(bytes - 1);
  EXPECT_THAT(DetailsOf(status).metadata,
              UnorderedElementsAre(Pair("limit", "max_network_bytes"),
                                   Pair("max", std::to_string(bytes - 1)),
                                   Pair("wanted", std::to_string(bytes))));
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

}  // namespace
}  // namespace prospero::server
