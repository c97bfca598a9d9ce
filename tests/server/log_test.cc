#include "server/log.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace prospero::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string Logged(bool json) {
  Logger::Options options;
  options.json = json;
  options.path = testing::TempDir() + "/prospero-log-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name();
  std::remove(options.path.c_str());
  const std::unique_ptr<Logger> log = *Logger::Make(options);
  log->Write(LogLevel::kDebug, "too little", {});
  log->Write(LogLevel::kWarning, "a call",
             {{"network", std::string("networks/a b\n")}, {"port", int64_t{7}}, {"ms", 1.5}});
  log->Flush();
  std::stringstream text;
  text << std::ifstream(options.path).rdbuf();
  std::remove(options.path.c_str());
  return text.str();
}

TEST(Logger, WritesTextOnOneLine) {
  const std::string text = Logged(/*json=*/false);
  EXPECT_THAT(text, EndsWith(" warning a call network=\"networks/a b\\n\" port=7 ms=1.5\n"));
  EXPECT_THAT(text, Not(HasSubstr("too little")));
}

TEST(Logger, WritesOneJsonObject) {
  const nlohmann::json line = nlohmann::json::parse(Logged(/*json=*/true));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "a call");
  EXPECT_EQ(line["network"], "networks/a b\n");
  EXPECT_EQ(line["port"], 7);
  EXPECT_EQ(line["ms"], 1.5);
}

TEST(Logger, SaysThatAFileCannotBeWritten) {
  Logger::Options options;
  options.path = "/dev/null/log";
  EXPECT_FALSE(Logger::Make(options).ok());
}

}  // namespace
}  // namespace prospero::server
