#include "server/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace prospero::server {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

std::string Now() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
}

/// As it stands in a line of text: quoted when it holds more than a plain word.
std::string ToText(const std::string& value) {
  const std::string escaped = absl::Utf8SafeCEscape(value);
  const bool plain = !value.empty() && escaped == value && value.find_first_of(" =") == value.npos;
  return plain ? value : absl::StrCat("\"", escaped, "\"");
}
std::string ToText(int64_t value) { return absl::StrCat(value); }
std::string ToText(double value) { return absl::StrCat(value); }

std::string TextLine(LogLevel level, absl::string_view message,
                     const std::vector<LogField>& fields) {
  std::string line = absl::StrCat(Now(), " ", NameOf(level), " ", absl::Utf8SafeCEscape(message));
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& value) { absl::StrAppend(&line, " ", field.key, "=", ToText(value)); },
        field.value);
  }
  return line;
}

std::string JsonLine(LogLevel level, absl::string_view message,
                     const std::vector<LogField>& fields) {
  nlohmann::ordered_json line = {
      {"time", Now()}, {"level", std::string(NameOf(level))}, {"message", std::string(message)}};
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.key)] = value; }, field.value);
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const Options& options, spdlog::sink_ptr sink)
      : json_(options.json), logger_("prosperod", std::move(sink)) {
    logger_.set_level(ToSpdlog(options.level));
    logger_.set_pattern("%v");
    logger_.flush_on(spdlog::level::info);
  }

  bool Enabled(LogLevel level) const override { return logger_.should_log(ToSpdlog(level)); }

  void Write(LogLevel level, absl::string_view message,
             const std::vector<LogField>& fields) override {
    if (!Enabled(level)) return;
    logger_.log(ToSpdlog(level),
                json_ ? JsonLine(level, message, fields) : TextLine(level, message, fields));
  }

  void Flush() override { logger_.flush(); }

 private:
  const bool json_;
  spdlog::logger logger_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Logger>> Logger::Make(const Options& options) {
  try {
    spdlog::sink_ptr sink;
    if (options.path.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.path);
    }
    return std::make_unique<SpdlogLogger>(options, std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace prospero::server
