#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace prospero::server {

class Statement;

/// A connection to an SQLite database. For one thread at a time.
///
/// Errors: kResourceExhausted (DISK_FULL), kUnavailable (DISK_ERROR), kDataLoss (DATA_LOSS) when
/// the file is damaged, kInternal for what only we can have done wrong.
class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  /// Opens the file, or makes it when `create`. An empty path: a database in memory.
  static absl::StatusOr<Database> Open(const std::string& path, bool create);

  /// Commands that give no rows, or whose rows nobody wants.
  absl::Status Run(const std::string& sql) const;
  absl::StatusOr<Statement> Prepare(absl::string_view sql) const;
  /// Of the first column of the first row; 0 when there is none.
  absl::StatusOr<int64_t> Number(absl::string_view sql) const;
  /// The first column of all rows, a line each.
  absl::StatusOr<std::string> Text(absl::string_view sql) const;

  /// Whether closing the last connection writes the log into the database and removes it.
  void CheckpointWhenClosed(bool wanted) const;
  sqlite3* get() const { return handle_; }

 private:
  explicit Database(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_ = nullptr;
};

/// One prepared command. Its database must outlive it. Bound bytes must stay until Step returned
/// for the last time.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& Bind(int position, int64_t value);
  Statement& Bind(int position, absl::string_view text);
  Statement& BindBlob(int position, absl::string_view bytes);
  /// True when there is a row. After an error, and after the last row, it begins anew.
  absl::StatusOr<bool> Step();
  /// Steps to the end.
  absl::Status Finish();
  void Reset();

  // Of the present row, from 0 on; bytes are valid until the next Step or Reset.
  int64_t Int(int column) const;
  absl::string_view Bytes(int column) const;
  bool IsText(int column) const;
  bool IsInt(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace prospero::server
