#include "server/call_log.h"

#include <utility>
#include <vector>

#include "engine/core/errors.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxText = 128;  // [bytes] of what a client chooses

std::string Metadata(const grpc::ServerContextBase& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return "";
  return {found->second.data(), std::min(found->second.size(), kMaxText)};
}

/// The trace id of a W3C traceparent, "00-<32 digits>-<16 digits>-<2 digits>".
std::string TraceOf(const grpc::ServerContextBase& context) {
  std::string trace = Metadata(context, "x-trace-id");
  if (!trace.empty()) return trace;
  const std::string parent = Metadata(context, "traceparent");
  constexpr size_t kStart = 3;
  constexpr size_t kDigits = 32;
  return parent.size() >= kStart + kDigits ? parent.substr(kStart, kDigits) : "";
}

}  // namespace

CallLog::CallLog(Host* host, LogLevel level, absl::string_view method,
                 const grpc::ServerContextBase& context)
    : visit_(&host->calls),
      log_(host->log),
      level_(level),
      method_(method),
      start_(std::chrono::steady_clock::now()) {
  if (!log_->Enabled(level_)) return;
  peer_ = context.peer();
  trace_ = TraceOf(context);
}

void CallLog::set_network(absl::string_view name) {
  network_ = std::string(name.substr(0, kMaxText));
}

void CallLog::Finish(const absl::Status& status) {
  Logger* const log = std::exchange(log_, nullptr);
  if (log == nullptr || !log->Enabled(level_)) return;
  const std::chrono::duration<double, std::milli> duration =
      std::chrono::steady_clock::now() - start_;
  std::vector<LogField> fields = {{"method", method_},
                                  {"network", network_},
                                  {"code", absl::StatusCodeToString(status.code())},
                                  {"duration_ms", duration.count()},
                                  {"peer", peer_}};
  if (!status.ok()) fields.push_back({"reason", Reason(status)});
  if (!trace_.empty()) fields.push_back({"trace", trace_});
  log->Write(level_, "call", fields);
}

}  // namespace prospero::server
