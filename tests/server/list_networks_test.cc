// How networks are read: one, many, and their schema.

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/support.h"

namespace prospero::server {
namespace {

using grpc::StatusCode;
using Stub = v1::NetworkService::Stub;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Key;
using testing::Pair;

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
