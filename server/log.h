#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace prospero::server {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

/// One thing that a line of the log says.
struct LogField {
  absl::string_view key;
  std::variant<std::string, int64_t, double> value;
};

/// Writes lines, as text (`message key=value ...`) or as one JSON object each. Thread-safe.
class Logger {
 public:
  struct Options {
    bool json = false;
    LogLevel level = LogLevel::kInfo;  ///< the least that is written
    std::string path;                  ///< of the file to append to; empty: stderr
  };
  /// kInvalidArgument when the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<Logger>> Make(const Options& options);
  virtual ~Logger() = default;

  virtual bool Enabled(LogLevel level) const = 0;
  virtual void Write(LogLevel level, absl::string_view message,
                     const std::vector<LogField>& fields) = 0;
  virtual void Flush() = 0;
};

}  // namespace prospero::server
