#include "store_contents.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace prospero::server {

namespace {

/// In memory where there is such a place: what is tested here is not the disk.
std::string Parent() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : testing::TempDir(); }

}  // namespace

TestDirectory::TestDirectory() : path_(Parent() + "prospero-store-XXXXXX") {
  EXPECT_NE(mkdtemp(path_.data()), nullptr);
}

TestDirectory::~TestDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TestDirectory::CopyTo(const TestDirectory& other) const {
  std::filesystem::remove_all(other.path_);
  std::filesystem::copy(path_, other.path_, std::filesystem::copy_options::recursive);
}

namespace {

/// None when they cannot be read.
template <class T>
std::vector<T> ValuesOr(absl::StatusOr<std::vector<T>> values) {
  EXPECT_TRUE(values.ok()) << values.status();
  return values.ok() ? *std::move(values) : std::vector<T>();
}

}  // namespace

Contents ReadAll(Store& store) {
  Contents contents;
  for (const store::StoredNetwork& network : ValuesOr(store.Networks())) {
    const std::string& uid = network.network().uid();
    contents.rows["network " + uid] = network.SerializeAsString();
    if (const auto spec = store.Spec(uid); spec.ok()) {
      contents.rows["spec " + uid] = spec->SerializeAsString();
    }
    for (const store::StoredCheckpoint& row : ValuesOr(store.Checkpoints(uid))) {
      contents.rows[absl::StrCat("checkpoint ", uid, " ", row.seq())] = row.SerializeAsString();
    }
    for (const store::StoredSnapshot& row : ValuesOr(store.Snapshots(uid))) {
      contents.rows[absl::StrCat("snapshot ", uid, " ", row.blob())] = row.SerializeAsString();
    }
    std::vector<std::string>& journal = contents.journals[uid];
    auto reader = store.ReadJournal(uid, 0);
    for (;;) {
      absl::StatusOr<absl::optional<std::string>> piece = (*reader)->Next();
      contents.damaged[uid] = !piece.ok();
      if (!piece.ok() || !piece->has_value()) break;
      journal.push_back(**piece);
    }
  }
  for (const store::StoredAnswer& row : ValuesOr(store.Answers())) {
    contents.rows["answer " + row.request_id()] = row.SerializeAsString();
  }
  return contents;
}

Write Network(const std::string& uid, int version) {
  PutNetwork put{uid, {}};
  put.row.mutable_network()->set_uid(uid);
  put.row.mutable_network()->set_name(absl::StrCat("networks/of-", uid));
  put.row.set_version(version);
  put.row.mutable_use_time()->set_seconds(version);
  return put;
}

Write Spec(const std::string& uid, uint64_t seed) {
  PutSpec put{uid, {}};
  put.spec.set_dt_ms(0.1);
  put.spec.set_seed(seed);
  return put;
}

Write Piece(const std::string& uid, int64_t seq, const std::string& piece) {
  return AppendPiece{uid, seq, piece};
}

Write Checkpoint(const std::string& uid, int64_t seq) {
  PutCheckpoint put{uid, {}};
  put.row.set_seq(seq);
  put.row.set_blob(absl::StrCat(uid, "/c-", seq, ".safetensors"));
  return put;
}

Write SnapshotRow(const std::string& uid, const std::string& id, int64_t seq) {
  PutSnapshot put{uid, id, {}};
  put.row.set_blob(absl::StrCat(uid, "/s-", id, ".safetensors"));
  put.row.set_seq(seq);
  return put;
}

Write Answer(const std::string& request_id, const std::string& answer, int64_t seconds) {
  PutAnswer put;
  put.row.set_request_id(request_id);
  put.row.set_answer(answer);
  put.row.mutable_time()->set_seconds(seconds);
  return put;
}

}  // namespace prospero::server
