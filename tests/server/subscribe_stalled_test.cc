// Readers that stop reading, and readers that vanish: the network goes on, memory stays within the
// budget, and nothing is left behind.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/subscribers.h"

namespace prospero::server {
namespace {

using Event = v1::SubscriptionEvent;

/// [bytes] of this process in memory.
int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

/// A connection whose client keeps little of what it does not read, as this process is the client,
/// too: else it would fill with that.
std::unique_ptr<v1::SimulationService::Stub> SmallWindow(const TestServer& server) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65536);
  return v1::SimulationService::NewStub(
      grpc::CreateCustomChannel(server.address(), grpc::InsecureChannelCredentials(), arguments));
}

TEST(StalledSubscribers, NeitherHoldTheDriverNorTakeMoreThanTheBudget) {
  constexpr int kReaders = 100;
  constexpr int64_t kSteps = 200'000;
  constexpr int64_t kRetained = 4 << 20;
  TestServer server;
  server.Make("a", SmallSpec());
  v1::Subscription subscription = To("a", {"*"});
  subscription.set_retained_bytes(kRetained);
  const auto stub = SmallWindow(server);
  std::vector<std::unique_ptr<Subscriber>> without_credit;
  std::vector<std::unique_ptr<Watcher>> without_reading;
  for (int i = 0; i < kReaders / 2; ++i) {
    without_credit.push_back(std::make_unique<Subscriber>(server, subscription));
    ASSERT_TRUE(without_credit.back()->Next().has_opened());
    without_reading.push_back(std::make_unique<Watcher>(*stub, subscription));
  }
  TestDriver driver(server.simulation(), "a");
  // Sockets fill, and so does the ring: a sample has some 700 bytes.
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(driver.Advance(Steps(1000, 1000)).has_advanced());
  const int64_t before = ResidentBytes();
  for (int64_t step = 20'000; step < kSteps; step += 10'000) {
    ASSERT_TRUE(driver.Advance(Steps(10'000, 10'000)).has_advanced());
  }
  // 120 MB of samples were made for each of them. What they share is retained, and no more.
  EXPECT_LT(ResidentBytes() - before, 2 * kRetained);
  AwaitPublished(server, "a");
  // Nothing is missing without a word.
  for (auto& subscriber : without_credit) {
    subscriber->Credit(1'000'000);
    int64_t last = 0;
    int64_t lost = 0;
    while (last < kSteps) {
      const Event event = subscriber->Next();
      ASSERT_NE(event.event_case(), Event::EVENT_NOT_SET);
      if (event.has_gap()) {
        ASSERT_EQ(event.gap().first().step(), last + 1);
        last = event.gap().last().step();
        lost += event.gap().count();
      }
      for (const Event::Sample& sample : event.samples().samples()) {
        ASSERT_EQ(sample.cursor().step(), ++last);
      }
    }
    EXPECT_EQ(lost, kSteps - 1024);
  }
}

TEST(VanishingSubscribers, LeaveNothingBehind) {
  constexpr int kRounds = 20;
  constexpr int kReaders = 50;
  TestServer server([](Server::Options& options) {
    options.limits.max_subscriptions_per_network = kReaders;
    options.subscription_retention = absl::ZeroDuration();
  });
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  for (int round = 0; round < kRounds; ++round) {
    {
      std::vector<std::unique_ptr<Watcher>> watchers;
      for (int i = 0; i < kReaders; ++i) {
        watchers.push_back(std::make_unique<Watcher>(server, To("a", {"out.r"}, 1 + i % 7)));
        // Those of the round before are still leaving.
        while (!watchers.back()->opened().has_cursor()) {
          watchers.back() = std::make_unique<Watcher>(server, To("a", {"out.r"}, 1 + i % 7));
        }
      }
      ASSERT_TRUE(driver.Advance(Steps(100, 100)).has_advanced());
    }
  }
  v1::Subscription all = To("a", {"*"});
  std::vector<std::unique_ptr<Watcher>> last;
  while (last.size() < kReaders) {
    auto watcher = std::make_unique<Watcher>(server, all);
    if (watcher->opened().has_cursor()) last.push_back(std::move(watcher));
  }
  EXPECT_TRUE(driver.Advance(Steps(1)).has_advanced());
}

/// A connection that a client's machine has left without a word: its socket stays open, and nobody
/// reads it or writes to it.
class HalfOpen {
 public:
  explicit HalfOpen(const std::string& address) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    to.sin_port = htons(static_cast<uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    const std::string hello = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    EXPECT_EQ(write(socket_, hello.data(), hello.size()), static_cast<ssize_t>(hello.size()));
  }
  ~HalfOpen() { close(socket_); }
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;

 private:
  const int socket_;
};

TEST(ThousandsOfClients, ThatConnectAndVanishDoNotHoldTheNetwork) {
  constexpr int kClients = 1000;
  TestServer server;
  server.Make("a", SmallSpec());
  TestDriver driver(server.simulation(), "a");
  Watcher witness(server, To("a", {"out.r"}));
  std::vector<std::unique_ptr<HalfOpen>> silent;
  int64_t steps = 0;
  for (int i = 0; i < kClients; ++i) {
    if (i % 10 == 0) silent.push_back(std::make_unique<HalfOpen>(server.address()));
    if (i % 10 != 0) {
      // The channel goes while the stream is open.
      const auto stub = v1::SimulationService::NewStub(server.NewChannel());
      v1::WatchRequest request;
      *request.mutable_subscription() = To("a", {"out.r"});
      const auto context = Context();
      const auto stream = stub->Watch(context.get(), request);
      v1::WatchResponse response;
      if (i % 3 == 0) stream->Read(&response);
      context->TryCancel();
    }
    ASSERT_TRUE(driver.Advance(Steps(10, 10)).has_advanced());
    steps += 10;
  }
  while (witness.NextSample().cursor().step() < steps) {
  }
  EXPECT_TRUE(witness.others().empty());
}

}  // namespace
}  // namespace prospero::server
