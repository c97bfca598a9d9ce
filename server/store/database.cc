#include "server/store/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

absl::Status FromSqlite(sqlite3* database, int code) {
  const int error = sqlite3_system_errno(database);
  const std::string message = absl::StrCat(
      "the database says: ", sqlite3_errmsg(database),
      (code & 0xff) == SQLITE_IOERR && error != 0
          ? absl::StrCat(" (", std::string(sqlite3_errstr(code)), ", errno ", error, ")")
          : "");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", message);
    case SQLITE_IOERR:
      if (error == ENOSPC || error == EDQUOT) {
        return Error(absl::StatusCode::kResourceExhausted, "DISK_FULL", message);
      }
      return Error(absl::StatusCode::kUnavailable, "DISK_ERROR", message);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return Error(absl::StatusCode::kUnavailable, "DISK_ERROR", message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(absl::StatusCode::kDataLoss, "DATA_LOSS", message);
    default:
      return absl::InternalError(absl::StrCat(message, " (code ", code, ")"));
  }
}

}  // namespace

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Database::~Database() { sqlite3_close(handle_); }

absl::StatusOr<Database> Database::Open(const std::string& path, bool create) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  const int code =
      sqlite3_open_v2(path.empty() ? ":memory:" : path.c_str(), &handle, flags, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) return FromSqlite(handle, code);
  sqlite3_extended_result_codes(handle, 1);
  // A checkpoint holds the lock for as long as the disk needs: a commit waits for it.
  sqlite3_busy_timeout(handle, /*ms=*/60'000);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return database;
}

absl::Status Database::Run(const std::string& sql) const {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : FromSqlite(handle_, code);
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return FromSqlite(handle_, code);
  return Statement(statement);
}

absl::StatusOr<int64_t> Database::Number(absl::string_view sql) const {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->Int(0) : 0;
}

absl::StatusOr<std::string> Database::Text(absl::string_view sql) const {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  std::string text;
  for (;;) {
    const absl::StatusOr<bool> row = statement->Step();
    if (!row.ok()) return row.status();
    if (!*row) return text;
    absl::StrAppend(&text, text.empty() ? "" : "\n", statement->Bytes(0));
  }
}

void Database::CheckpointWhenClosed(bool wanted) const {
  if (handle_ == nullptr) return;
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

Statement::Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::Bind(int position, int64_t value) {
  sqlite3_bind_int64(handle_, position, value);
  return *this;
}

Statement& Statement::Bind(int position, absl::string_view text) {
  sqlite3_bind_text64(handle_, position, text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::BindBlob(int position, absl::string_view bytes) {
  sqlite3_bind_blob64(handle_, position, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(handle_);
    return false;
  }
  absl::Status status = FromSqlite(sqlite3_db_handle(handle_), code);
  sqlite3_reset(handle_);
  return status;
}

absl::Status Statement::Finish() {
  for (;;) {
    const absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

void Statement::Reset() { sqlite3_reset(handle_); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(handle_, column); }

absl::string_view Statement::Bytes(int column) const {
  const void* const data = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return data == nullptr
             ? absl::string_view()
             : absl::string_view(static_cast<const char*>(data), static_cast<size_t>(size));
}

bool Statement::IsText(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_TEXT;
}

bool Statement::IsInt(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_INTEGER;
}

}  // namespace prospero::server
