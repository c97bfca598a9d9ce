#include "server/store/snapshot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/store/safetensors.h"

namespace prospero::server {
namespace {

using testing::HasSubstr;

class TextReader final : public BlobReader {
 public:
  explicit TextReader(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  absl::StatusOr<int64_t> Read(int64_t offset, int64_t count, char* to) const override {
    const int64_t got = std::clamp<int64_t>(size() - offset, 0, count);
    std::memcpy(to, bytes_.data() + offset, static_cast<size_t>(got));
    return got;
  }

 private:
  const std::string bytes_;
};

template <class T>
std::string Packed(std::vector<T> values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

Snapshot Example() {
  Snapshot snapshot;
  snapshot.epoch = 3;
  snapshot.step = 123'456'789'012;
  snapshot.seed = ~uint64_t{0};
  snapshot.noise_seed = 7;
  snapshot.arrays = {
      {"hidden.u", DataType::kFloat32, {3}, Packed<float>({1.5F, -2.0F, 0.0F})},
      {"W", DataType::kFloat64, {2, 3}, Packed<double>({1, 2, 3, 4, 5, 6.25})},
      {"learning", DataType::kFloat64, {}, Packed<double>({1})},
      {"nothing", DataType::kFloat32, {0, 4}, ""},
  };
  return snapshot;
}

SnapshotInfo About() {
  SnapshotInfo info;
  info.network = "networks/walker";
  info.uid = "3f2a";
  info.model = "gle";
  info.precision = "FLOAT32";
  info.dt_ms = 0.1;
  info.spec.set_dt_ms(0.1);
  info.spec.set_seed(9);
  info.spec.mutable_gle()->add_populations()->set_name("\"checksum\":\"0000000000000000\" ü");
  info.build = "0.1.0, gcc";
  info.create_time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  return info;
}

std::string Written(const Snapshot& snapshot, const SnapshotInfo& info) {
  std::string bytes;
  const absl::Status status = WriteSnapshot(snapshot, info, [&bytes](absl::string_view chunk) {
    EXPECT_LE(chunk.size(), size_t{1} << 20);
    absl::StrAppend(&bytes, chunk);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return bytes;
}

TEST(SnapshotFile, GivesBackBitForBitWhatWasWritten) {
  const TextReader reader(Written(Example(), About()));
  SnapshotInfo info;
  const absl::StatusOr<Snapshot> snapshot = ReadSnapshot(reader, &info);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->arrays, Example().arrays);
  EXPECT_EQ(snapshot->epoch, 3);
  EXPECT_EQ(snapshot->step, 123'456'789'012);
  EXPECT_EQ(snapshot->seed, ~uint64_t{0});
  EXPECT_EQ(snapshot->noise_seed, 7U);
  EXPECT_EQ(info.network, "networks/walker");
  EXPECT_EQ(info.uid, "3f2a");
  EXPECT_EQ(info.model, "gle");
  EXPECT_EQ(info.precision, "FLOAT32");
  EXPECT_EQ(info.dt_ms, 0.1);
  EXPECT_EQ(info.build, "0.1.0, gcc");
  EXPECT_EQ(info.create_time, About().create_time);
  EXPECT_EQ(info.cursor, (Cursor{3, 123'456'789'012}));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(info.spec, About().spec));
}

TEST(SnapshotFile, SaysWhatItIsInItsMetadata) {
  const std::string bytes = Written(Example(), About());
  const auto header =
      DecodeHeader(*ReadHeaderBytes(TextReader(bytes)), static_cast<int64_t>(bytes.size()));
  ASSERT_TRUE(header.ok()) << header.status();
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"format", "prospero-snapshot"},
                                          {"format_version", "1"},
                                          {"model", "gle"},
                                          {"precision", "FLOAT32"},
                                          {"dt_ms", "0.1"},
                                          {"epoch", "3"},
                                          {"step", "123456789012"},
                                          {"seed", "18446744073709551615"},
                                          {"noise_seed", "7"},
                                          {"create_time", "2023-11-14T22:13:20.123456789+00:00"}}) {
    EXPECT_EQ(header->metadata.at(key), value) << key;
  }
  EXPECT_EQ(header->bytes % 8, 0);
}

TEST(SnapshotFile, TellsEveryByteThatIsNotAsItWasWritten) {
  const std::string bytes = Written(Example(), About());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      const TextReader reader(damaged);
      const absl::Status status = ReadSnapshot(reader, nullptr).status();
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << "byte " << i;
      ASSERT_EQ(Reason(status), "SNAPSHOT_DAMAGED");
      ASSERT_EQ(CheckSnapshot(reader), status);
    }
  }
}

TEST(SnapshotFile, TellsThatItWasCutOffOrGrew) {
  const std::string bytes = Written(Example(), About());
  for (size_t size = 0; size < bytes.size(); ++size) {
    const absl::Status status = ReadSnapshot(TextReader(bytes.substr(0, size)), nullptr).status();
    ASSERT_EQ(Reason(status), "SNAPSHOT_DAMAGED") << size;
  }
  EXPECT_EQ(Reason(CheckSnapshot(TextReader(bytes + "x"))), "SNAPSHOT_DAMAGED");
}

TEST(SnapshotFile, NamesTheArrayThatIsDamaged) {
  std::string bytes = Written(Example(), About());
  bytes[bytes.size() - 9] ^= 1;  // before the 8 bytes of "learning"
  EXPECT_THAT(CheckSnapshot(TextReader(bytes)).message(), HasSubstr("the array 'W' is damaged"));
  EXPECT_TRUE(ReadSnapshotInfo(TextReader(bytes)).ok());
}

TEST(SnapshotFile, IsReadInChunks) {
  Snapshot large = Example();
  large.arrays[0] = {"large", DataType::kFloat32, {1'000'000}, std::string(4'000'000, 'x')};
  const TextReader reader(Written(large, About()));
  EXPECT_EQ(ReadSnapshot(reader, nullptr)->arrays, large.arrays);
  EXPECT_TRUE(CheckSnapshot(reader).ok());
}

TEST(SnapshotFile, GivesTheErrorOfItsSink) {
  int chunks = 0;
  const absl::Status status = WriteSnapshot(Example(), About(), [&chunks](absl::string_view) {
    return ++chunks < 2 ? absl::OkStatus() : absl::AbortedError("full");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(chunks, 2);
}

/// A header as somebody else might have written it, for a file with `data` bytes behind it.
absl::Status Decode(const std::string& json, int64_t data) {
  const std::string bytes = std::string(8, '\0') + json;
  return DecodeHeader(bytes, static_cast<int64_t>(bytes.size()) + data).status();
}

TEST(Safetensors, KnowTheFormatOfOthers) {
  EXPECT_TRUE(Decode(R"({"a":{"shape":[2],"dtype":"F64","data_offsets":[0,16]}}   )", 16).ok());
  EXPECT_TRUE(Decode(R"({"__metadata__":{"k":"v"}})", 0).ok());
  EXPECT_TRUE(Decode("{}", 0).ok());
}

TEST(Safetensors, RefuseWhatMakesNoSense) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "no JSON"},
      {"[]", "a list"},
      {"{", "no JSON"},
      {"null", "null"},
      {R"({"a":1})", "a number"},
      {R"({"a":{}})", "lacks"},
      {R"({"__metadata__":{"k":1}})", "a number"},
      {R"({"__metadata__":{"k":{"l":"m"}}})", "an object"},
      {R"({"a":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}})", "another type"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "negative"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", "not whole"},
      {R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", "a list"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "two data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", "two data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "the place"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "the place"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})",
       "the place"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", "a number"},
      {R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})", "the file has 4"},
      {std::string(100'000, '['), "a list"},
      {R"({"a":)" + std::string(100'000, '{'), "no JSON"},
  };
  for (const auto& [json, why] : wrong) {
    const absl::Status status = Decode(json, 4);
    EXPECT_EQ(Reason(status), "SNAPSHOT_DAMAGED") << json.substr(0, 80);
    EXPECT_THAT(status.message(), HasSubstr(why)) << json.substr(0, 80);
  }
}

TEST(Safetensors, BoundTheHeaderByTheFile) {
  std::string bytes(100, '\0');
  for (const uint64_t length : {uint64_t{93}, uint64_t{1} << 40, ~uint64_t{0}}) {
    std::memcpy(bytes.data(), &length, sizeof(length));
    EXPECT_THAT(ReadHeaderBytes(TextReader(bytes)).status().message(),
                HasSubstr("there is room for 92"));
  }
}

}  // namespace
}  // namespace prospero::server
