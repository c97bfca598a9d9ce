#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace prospero::server {

/// What a write-ahead log of SQLite has in it. SQLite itself takes the frames up to the last good
/// commit and is silent about the rest.
struct WalScan {
  bool header_damaged = false;  ///< SQLite takes nothing from such a log
  int64_t committed = 0;        ///< frames that SQLite takes
  int64_t unfinished = 0;       ///< good frames of a commit that did not come to its end
  int64_t damaged = 0;          ///< frames of this log that are not what was written, or come after
                                ///< such a one
};

/// Empty when there is no log, or one of no bytes. kUnavailable (DISK_ERROR).
absl::StatusOr<WalScan> ScanWal(const std::string& path);

}  // namespace prospero::server
