#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "prospero/client/client.h"
#include "scripted_server.h"

namespace prospero::client {
namespace {

using testing::ElementsAre;

Network NetworkOn(const ScriptedServer& server) {
  const auto client = Client::Connect(server.address());
  EXPECT_TRUE(client.ok()) << client.status();
  return *client->GetNetwork("a");
}

/// Answers an attachment: one input x.r and one output y.r of `size` doubles.
void Attach(ScriptedServer::DriveStream& stream, int64_t size = 1) {
  v1::DriveRequest request;
  ASSERT_TRUE(stream.Read(&request) && request.has_attach());
  v1::DriveResponse response;
  uint32_t uid = 1;
  for (auto* schema :
       {response.mutable_attached()->add_inputs(), response.mutable_attached()->add_outputs()}) {
    schema->set_name(uid == 1 ? "x.r" : "y.r");
    schema->set_uid(uid++);
    schema->set_data_type(v1::DATA_TYPE_FLOAT64);
    schema->add_shape(size);
  }
  stream.Write(response);
}

/// The answer to an advance: y is x.
v1::DriveResponse Echo(const v1::DriveRequest& request) {
  v1::DriveResponse response;
  auto& advanced = *response.mutable_advanced();
  advanced.set_tag(request.advance().tag());
  advanced.set_steps(request.advance().steps());
  auto& block = *advanced.add_outputs();
  block.set_uid(2);
  block.set_data(request.advance().inputs(0).data());
  return response;
}

grpc::Status Refusal() {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  info.set_reason("SPEC_INVALID");
  info.set_domain("prospero");
  (*info.mutable_metadata())["limit"] = "max_neurons";
  details.add_details()->PackFrom(info);
  google::rpc::BadRequest bad_request;
  auto& violation = *bad_request.add_field_violations();
  violation.set_field("network.spec.dt_ms");
  violation.set_description("must be positive, got -1");
  details.add_details()->PackFrom(bad_request);
  return {grpc::StatusCode::INVALID_ARGUMENT, "bad spec", details.SerializeAsString()};
}

TEST(Client, SaysWhoDoesNotAnswer) {
  const auto client =
      Client::Connect("unix:/nowhere/at/all", {.connect_timeout = absl::Milliseconds(50)});
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(client.status().message()), testing::HasSubstr("/nowhere/at/all"));
}

TEST(Client, RefusesAServerOfAnotherVersion) {
  ScriptedServer server;
  server.api_version = "prospero.v2";
  EXPECT_EQ(Client::Connect(server.address()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(Client, HandsOnReasonMetadataAndFields) {
  ScriptedServer server;
  server.create = [](const auto&, auto&) { return Refusal(); };
  const auto network = Client::Connect(server.address())->CreateNetwork({});
  EXPECT_EQ(network.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(network.status().message(), "bad spec");
  EXPECT_EQ(Reason(network.status()), "SPEC_INVALID");
  EXPECT_THAT(Metadata(network.status()), ElementsAre(testing::Pair("limit", "max_neurons")));
  ASSERT_EQ(FieldViolations(network.status()).size(), 1u);
  EXPECT_EQ(FieldViolations(network.status())[0].field, "network.spec.dt_ms");
  EXPECT_EQ(FieldViolations(network.status())[0].description, "must be positive, got -1");
}

TEST(Client, RepeatsACallUnderTheSameRequestId) {
  ScriptedServer server;
  std::vector<std::string> ids;
  server.create = [&ids](const v1::CreateNetworkRequest& request, auto& response) {
    ids.push_back(request.request_id());
    if (ids.size() < 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "not yet");
    response.mutable_network()->set_name("networks/b");
    return grpc::Status::OK;
  };
  const auto client = Client::Connect(server.address());
  EXPECT_EQ(client->CreateNetwork({})->name(), "networks/b");
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(ids[0].size(), 36u);
  EXPECT_TRUE(client->CreateNetwork({}).ok());
  EXPECT_NE(ids[3], ids[0]);
}

TEST(Drive, SendsAWindowOfFramesBeforeItWaits) {
  ScriptedServer server;
  static constexpr int kWindow = 4, kFrames = 50;
  server.drive = [](ScriptedServer::DriveStream& stream) {
    Attach(stream);
    // Silent until a whole window of frames has come: a client that waited earlier would wait
    // for ever.
    v1::DriveRequest request;
    for (std::vector<v1::DriveResponse> answers; stream.Read(&request);) {
      answers.push_back(Echo(request));
      if (answers.size() < kWindow) continue;
      stream.Write(answers.front());
      answers.erase(answers.begin());
    }
    return grpc::Status::OK;
  };
  auto drive = NetworkOn(server).Attach({.max_in_flight = kWindow});
  ASSERT_TRUE(drive.ok()) << drive.status();
  for (int n = 0; n < kFrames; ++n) {
    const double x = n;
    ASSERT_TRUE(drive->Send({{"x", absl::MakeConstSpan(&x, 1)}}).ok());
    EXPECT_EQ(drive->in_flight(), n + 1);
  }
  for (int n = 0; n <= kFrames - kWindow; ++n) {
    const auto advanced = drive->Receive();
    ASSERT_TRUE(advanced.ok()) << advanced.status();
    EXPECT_EQ(advanced->tag, static_cast<uint64_t>(n + 1));
    EXPECT_THAT(advanced->Find("y")->ToDoubles(), ElementsAre(n));
  }
  EXPECT_TRUE(drive->Finish().ok());
}

TEST(Drive, ConvertsInputToTheFormatOfTheNetwork) {
  ScriptedServer server;
  server.drive = [](ScriptedServer::DriveStream& stream) {
    Attach(stream, 2);
    v1::DriveRequest request;
    while (stream.Read(&request)) stream.Write(Echo(request));
    return grpc::Status::OK;
  };
  auto drive = NetworkOn(server).Attach();
  const std::vector<float> x = {0.5f, -3.0f};
  const auto advanced = drive->Advance({{"x", x}});
  EXPECT_THAT(*advanced->Find("y")->View<double>(), ElementsAre(0.5, -3.0));
  EXPECT_FALSE(advanced->Find("y")->View<float>().ok());
}

TEST(Drive, GoesOnAfterARefusedFrame) {
  ScriptedServer server;
  server.drive = [](ScriptedServer::DriveStream& stream) {
    Attach(stream);
    v1::DriveRequest request;
    while (stream.Read(&request)) {
      v1::DriveResponse response = Echo(request);
      if (request.advance().steps() < 0) {
        auto& status = *response.mutable_error()->mutable_status();
        status.ParseFromString(Refusal().error_details());
        status.set_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
      }
      stream.Write(response);
    }
    return grpc::Status::OK;
  };
  auto drive = NetworkOn(server).Attach();
  const double x = 1.0;
  const auto refused = drive->Advance({{"x", absl::MakeConstSpan(&x, 1)}}, -1);
  EXPECT_EQ(Reason(refused.status()), "SPEC_INVALID");
  EXPECT_TRUE(drive->open());
  EXPECT_TRUE(drive->Advance({{"x", absl::MakeConstSpan(&x, 1)}}).ok());
  EXPECT_EQ(drive->Advance({{"z", absl::MakeConstSpan(&x, 1)}}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(drive->Finish().ok());
  EXPECT_FALSE(drive->open());
}

TEST(Drive, TellsTheAnswersThatCameBeforeTheEnd) {
  ScriptedServer server;
  server.drive = [](ScriptedServer::DriveStream& stream) {
    Attach(stream);
    v1::DriveRequest request;
    stream.Read(&request);
    v1::DriveResponse notice;
    notice.mutable_notice()->set_kind(v1::Notice::KIND_DRAINING);
    stream.Write(notice);
    stream.Write(Echo(request));
    return grpc::Status(grpc::StatusCode::ABORTED, "gone");
  };
  auto drive = NetworkOn(server).Attach();
  const double x = 1.0;
  ASSERT_TRUE(drive->Send({{"x", absl::MakeConstSpan(&x, 1)}}).ok());
  const auto advanced = drive->Receive();
  ASSERT_TRUE(advanced.ok()) << advanced.status();
  ASSERT_EQ(advanced->notices.size(), 1u);
  EXPECT_EQ(advanced->notices[0].kind(), v1::Notice::KIND_DRAINING);
  // The write may still succeed, into the void; the answer then is the stream's end.
  const auto after = drive->Advance({{"x", absl::MakeConstSpan(&x, 1)}});
  EXPECT_EQ(after.status().code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(drive->open());
}

TEST(Drive, RefusesAnswersThatDoNotFitTheSchema) {
  ScriptedServer server;
  server.drive = [](ScriptedServer::DriveStream& stream) {
    Attach(stream);
    v1::DriveRequest request;
    stream.Read(&request);
    v1::DriveResponse response = Echo(request);
    response.mutable_advanced()->mutable_outputs(0)->set_uid(9);
    stream.Write(response);
    return grpc::Status::OK;
  };
  auto drive = NetworkOn(server).Attach();
  const double x = 1.0;
  EXPECT_EQ(drive->Advance({{"x", absl::MakeConstSpan(&x, 1)}}).status().code(),
            absl::StatusCode::kInternal);
}

TEST(Subscription, GrantsCreditForWhatWasTaken) {
  ScriptedServer server;
  static constexpr int64_t kWindow = 8;
  static constexpr int64_t kSamples = 100;
  server.subscribe = [](ScriptedServer::SubscribeStream& stream) {
    v1::SubscribeRequest request;
    stream.Read(&request);
    EXPECT_TRUE(request.has_subscription());
    v1::SubscribeResponse response;
    response.mutable_event()->mutable_opened()->add_selections();
    stream.Write(response);
    int64_t credit = 0;
    for (int64_t step = 0; step < kSamples; ++step, --credit) {
      while (credit == 0 && stream.Read(&request)) credit += request.credit();
      EXPECT_LE(credit, kWindow);
      auto& samples = *response.mutable_event()->mutable_samples();
      samples.Clear();
      samples.add_samples()->mutable_cursor()->set_step(step);
      stream.Write(response);
    }
    auto& gap = *response.mutable_event()->mutable_gap();
    gap.set_count(7);
    stream.Write(response);
    return grpc::Status(grpc::StatusCode::ABORTED, "gone");
  };
  auto subscription =
      NetworkOn(server).Subscribe({.variables = {"y.r"}}, {.credit_window = kWindow});
  ASSERT_TRUE(subscription.ok()) << subscription.status();
  for (int64_t step = 0; step < kSamples; ++step) {
    const auto sample = subscription->NextSample();
    ASSERT_TRUE(sample.ok()) << sample.status();
    EXPECT_EQ(sample->cursor.step, step);
  }
  EXPECT_EQ(subscription->lost(), 0);
  EXPECT_EQ(subscription->NextSample().status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(subscription->lost(), 7);
  EXPECT_EQ(subscription->Next().status().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace prospero::client
