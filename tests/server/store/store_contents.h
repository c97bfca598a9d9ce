#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/store/store.h"

namespace prospero::server {

/// A directory of its own, removed with all that is in it.
class TestDirectory {
 public:
  TestDirectory();
  ~TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  /// As it is now, of a server that was killed.
  void CopyTo(const TestDirectory& other) const;

 private:
  std::string path_;
};

/// All that a store gives, as text.
struct Contents {
  std::map<std::string, std::string> rows;                   ///< but for pieces
  std::map<std::string, std::vector<std::string>> journals;  ///< from piece 0 on, of each network
  std::map<std::string, bool> damaged;                       ///< journals that end with an error
};
Contents ReadAll(Store& store);

Write Network(const std::string& uid, int version);
Write Spec(const std::string& uid, uint64_t seed);
Write Piece(const std::string& uid, int64_t seq, const std::string& piece);
Write Checkpoint(const std::string& uid, int64_t seq);
Write SnapshotRow(const std::string& uid, const std::string& id, int64_t seq);
Write Answer(const std::string& request_id, const std::string& answer, int64_t seconds);

}  // namespace prospero::server
