#include "server/store/disk_blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "store_contents.h"

namespace prospero::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::unique_ptr<Blobs> Open(const TestDirectory& directory) {
  auto blobs = OpenDiskBlobs(directory.path());
  EXPECT_TRUE(blobs.ok()) << blobs.status();
  return *std::move(blobs);
}

absl::Status Put(Blobs& blobs, absl::string_view key, absl::string_view bytes) {
  return blobs.Write(key, [bytes](const Blobs::Sink& sink) {
    const size_t half = bytes.size() / 2;
    absl::Status written = sink(bytes.substr(0, half));
    return written.ok() ? sink(bytes.substr(half)) : written;
  });
}

std::string Get(const BlobReader& reader) {
  std::string bytes(static_cast<size_t>(reader.size()) + 10, '\0');
  const auto got = reader.Read(0, static_cast<int64_t>(bytes.size()), bytes.data());
  EXPECT_TRUE(got.ok());
  bytes.resize(static_cast<size_t>(*got));
  return bytes;
}

TEST(DiskBlobs, GiveBackWhatWasWritten) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  ASSERT_TRUE(Put(*blobs, "n1/c-1.safetensors", "hello world").ok());
  const auto reader = *Open(directory)->Open("n1/c-1.safetensors");
  EXPECT_EQ(Get(*reader), "hello world");
  char some[5];
  EXPECT_EQ(*reader->Read(9, 5, some), 2);
  EXPECT_EQ(*reader->Read(100, 5, some), 0);
}

TEST(DiskBlobs, LeaveNothingOfAWriteThatFailed) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  ASSERT_TRUE(Put(*blobs, "n/a", "before").ok());
  const absl::Status status = blobs->Write("n/a", [](const Blobs::Sink& sink) {
    EXPECT_TRUE(sink("half of it").ok());
    return absl::AbortedError("enough");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Get(**blobs->Open("n/a")), "before");
  EXPECT_THAT(*blobs->List(""), ElementsAre("n/a"));
}

TEST(DiskBlobs, ForgetWhatAKilledServerWasWriting) {
  const TestDirectory directory;
  { Put(*Open(directory), "n/a", "x").IgnoreError(); }
  std::ofstream(directory.Path("blobs/n/.writing-7")) << "half";
  const auto blobs = Open(directory);
  EXPECT_FALSE(std::filesystem::exists(directory.Path("blobs/n/.writing-7")));
  EXPECT_THAT(*blobs->List(""), ElementsAre("n/a"));
}

TEST(DiskBlobs, ListThoseThatBeginAlike) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  for (const char* key : {"b/2", "a/1", "b/1", "ab/1"}) ASSERT_TRUE(Put(*blobs, key, "x").ok());
  EXPECT_THAT(*blobs->List("b/"), ElementsAre("b/1", "b/2"));
  EXPECT_THAT(*blobs->List("a"), ElementsAre("a/1", "ab/1"));
  EXPECT_THAT(*blobs->List("c"), IsEmpty());
}

TEST(DiskBlobs, AreRemovedWithTheirFolders) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  ASSERT_TRUE(Put(*blobs, "n/a", "x").ok());
  EXPECT_TRUE(blobs->Remove("n/a").ok());
  EXPECT_TRUE(blobs->Remove("n/a").ok());
  EXPECT_FALSE(std::filesystem::exists(directory.Path("blobs/n")));
  EXPECT_EQ(Reason(blobs->Open("n/a").status()), "BLOB_NOT_FOUND");
  EXPECT_EQ(blobs->Open("n/a").status().code(), absl::StatusCode::kNotFound);
}

