#include "server/request_cache.h"

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/errors.h"
#include "gtest/gtest.h"
#include "prospero/v1/network_service.pb.h"
#include "server/convert/field.h"
#include "server/promise.h"
#include "server/store/sqlite_store.h"
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
        [this](const Promise<Response>& promise) {
          Response response;
          response.mutable_network()->set_name(std::to_string(++done));
          promise.Settle(absl::OkStatus(), response);
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
  absl::optional<Promise<Response>> promise;
  std::vector<std::string> answers;
  for (int i = 0; i < 3; ++i) {
    cache.Once<Request, Response>(
        "Method", request, [&promise](const Promise<Response>& made) { promise = made; },
        [&answers](const absl::StatusOr<Response>& response) {
          answers.push_back(response->network().name());
        });
  }
  EXPECT_TRUE(answers.empty());
  Response response;
  response.mutable_network()->set_name("made");
  promise->Settle(absl::OkStatus(), response);
  EXPECT_EQ(answers, std::vector<std::string>(3, "made"));
}

TEST(RequestCache, ForgetsErrors) {
  RequestCache cache({});
  Request request;
  request.set_request_id("x");
  cache.Once<Request, Response>(
      "Method", request,
      [](const Promise<Response>& promise) { promise.Break(absl::UnavailableError("not now")); },
      [](const absl::StatusOr<Response>& response) { EXPECT_FALSE(response.ok()); });
  Counter counter{cache};
  EXPECT_EQ(*counter.Ask("x", "a"), "1");
}

/// A store that ends with the test, and what writes to it.
struct Shelf {
  std::unique_ptr<Store> store = *OpenStore({.directory = "", .ephemeral = true});
  std::unique_ptr<Committer> committer =
      std::make_unique<Committer>(store.get(), Committer::Options());

  /// Its answers, once all that was posted is there.
  std::vector<store::StoredAnswer> Answers() {
    std::promise<absl::Status> written;
    committer->Await([&written](const absl::Status& status) { written.set_value(status); });
    EXPECT_TRUE(written.get_future().get().ok());
    return *store->Answers();
  }
};

Request RequestOf(const std::string& id) {
  Request request;
  request.set_request_id(id);
  return request;
}

/// Does a call whose answer is kept.
absl::StatusOr<Response> Keep(RequestCache& cache, Shelf& shelf, const std::string& id,
                              const std::string& answer) {
  Keeper keeper(shelf.committer.get(), Keeper::Options());
  std::promise<absl::StatusOr<Response>> replied;
  cache.Once<Request, Response>(
      "Method", RequestOf(id),
      [&](const Promise<Response>& promise) {
        Response response;
        response.mutable_network()->set_name(answer);
        promise.Keep(keeper, {}, response);
      },
      [&replied](const absl::StatusOr<Response>& response) { replied.set_value(response); });
  return replied.get_future().get();
}

TEST(RequestCache, KeepsAnswersUntilItForgetsThem) {
  Shelf shelf;
  FakeClock clock;
  RequestCache::Options options;
  options.time = &clock;
  options.committer = shelf.committer.get();
  RequestCache cache(options);
  EXPECT_EQ(Keep(cache, shelf, "x", "first")->network().name(), "first");
  ASSERT_EQ(shelf.Answers().size(), 1u);
  EXPECT_EQ(shelf.Answers()[0].request_id(), "x");
  clock.Advance(std::chrono::seconds(600));
  EXPECT_EQ(Keep(cache, shelf, "y", "second")->network().name(), "second");
  ASSERT_EQ(shelf.Answers().size(), 1u);
  EXPECT_EQ(shelf.Answers()[0].request_id(), "y");
}

TEST(RequestCache, RemembersWhatWasAnsweredBeforeItsTime) {
  Shelf shelf;
  RequestCache::Options options;
  options.committer = shelf.committer.get();
  RequestCache before(options);
  ASSERT_TRUE(Keep(before, shelf, "x", "first").ok());
  FakeClock clock;
  options.time = &clock;
  RequestCache cache(options);
  cache.Remember(shelf.Answers(), absl::Now());
  EXPECT_EQ(Keep(cache, shelf, "x", "second")->network().name(), "first");
  Counter counter{cache};
  EXPECT_EQ(Reason(counter.Ask("x", "another").status()), "REQUEST_ID_REUSED");
  clock.Advance(std::chrono::seconds(600));
  EXPECT_EQ(Keep(cache, shelf, "x", "second")->network().name(), "second");
}

TEST(RequestCache, DoesNotTrustAWallClock) {
  Shelf shelf;
  const absl::Time now = absl::Now();
  std::vector<store::StoredAnswer> answers;
  for (const int hours : {-8 * 24, -24, 24}) {
    store::StoredAnswer answer;
    answer.set_request_id(absl::StrCat(hours));
    *answer.mutable_time() = ToProto(now + absl::Hours(hours));
    shelf.committer->Post({PutAnswer{answer}});
    answers.push_back(answer);
  }
  RequestCache::Options options;
  options.committer = shelf.committer.get();
  RequestCache cache(options);
  cache.Remember(answers, now);
  answers = shelf.Answers();
  ASSERT_EQ(answers.size(), 2u);  // A week is long enough.
  for (const store::StoredAnswer& answer : answers) {
    EXPECT_LE(*FromProto(answer.time(), ""), now);
    EXPECT_TRUE(Keep(cache, shelf, answer.request_id(), "").status().code() ==
                absl::StatusCode::kInvalidArgument);  // It is known, of another request.
  }
}

TEST(RequestCache, KeepsNoAnswerToWhatWasTakenBack) {
  Shelf shelf;
  RequestCache::Options options;
  options.committer = shelf.committer.get();
  RequestCache cache(options);
  cache.Once<Request, Response>(
      "Method", RequestOf("x"),
      [&shelf](const Promise<Response>& promise) {
        std::vector<Write> writes;
        promise.AddAnswer(Response(), &writes);
        shelf.committer->Post(std::move(writes));
        promise.Break(absl::UnavailableError("not now"));
      },
      [](const absl::StatusOr<Response>& response) { EXPECT_FALSE(response.ok()); });
  EXPECT_TRUE(shelf.Answers().empty());
  EXPECT_EQ(Keep(cache, shelf, "x", "again")->network().name(), "again");
}

}  // namespace
}  // namespace prospero::server
