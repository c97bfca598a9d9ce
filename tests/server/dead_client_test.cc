// A driver's process that is killed, or hangs: the robot stops, and what was learned stays.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/sensor.h"

namespace prospero::server {
namespace {

constexpr int kWindowMs = 500;

/// tireless_driver as a process of its own, at work.
class DriverProcess {
 public:
  DriverProcess(const std::string& address, const std::string& network) {
    std::array<int, 2> pipe_ends;
    EXPECT_EQ(pipe(pipe_ends.data()), 0);
    const std::string window = std::to_string(kWindowMs);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(pipe_ends[1], STDOUT_FILENO);
      execl(TIRELESS_DRIVER_PATH, TIRELESS_DRIVER_PATH, address.c_str(), network.c_str(), "in", "3",
            window.c_str(), nullptr);
      _exit(127);
    }
    close(pipe_ends[1]);
    FILE* const said = fdopen(pipe_ends[0], "r");
    std::array<char, 16> line = {};
    EXPECT_NE(fgets(line.data(), line.size(), said), nullptr);
    EXPECT_STREQ(line.data(), "driving\n");
    fclose(said);
  }
  ~DriverProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  void Signal(int signal) const { EXPECT_EQ(kill(pid_, signal), 0); }

 private:
  pid_t pid_ = -1;
};

/// A network "a" that learns while a process drives it, and is only safe with a driver.
struct Robot {
  explicit Robot(v1::Clock::Mode clock) {
    v1::CreateNetworkRequest create = CreateRequest("a");
    create.mutable_network()->mutable_clock()->set_mode(clock);
    v1::Safety* safety = create.mutable_network()->mutable_safety();
    safety->mutable_driver_timeout()->set_nanos(kWindowMs * 1'000'000);
    v1::Safety::Output* output = safety->add_outputs();
    output->set_output("out");
    output->set_fallback(v1::Safety::FALLBACK_FAIL_SAFE);
    *output->mutable_fail_safe() = Doubles({2}, {0.25, -0.5});
    EXPECT_TRUE(Create(server, create).ok());
    Start(server, "a");
    target = std::make_unique<Sensor>(server.simulation(), FeedOf("a", "out"));
    EXPECT_TRUE(target->Push({0.3, -0.3}));
    spectator = std::make_unique<Spectator>(
        server.simulation(), "a",
        std::vector<std::string>{"out.command", "hidden_to_out.W", "in_to_hidden.W"}, 500);
  }

  /// The driver has left, for the reason `why`; nobody comes.
  void ExpectStandstill(const std::string& why) {
    EXPECT_THAT(spectator->Await(v1::Notice::KIND_DRIVER_LEFT).message(), testing::HasSubstr(why));
    spectator->Await(v1::Notice::KIND_DRIVER_MISSING);
    const int64_t frozen = spectator->Await(v1::Notice::KIND_LEARNING_FROZEN).cursor().step();
    const auto first = spectator->AwaitSample(frozen, [](const auto&) { return true; });
    spectator->AwaitSample(first.cursor().step() + 5'000, [](const auto&) { return true; });
    for (const auto& sample : spectator->samples()) {
      if (sample.cursor().step() <= frozen) continue;
      EXPECT_EQ(ValuesOf(sample.values(0)), (std::vector<double>{0.25, -0.5}));
      EXPECT_EQ(sample.values(1).data(), first.values(1).data()) << sample.cursor().step();
      EXPECT_EQ(sample.values(2).data(), first.values(2).data()) << sample.cursor().step();
    }
    EXPECT_TRUE(server.Get("a").unsafe());
    EXPECT_FALSE(server.Get("a").driven());
  }

  TestServer server;
  std::unique_ptr<Sensor> target;
  std::unique_ptr<Spectator> spectator;
};

class DeadClient : public testing::TestWithParam<v1::Clock::Mode> {};

TEST_P(DeadClient, AKilledDriverStopsTheRobot) {
  Robot robot(GetParam());
  const DriverProcess driver(robot.server.address(), "networks/a");
  robot.spectator->Await(v1::Notice::KIND_DRIVER_CAME);
  driver.Signal(SIGKILL);
  robot.ExpectStandstill("its client has vanished");
}

TEST_P(DeadClient, AHungDriverStopsTheRobot) {
  Robot robot(GetParam());
  const DriverProcess driver(robot.server.address(), "networks/a");
  robot.spectator->Await(v1::Notice::KIND_DRIVER_CAME);
  driver.Signal(SIGSTOP);
  robot.ExpectStandstill(absl::StrCat("no heartbeat came for ", kWindowMs, "ms"));
}

INSTANTIATE_TEST_SUITE_P(Clocks, DeadClient,
                         testing::Values(v1::Clock::MODE_FREE, v1::Clock::MODE_REALTIME));

}  // namespace
}  // namespace prospero::server
