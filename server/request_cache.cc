#include "server/request_cache.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/errors.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "server/convert/field.h"
#include "server/store/checksum.h"

namespace prospero::server {
namespace {

constexpr size_t kMaxIdLength = 128;
constexpr absl::Duration kOldest = absl::Hours(7 * 24);

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
  return Checksum(bytes, Checksum(method));
}

void RequestCache::Remember(std::vector<store::StoredAnswer> answers, absl::Time now) {
  MutexLock lock(mu_);
  for (store::StoredAnswer& row : answers) {
    const absl::StatusOr<absl::Time> time = FromProto(row.time(), "time");
    if (!time.ok() || now - *time > kOldest) {
      Post(DropAnswer{row.request_id()});
      continue;
    }
    const auto [it, is_new] = entries_.try_emplace(row.request_id());
    if (!is_new) continue;
    it->second.fingerprint = row.fingerprint();
    it->second.posted = true;
    Answer(it->second, row.request_id(), row.answer());
    if (*time <= now) continue;
    *row.mutable_time() = ToProto(now);  // Or it would never seem to be old.
    Post(PutAnswer{std::move(row)});
  }
  Forget();
}

void RequestCache::Do(const std::string& id, uint64_t fingerprint,
                      const std::function<void()>& work, Reply<Bytes> reply) {
  if (id.size() > kMaxIdLength) {
    return reply(InvalidField(
        "request_id", absl::StrCat("must have at most ", kMaxIdLength, " bytes, got ", id.size())));
  }
  absl::StatusOr<Bytes> known = absl::UnknownError("new");
  bool is_first = false;
  {
    MutexLock lock(mu_);
    Forget();
    const auto [it, is_new] = entries_.try_emplace(id);
    Entry& entry = it->second;
    if (is_new) {
      entry.fingerprint = fingerprint;
      entry.waiting.push_back(std::move(reply));
      is_first = true;
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
  if (is_first) return work();
  if (!known.ok()) return reply(std::move(known));
  // The disk may have refused it when it was answered first.
  Await([reply = std::move(reply), known = std::move(known)](const absl::Status& kept) {
    if (!kept.ok()) return reply(kept);
    reply(known);
  });
}

Write RequestCache::MakeAnswer(const std::string& id, Bytes answer) {
  store::StoredAnswer row;
  row.set_request_id(id);
  row.set_answer(std::move(answer));
  *row.mutable_time() = ToProto(absl::Now());
  MutexLock lock(mu_);
  Entry& entry = entries_.at(id);
  entry.posted = true;
  row.set_fingerprint(entry.fingerprint);
  return PutAnswer{std::move(row)};
}

void RequestCache::Answer(Entry& entry, const std::string& id, Bytes answer) {
  entry.answered = true;
  entry.answer = std::move(answer);
  entry.time = options_.time->Now();
  entry.age = by_age_.insert(by_age_.end(), id);
  bytes_ += entry.answer.size();
}

void RequestCache::Settle(const std::string& id, const absl::Status& kept, Bytes answer) {
  std::vector<Reply<Bytes>> waiting;
  const absl::StatusOr<Bytes> said =
      kept.ok() ? absl::StatusOr<Bytes>(answer) : absl::StatusOr<Bytes>(kept);
  {
    MutexLock lock(mu_);
    Entry& entry = entries_.at(id);
    waiting.swap(entry.waiting);
    Answer(entry, id, std::move(answer));
    Forget();
  }
  for (const Reply<Bytes>& reply : waiting) reply(said);
}

void RequestCache::Break(const std::string& id, const absl::Status& why) {
  std::vector<Reply<Bytes>> waiting;
  {
    MutexLock lock(mu_);
    const auto it = entries_.find(id);
    waiting.swap(it->second.waiting);
    if (it->second.posted) Post(DropAnswer{id});
    entries_.erase(it);
  }
  for (const Reply<Bytes>& reply : waiting) reply(why);
}

void RequestCache::Forget() {
  const Clock::Time now = options_.time->Now();
  while (!by_age_.empty()) {
    const auto oldest = entries_.find(by_age_.front());
    const bool expired = now - oldest->second.time >= options_.lifetime;
    if (!expired && by_age_.size() <= options_.max_answers && bytes_ <= options_.max_bytes) return;
    bytes_ -= oldest->second.answer.size();
    if (oldest->second.posted) Post(DropAnswer{oldest->first});
    entries_.erase(oldest);
    by_age_.pop_front();
  }
}

void RequestCache::Post(Write write) {
  if (options_.committer == nullptr) return;
  std::vector<Write> writes;
  writes.push_back(std::move(write));
  options_.committer->Post(std::move(writes));
}

void RequestCache::Await(Committer::Then then) {
  if (options_.committer == nullptr) return then(absl::OkStatus());
  options_.committer->Await(std::move(then));
}

}  // namespace prospero::server
