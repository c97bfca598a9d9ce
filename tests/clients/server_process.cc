#include "server_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace prospero {
namespace {

constexpr char kPortFile[] = "port";
constexpr int kStartTimeoutMs = 60'000;

std::string MakeFolder() {
  std::string folder = testing::TempDir() + "/prosperod-XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& flags) : folder_(MakeFolder()) {
  Start(flags);
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) End(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int ServerProcess::End(int signal) {
  int status = 0;
  kill(pid_, signal);
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ServerProcess::Start(const std::vector<std::string>& flags) {
  const int watch = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(watch, folder_.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);

  std::vector<std::string> words = {PROSPEROD_PATH, "--listen", "127.0.0.1:0", "--port-file",
                                    folder_ + "/" + kPortFile};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  pid_ = fork();
  if (pid_ == 0) {
    if (chdir(folder_.c_str()) == 0) execv(arguments[0], arguments.data());
    _exit(127);
  }
  const std::string port = AwaitPort(watch);
  close(watch);
  ASSERT_FALSE(port.empty()) << "prosperod did not start";
  address_ = "127.0.0.1:" + port;
}

std::string ServerProcess::AwaitPort(int watch) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  std::string port;
  while (port.empty()) {
    std::array<pollfd, 2> waiting = {{{watch, POLLIN, 0}, {process, POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), kStartTimeoutMs) <= 0) break;
    if (waiting[1].revents != 0) break;  // it ended
    std::array<char, 4096> events;
    if (read(watch, events.data(), events.size()) <= 0) break;
    std::ifstream(folder_ + "/" + kPortFile) >> port;
  }
  close(process);
  return port.substr(port.rfind(':') + 1);
}

}  // namespace prospero