TEST(DiskBlobs, StayWhenALinkToThemIsRemoved) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  ASSERT_TRUE(Put(*blobs, "n/a", "x").ok());
  ASSERT_TRUE(blobs->Link("n/a", "m/b").ok());
  ASSERT_TRUE(blobs->Link("n/a", "m/b").ok());
  ASSERT_TRUE(blobs->Remove("n/a").ok());
  EXPECT_EQ(Get(**blobs->Open("m/b")), "x");
  EXPECT_THAT(*blobs->List(""), ElementsAre("m/b"));
  EXPECT_EQ(Reason(blobs->Link("n/a", "m/c")), "BLOB_NOT_FOUND");
}

TEST(DiskBlobs, RefuseKeysThatLeaveTheirFolder) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  for (const char* key : {"", "/etc/x", "../x", "a/../../x", "a//b", "a/.", ".writing-1", "a b",
                          "a\\b", "a/b/", "\xff"}) {
    EXPECT_EQ(Reason(Put(*blobs, key, "x")), "BAD_KEY") << key;
    EXPECT_EQ(Reason(blobs->Open(key).status()), "BAD_KEY") << key;
    EXPECT_EQ(Reason(blobs->Remove(key)), "BAD_KEY") << key;
    EXPECT_EQ(Reason(blobs->Link("a", key)), "BAD_KEY") << key;
    EXPECT_EQ(Reason(blobs->WriteUpload(key, 0, "x")), "BAD_KEY") << key;
  }
  EXPECT_EQ(Reason(blobs->WriteUpload("a/b", 0, "x")), "BAD_KEY");
}

TEST(DiskBlobs, GrowFromUploadsThatOutliveTheServer) {
  const TestDirectory directory;
  {
    const auto blobs = Open(directory);
    ASSERT_TRUE(blobs->WriteUpload("u", 0, "hello ").ok());
    ASSERT_TRUE(blobs->WriteUpload("u", 6, "wxxxx").ok());
  }
  const auto blobs = Open(directory);
  EXPECT_EQ(*blobs->UploadSize("u"), 11);
  ASSERT_TRUE(blobs->WriteUpload("u", 7, "orld").ok());
  EXPECT_EQ(blobs->WriteUpload("u", 12, "!").code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(Get(**blobs->OpenUpload("u")), "hello world");
  ASSERT_TRUE(blobs->FinishUpload("u", "n/s").ok());
  EXPECT_EQ(Get(**blobs->Open("n/s")), "hello world");
  EXPECT_EQ(Reason(blobs->UploadSize("u").status()), "UPLOAD_NOT_FOUND");
  EXPECT_EQ(Reason(blobs->FinishUpload("u", "n/t")), "UPLOAD_NOT_FOUND");
  EXPECT_THAT(*blobs->List(""), ElementsAre("n/s"));
}

TEST(DiskBlobs, ForgetUploadsThatNobodyGoesOnWith) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  ASSERT_TRUE(blobs->WriteUpload("old", 0, "x").ok());
  ASSERT_TRUE(blobs->WriteUpload("new", 0, "x").ok());
  ASSERT_TRUE(blobs->WriteUpload("dropped", 0, "x").ok());
  const auto file = directory.Path("uploads/old");
  std::filesystem::last_write_time(file,
                                   std::filesystem::last_write_time(file) - std::chrono::hours(25));
  ASSERT_TRUE(blobs->DropUploadsOlderThan(24 * 3600).ok());
  ASSERT_TRUE(blobs->DropUpload("dropped").ok());
  EXPECT_FALSE(blobs->UploadSize("old").ok());
  EXPECT_TRUE(blobs->UploadSize("new").ok());
  EXPECT_FALSE(blobs->UploadSize("dropped").ok());
}

TEST(DiskBlobs, AreWrittenAndRemovedByManyAtOnce) {
  const TestDirectory directory;
  const auto blobs = Open(directory);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&blobs, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string key = absl::StrCat("common/", t);
        ASSERT_TRUE(Put(*blobs, key, key).ok());
        EXPECT_EQ(Get(**blobs->Open(key)), key);
        ASSERT_TRUE(blobs->Remove(key).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(*blobs->List(""), IsEmpty());
}

}  // namespace
}  // namespace prospero::server
