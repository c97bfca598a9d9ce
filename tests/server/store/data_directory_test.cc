#include "server/store/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/core/errors.h"
#include "store_contents.h"

namespace prospero::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(DataDirectory, IsMadeWithItsParentsForItsOwnerOnly) {
  const TestDirectory parent;
  const std::string path = parent.Path("data/of/prospero");
  const auto directory = DataDirectory::Open(path);
  ASSERT_TRUE(directory.ok()) << directory.status();
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(DataDirectory, IsRefusedToASecondServer) {
  const TestDirectory parent;
  const auto first = DataDirectory::Open(parent.path());
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = DataDirectory::Open(parent.path());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(second.status()), "DATA_DIR_IN_USE");
  EXPECT_THAT(second.status().message(),
              AllOf(HasSubstr(parent.path()), HasSubstr("pid " + std::to_string(getpid())),
                    HasSubstr("stop it, or give this server another --data-dir")));
}

TEST(DataDirectory, IsFreeWhenItsServerIsGone) {
  const TestDirectory parent;
  { const auto first = DataDirectory::Open(parent.path()); }
  EXPECT_TRUE(DataDirectory::Open(parent.path()).ok());
}

TEST(DataDirectory, MustBeADirectory) {
  const TestDirectory parent;
  std::ofstream(parent.Path("file")) << "x";
  const absl::Status status = DataDirectory::Open(parent.Path("file")).status();
  EXPECT_EQ(Reason(status), "DATA_DIR_UNUSABLE");
  EXPECT_THAT(status.message(), AllOf(HasSubstr(parent.Path("file")), HasSubstr("directory")));
}

TEST(DataDirectory, MustBeOneThatCanBeMade) {
  const absl::Status status = DataDirectory::Open("/proc/prospero/data").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(status), "DATA_DIR_UNUSABLE");
  EXPECT_THAT(status.message(), HasSubstr("/proc/prospero"));
}

TEST(DataDirectory, IsRemovedWhenItIsTemporary) {
  std::string path;
  {
    const auto directory = DataDirectory::MakeTemporary();
    ASSERT_TRUE(directory.ok()) << directory.status();
    path = directory->path();
    std::ofstream(directory->Path("file")) << "x";
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace prospero::server
