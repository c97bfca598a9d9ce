#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/config.h"
#include "server/cpu_check.h"
#include "server/log.h"
#include "server/models/gle.h"
#include "server/models/latent_equilibrium.h"
#include "server/models/microcircuit.h"
#include "server/server.h"
#include "server/version.h"

namespace prospero::server {
namespace {

constexpr int kFailed = 1;
constexpr int kCutOff = 3;  ///< requests were still in flight when the time was up

/// Every kind of network that this server hosts.
std::vector<ModelKind> Kinds() { return {GleKind(), LatentEquilibriumKind(), MicrocircuitKind()}; }

/// The signals that end the server. No thread takes them but the one that waits for them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

/// Written aside and renamed, so that nobody reads half of it.
bool WritePort(const std::string& path, int port) {
  const std::string aside = path + ".new";
  {
    std::ofstream file(aside);
    file << port << '\n';
    if (!file.flush()) return false;
  }
  return std::rename(aside.c_str(), path.c_str()) == 0;
}

absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, Logger* log) {
  Server::Options options;
  options.listen = config.listen;
  options.allow_insecure = config.allow_insecure;
  options.workers = config.workers;
  options.subscription_retention = absl::Seconds(config.subscription_retention_s);
  options.storage = config.storage;
  options.limits = config.limits;
  options.kinds = Kinds();
  options.log = log;
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(std::move(options));
  if (!server.ok() || config.port_file.empty()) return server;
  if (WritePort(config.port_file, (*server)->port())) return server;
  return absl::UnavailableError(absl::StrCat("cannot write '", config.port_file, "'"));
}

int Serve(const Config& config, Logger* log) {
  const sigset_t signals = BlockSignals();
  // Where Abseil was packaged with its assertions, gRPC's mutexes look for deadlocks in one graph
  // that all of them share, which takes up to a tenth of a round trip.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::StatusOr<std::unique_ptr<Server>> server = Start(config, log);
  if (!server.ok()) {
    log->Write(LogLevel::kError, std::string(server.status().message()), {});
    return kFailed;
  }
  log->Write(LogLevel::kInfo, "listening",
             {{"address", (*server)->address()},
              {"port", int64_t{(*server)->port()}},
              {"version", Version()}});
  int signal = 0;
  sigwait(&signals, &signal);
  log->Write(LogLevel::kInfo, "draining", {{"signal", int64_t{signal}}});
  std::thread([signals, log] {
    int again = 0;
    sigwait(&signals, &again);
    log->Write(LogLevel::kWarning, "stopped while draining", {{"signal", int64_t{again}}});
    log->Flush();
    std::_Exit(kCutOff);
  }).detach();
  const bool complete = (*server)->Drain(absl::Seconds(config.drain_timeout_s));
  log->Write(complete ? LogLevel::kInfo : LogLevel::kWarning,
             complete ? "drained" : "requests were cut off", {});
  server->reset();  // Closes the store.
  log->Flush();
  // The thread that waits for a second signal still uses the log.
  std::_Exit(complete ? EXIT_SUCCESS : kCutOff);
}

int Main(int argc, const char* const* argv) {
  if (!CpuIsSupported()) return kFailed;  // said before
  const absl::variant<Config, ExitNow> config = ReadConfig(argc, argv);
  if (const auto* exit = absl::get_if<ExitNow>(&config)) return exit->code;
  const absl::StatusOr<std::unique_ptr<Logger>> log = Logger::Make(absl::get<Config>(config).log);
  if (!log.ok()) {
    std::fprintf(stderr, "prosperod: %s\n", std::string(log.status().message()).c_str());
    return kFailed;
  }
  return Serve(absl::get<Config>(config), log->get());
}

}  // namespace
}  // namespace prospero::server

int main(int argc, char** argv) { return prospero::server::Main(argc, argv); }
