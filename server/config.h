#pragma once

#include <string>

#include "absl/time/time.h"
#include "absl/types/variant.h"
#include "server/durability/storage_options.h"
#include "server/limits.h"
#include "server/log.h"

namespace prospero::server {

/// What an operator can choose. Every name is a flag (--drain-timeout), an environment variable
/// (PROSPERO_DRAIN_TIMEOUT) and a line of the configuration file (drain-timeout = 30); the
/// earlier of these wins.
struct Config {
  std::string listen = "127.0.0.1:50551";
  std::string port_file;
  bool allow_insecure = false;
  int workers = 0;
  double drain_timeout_s = 30.0;
  double subscription_retention_s = 60.0;
  StorageOptions storage;
  Logger::Options log;
  Limits limits;
};

/// The process has nothing left to do but to exit: --help, --version or an error was printed.
struct ExitNow {
  int code = 0;
};

/// Reads flags, environment and file; prints what there is to say.
absl::variant<Config, ExitNow> ReadConfig(int argc, const char* const* argv);

}  // namespace prospero::server
