#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace prospero {

/// A prosperod of this build, in a process of its own, on a free loopback port, with an empty
/// working folder. The test fails when it does not start. One thread.
class ServerProcess {
 public:
  /// Returns when the server listens.
  explicit ServerProcess(const std::vector<std::string>& flags = {});
  /// Kills the server if it still runs.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// "127.0.0.1:<port>".
  const std::string& address() const { return address_; }

  /// Sends a signal and waits for the end; returns the exit status, or minus the signal that
  /// ended it.
  int End(int signal);

 private:
  void Start(const std::vector<std::string>& flags);
  /// The port, once `watch` has seen its file written; empty when the server ended instead.
  std::string AwaitPort(int watch);

  std::string folder_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace prospero
