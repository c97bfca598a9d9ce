#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/records.h"

namespace prospero::server {

/// How many rows each table has, and the checksums of all of them, combined so that the order does
/// not matter. Each commit changes it and writes it: rows that are gone, altered, or as they were
/// before, cannot hide.
class Tally {
 public:
  int64_t commit = 0;  ///< the last one's number
  int version = 0;     ///< of the format

  void Add(Table table, uint64_t checksum);
  void Remove(Table table, uint64_t checksum);
  int64_t rows(Table table) const { return counts_[static_cast<size_t>(table)].rows; }
  /// Rows and checksums of that table are the same in both.
  bool Agrees(const Tally& other, Table table) const;

  std::string Serialize() const;
  /// kDataLoss.
  static absl::StatusOr<Tally> Parse(absl::string_view bytes);

  /// The one that the last commit wrote. kDataLoss when it is damaged or missing.
  static absl::StatusOr<Tally> Load(const Database& database);
  /// Of what is there; commit and version are 0.
  static absl::StatusOr<Tally> Count(const Database& database);
  /// Puts it into the database.
  absl::Status Store(const Database& database) const;

 private:
  struct Counts {
    int64_t rows = 0;
    uint64_t sum = 0;
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  std::array<Counts, kTableCount> counts_;
};

/// Of its row in kMeta.
constexpr RowKey kTallyKey = {"", 0, "tally"};

}  // namespace prospero::server
