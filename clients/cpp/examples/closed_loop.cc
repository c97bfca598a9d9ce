// A controller that learns while it controls (feedback-error learning, Kawato 1990).
//
// A mass on a spring shall follow a moving reference. A weak feedback controller starts alone;
// the network sees the reference with its derivatives, adds its own command, and has the whole
// command as its target. It learns the inverse of the mass on the spring, takes over from the
// feedback, and the tracking error falls.
//
//   closed_loop HOST:PORT [periods of the reference]

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "prospero/client/client.h"

namespace {

namespace pc = prospero::client;

constexpr double kDt = 1e-3;     // [s] one step of the loop
constexpr double kPeriod = 2.0;  // [s] after which the reference repeats

/// Where the mass shall be [m], with its velocity [m/s] and acceleration [m/s²].
std::array<double, 3> Reference(double t) {
  constexpr double kSlow = 2.0 * M_PI / kPeriod, kFast = 2.0 * kSlow;  // [rad/s]
  return {0.5 * std::sin(kSlow * t) + 0.3 * std::sin(kFast * t),
          0.5 * kSlow * std::cos(kSlow * t) + 0.3 * kFast * std::cos(kFast * t),
          -0.5 * kSlow * kSlow * std::sin(kSlow * t) - 0.3 * kFast * kFast * std::sin(kFast * t)};
}

/// m ẍ = F − d ẋ − k x, moved by semi-implicit Euler.
struct MassOnSpring {
  double x = 0.0, x_dot = 0.0;                                    // [m], [m/s]
  void Move(double force) {                                       // [N]
    constexpr double kMass = 0.2, kDamping = 0.5, kSpring = 1.5;  // [kg], [N s/m], [N/m]
    x_dot += kDt * (force - kDamping * x_dot - kSpring * x) / kMass;
    x += kDt * x_dot;
  }
};

/// Runs the loop and prints the tracking error of each period, root mean square.
absl::Status Run(pc::Drive& drive, int periods) {
  constexpr int kSteps = static_cast<int>(kPeriod / kDt);
  MassOnSpring mass;
  double learned = 0.0;  // [N] what the network commands
  for (int period = 0; period < periods; ++period) {
    double squares = 0.0;
    for (int n = 0; n < kSteps; ++n) {
      const auto [x, x_dot, x_ddot] = Reference(n * kDt);
      const double feedback = 3.0 * (x - mass.x) + 0.5 * (x_dot - mass.x_dot);
      const double command = learned + feedback;
      mass.Move(command);
      squares += (x - mass.x) * (x - mass.x);

      const std::array<double, 3> senses = {x, x_dot / 2.0, x_ddot / 8.0};
      const auto advanced =
          drive.Advance({{"input", senses}, {"output", absl::MakeConstSpan(&command, 1)}});
      if (!advanced.ok()) return advanced.status();
      learned = advanced->outputs.front().ToDoubles().front();
    }
    std::printf("%4.0f s   tracking error %6.1f mm\n", (period + 1) * kPeriod,
                1e3 * std::sqrt(squares / kSteps));
  }
  return drive.Finish();
}

absl::Status Main(const std::string& target, int periods) {
  const auto client = pc::Client::Connect(target);
  if (!client.ok()) return client.status();
  const auto network = client->CreateNetwork(
      pc::gle::Chain({3, 30, 1}, {.dt_ms = 1e3 * kDt, .plasticity = pc::gle::Sgd(2e-3)}));
  if (!network.ok()) return network.status();
  auto drive = network->Attach();
  if (!drive.ok()) return drive.status();
  if (auto status = Run(*drive, periods); !status.ok()) return status;
  return network->Delete();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s HOST:PORT [periods]\n", argv[0]);
    return 2;
  }
  const absl::Status status = Main(argv[1], argc > 2 ? std::atoi(argv[2]) : 20);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
