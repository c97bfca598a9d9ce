#include "server/store/sqlite_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

constexpr int64_t kPiecesAtOnce = 1 << 20;  // [bytes]

absl::Status Lost(absl::string_view what) {
  return Error(absl::StatusCode::kDataLoss, "DATA_LOSS", what);
}

auto Moment(const google::protobuf::Timestamp& time) {
  return std::make_pair(time.seconds(), time.nanos());
}

}  // namespace

void SqliteReader::LeftOut(Table table, const RowKey& key) {
  std::string row = Describe(table, key);
  if (!left_out_.insert(row).second) return;
  findings_.push_back(absl::StrCat(row, " is damaged and was left out"));
}

absl::Status SqliteReader::Visit(Table table, const absl::optional<absl::string_view>& uid,
                                 absl::FunctionRef<bool(const RowView&)> visit) {
  absl::StatusOr<Statement> rows =
      database_.Prepare(absl::StrCat("SELECT ", kColumns, " FROM ", NameOf(table),
                                     uid ? " WHERE uid = ?" : "", " ORDER BY uid, number, id"));
  if (!rows.ok()) return rows.status();
  if (uid) rows->Bind(1, *uid);
  for (;;) {
    const absl::StatusOr<bool> there = rows->Step();
    if (!there.ok()) return there.status();
    if (!*there) return absl::OkStatus();
    const RowView row = ReadRow(table, *rows);
    if (!row.intact || !visit(row)) LeftOut(table, row.key);
  }
}

template <class Message>
absl::StatusOr<std::vector<Message>> SqliteReader::Messages(
    Table table, const absl::optional<absl::string_view>& uid) {
  std::vector<Message> messages;
  const absl::Status visited = Visit(table, uid, [&messages](const RowView& row) {
    messages.emplace_back();
    if (messages.back().ParseFromArray(row.content.data(), static_cast<int>(row.content.size()))) {
      return true;
    }
    messages.pop_back();
    return false;
  });
  if (!visited.ok()) return visited;
  return messages;
}

absl::StatusOr<std::vector<store::StoredNetwork>> SqliteReader::Networks() {
  auto networks = Messages<store::StoredNetwork>(Table::kNetworks, absl::nullopt);
  if (!networks.ok()) return networks.status();
  std::stable_sort(networks->begin(), networks->end(), [](const auto& a, const auto& b) {
    return Moment(a.use_time()) > Moment(b.use_time());
  });
  return networks;
}

absl::StatusOr<v1::NetworkSpec> SqliteReader::Spec(absl::string_view uid) {
  const auto specs = Messages<v1::NetworkSpec>(Table::kSpecs, uid);
  if (!specs.ok()) return specs.status();
  if (specs->empty()) return Lost(absl::StrCat("the spec of the network ", uid, " is missing"));
  return specs->front();
}

absl::StatusOr<std::vector<store::StoredCheckpoint>> SqliteReader::Checkpoints(
    absl::string_view uid) {
  auto checkpoints = Messages<store::StoredCheckpoint>(Table::kCheckpoints, uid);
  if (checkpoints.ok()) std::reverse(checkpoints->begin(), checkpoints->end());
  return checkpoints;
}

absl::StatusOr<std::vector<store::StoredSnapshot>> SqliteReader::Snapshots(absl::string_view uid) {
  auto snapshots = Messages<store::StoredSnapshot>(Table::kSnapshots, uid);
  if (!snapshots.ok()) return snapshots.status();
  std::stable_sort(snapshots->begin(), snapshots->end(),
                   [](const auto& a, const auto& b) { return a.seq() > b.seq(); });
  return snapshots;
}

absl::StatusOr<std::vector<store::StoredAnswer>> SqliteReader::Answers() {
  auto answers = Messages<store::StoredAnswer>(Table::kAnswers, absl::nullopt);
  if (!answers.ok()) return answers.status();
  std::stable_sort(answers->begin(), answers->end(), [](const auto& a, const auto& b) {
    return Moment(a.time()) < Moment(b.time());
  });
  return answers;
}

absl::StatusOr<Store::Extent> SqliteReader::JournalExtent(absl::string_view uid, int64_t from) {
  absl::StatusOr<Statement> sum = database_.Prepare(
      absl::StrCat("SELECT max(number) + 1, coalesce(sum(length(content) - ", kChainBytes,
                   "), 0), count(*) FROM journal WHERE uid = ? AND number >= ?"));
  if (!sum.ok()) return sum.status();
  sum->Bind(1, uid).Bind(2, from);
  if (const absl::StatusOr<bool> row = sum->Step(); !row.ok()) return row.status();
  return Store::Extent{sum->Int(2) == 0 ? from : sum->Int(0), sum->Int(1)};
}

absl::StatusOr<bool> SqliteReader::IsLost(absl::string_view uid, int64_t number) {
  absl::StatusOr<Statement> gap =
      database_.Prepare("SELECT 1 FROM gaps WHERE uid = ? AND number = ?");
  if (!gap.ok()) return gap.status();
  gap->Bind(1, uid).Bind(2, number);
  return gap->Step();
}

absl::StatusOr<std::deque<SqliteReader::Piece>> SqliteReader::Pieces(absl::string_view uid,
                                                                     int64_t from) {
  absl::StatusOr<Statement> rows = database_.Prepare(absl::StrCat(
      "SELECT ", kColumns, " FROM journal WHERE uid = ? AND number >= ? ORDER BY number"));
  if (!rows.ok()) return rows.status();
  rows->Bind(1, uid).Bind(2, from);
  std::deque<Piece> pieces;
  absl::Status wrong;
  for (int64_t bytes = 0; bytes < kPiecesAtOnce;) {
    const absl::StatusOr<bool> there = rows->Step();
    if (!there.ok()) wrong = there.status();
    if (!there.ok() || !*there) break;
    const int64_t expected = from + static_cast<int64_t>(pieces.size());
    const RowView row = ReadRow(Table::kJournal, *rows);
    const bool damaged = !row.intact;
    if (damaged || row.key.number != expected) {
      wrong = Lost(absl::StrCat("piece ", expected, " of the journal of the network ", uid, " is ",
                                damaged ? "damaged" : "missing"));
      break;
    }
    bytes += static_cast<int64_t>(row.content.size());
    pieces.push_back(
        {std::string(row.content.substr(kChainBytes)), ChainOf(row.content), row.checksum});
  }
  if (!pieces.empty()) return pieces;
  if (!wrong.ok()) return wrong;
  const absl::StatusOr<bool> lost = IsLost(uid, from);
  if (!lost.ok()) return lost.status();
  if (*lost) {
    return Lost(absl::StrCat("pieces of the journal of the network ", uid, " from ", from,
                             " on may have been lost when the store was damaged"));
  }
  return pieces;
}

}  // namespace prospero::server
