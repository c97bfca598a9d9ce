#include "server/request_cache.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxIdLength = 128;

}  // namespace

uint64_t RequestCache::Fingerprint(absl::string_view method,
                                   const google::protobuf::MessageLite& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return absl::HashOf(method, bytes);
}

void RequestCache::Do(const std::string& id, uint64_t fingerprint,
                      const std::function<void(Reply<Bytes>)>& work, Reply<Bytes> reply) {
  if (id.size() > kMaxIdLength) {
    return reply(InvalidField(
        "request_id", absl::StrCat("must have at most ", kMaxIdLength, " bytes, got ", id.size())));
  }
  absl::StatusOr<Bytes> known;
  {
    MutexLock lock(mu_);
    Forget();
    const auto [it, is_new] = entries_.try_emplace(id);
    Entry& entry = it->second;
    if (is_new) {
      entry.fingerprint = fingerprint;
      entry.waiting.push_back(std::move(reply));
      reply = nullptr;
    } else if (entry.fingerprint != fingerprint) {
      known = FieldError(absl::StatusCode::kInvalidArgument, "REQUEST_ID_REUSED", "request_id",
                         "came before with another request");
    } else if (entry.answered) {
      known = entry.answer;
    } else {
      entry.waiting.push_back(std::move(reply));
      return;
    }
  }
  if (reply != nullptr) return reply(std::move(known));
  work([this, id](const absl::StatusOr<Bytes>& answer) { Finish(id, answer); });
}

void RequestCache::Finish(const std::string& id, const absl::StatusOr<Bytes>& answer) {
  std::vector<Reply<Bytes>> waiting;
  {
    MutexLock lock(mu_);
    const auto it = entries_.find(id);
    waiting.swap(it->second.waiting);
    if (answer.ok()) {
      Entry& entry = it->second;
      entry.answered = true;
      entry.answer = *answer;
      entry.time = options_.time->Now();
      entry.age = by_age_.insert(by_age_.end(), id);
      bytes_ += answer->size();
      Forget();
    } else {
      entries_.erase(it);
    }
  }
  for (const Reply<Bytes>& reply : waiting) reply(answer);
}

void RequestCache::Forget() {
  const Clock::Time now = options_.time->Now();
  while (!by_age_.empty()) {
    const auto oldest = entries_.find(by_age_.front());
    const bool expired = now - oldest->second.time >= options_.lifetime;
    if (!expired && by_age_.size() <= options_.max_answers && bytes_ <= options_.max_bytes) return;
    bytes_ -= oldest->second.answer.size();
    entries_.erase(oldest);
    by_age_.pop_front();
  }
}

}  // namespace prospero::server
