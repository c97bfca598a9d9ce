#include "server/request_cache.h"

#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "gtest/gtest.h"
#include "prospero/v1/network_service.pb.h"
#include "tests/support/fake_clock.h"

namespace prospero::server {
namespace {

using Request = v1::DeleteNetworkRequest;
using Response = v1::GetNetworkResponse;

/// Counts how often the work was done, and answers with the count.
struct Counter {
  RequestCache& cache;
  int done = 0;

  absl::StatusOr<std::string> Ask(const std::string& id, const std::string& name) {
    Request request;
    request.set_request_id(id);
    request.set_name(name);
    absl::StatusOr<std::string> answer;
    cache.Once<Request, Response>(
        "Method", request,
        [this](const Reply<Response>& reply) {
          Response response;
          response.mutable_network()->set_name(std::to_string(++done));
          reply(response);
        },
        [&answer](const absl::StatusOr<Response>& response) {
          if (response.ok()) answer = response->network().name();
          if (!response.ok()) answer = response.status();
        });
    return answer;
  }
};

TEST(RequestCache, AnswersARepeatedCallWithoutDoingItAgain) {
  RequestCache cache({});
  Counter counter{cache};
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
  EXPECT_EQ(*counter.Ask("y", "a"), "2");
  EXPECT_EQ(*counter.Ask("", "a"), "3");
  EXPECT_EQ(*counter.Ask("", "a"), "4");
  EXPECT_EQ(Reason(counter.Ask("x", "b").status()), "REQUEST_ID_REUSED");
}

TEST(RequestCache, ForgetsAfterAWhile) {
  FakeClock clock;
  RequestCache::Options options;
  options.time = &clock;
  RequestCache cache(options);
  Counter counter{cache};
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
  clock.Advance(std::chrono::seconds(599));
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(*counter.Ask("x", "b"), "2");
}

TEST(RequestCache, LetsTheOldestGoWhenItIsFull) {
  RequestCache::Options options;
  options.max_answers = 2;
  RequestCache cache(options);
  Counter counter{cache};
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
  EXPECT_EQ(*counter.Ask("y", "a"), "2");
  EXPECT_EQ(*counter.Ask("z", "a"), "3");
  EXPECT_EQ(*counter.Ask("z", "a"), "3");
  EXPECT_EQ(*counter.Ask("y", "a"), "2");
  EXPECT_EQ(*counter.Ask("x", "a"), "4");
}

TEST(RequestCache, AnswersThoseWhoComeMeanwhileWithTheFirst) {
  RequestCache cache({});
  Request request;
  request.set_request_id("x");
  Reply<Response> finish;
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) {
    cache.Once<Request, Response>(
        "Method", request, [&finish](Reply<Response> reply) { finish = std::move(reply); },
        [&answers](const absl::StatusOr<Response>& response) {
          answers.push_back(response->network().name());
        });
  }
  EXPECT_TRUE(answers.empty());
  Response response;
  response.mutable_network()->set_name("made");
  finish(response);
  EXPECT_EQ(answers, std::vector<std::string>(3, "made"));
}

TEST(RequestCache, ForgetsErrors) {
  RequestCache cache({});
  Request request;
  request.set_request_id("x");
  cache.Once<Request, Response>(
      "Method", request,
      [](const Reply<Response>& reply) { reply(absl::UnavailableError("not now")); },
      [](const absl::StatusOr<Response>& response) { EXPECT_FALSE(response.ok()); });
  Counter counter{cache};
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
}

}  // namespace
}  // namespace prospero::server
