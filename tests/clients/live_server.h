#pragma once

#include <csignal>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "prospero/client/client.h"
#include "server_process.h"

namespace prospero::client {

/// One server for all tests of this program; networks have names of their own.
class Server : public testing::Environment {
 public:
  void SetUp() override { process_ = std::make_unique<ServerProcess>(); }
  void TearDown() override { EXPECT_EQ(process_->End(SIGTERM), 0) << "it must drain and end"; }
  static const std::string& address() { return process_->address(); }

 private:
  static inline std::unique_ptr<ServerProcess> process_;
};

inline const auto* const kServer = testing::AddGlobalTestEnvironment(new Server);

inline Client Connect() {
  auto client = Client::Connect(Server::address());
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

constexpr double kTau = 10.0;  // [ms]

/// A leaky integrator from one input to one output with weight 1: u̇ τ = x − u.
inline v1::NetworkSpec Integrator() {
  return gle::SpecBuilder(1.0)
      .Precision(v1::DATA_TYPE_FLOAT64)
      .Input("input", 1)
      .Output("output", 1,
              {.activation = v1::ACTIVATION_LINEAR, .tau_m_ms = {kTau}, .tau_r_ms = {1.0}})
      .Project("input", "output", {.initializer = gle::Constant(1.0)})
      .Build();
}

inline Network Create(const Client& client, const v1::NetworkSpec& spec,
                      const CreateOptions& options) {
  auto network = client.CreateNetwork(spec, options);
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

}  // namespace prospero::client
