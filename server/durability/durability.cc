#include "server/durability/durability.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "server/blueprint.h"
#include "server/durability/checkpoints.h"
#include "server/host.h"

namespace prospero::server {
namespace {

void TakeBack(Host& host, const std::shared_ptr<Record>& record) {
  host.control.Post([&host, record] {
    record->instance().End(absl::CancelledError("the network was not made"));
    host.committer.Post({DropNetwork{record->uid()}});
    RemoveBlobsLater(host, record->uid());
  });
}

/// A change of durability on its way.
struct Change : std::enable_shared_from_this<Change> {
  Change(Host& host_given, std::shared_ptr<Record> record_given, v1::Durability to_given,
         std::function<std::vector<Write>()> with_given,
         std::function<void(const absl::Status&)> done_given)
      : host(host_given),
        record(std::move(record_given)),
        from(record->keeper().durability()),
        to(to_given),
        with(std::move(with_given)),
        done(std::move(done_given)) {}

  void Begin();
  void Checkpoint();
  std::vector<Write> Enact();
  void End(const absl::Status& status);
  void SwitchJournal(std::shared_ptr<Journal> journal, std::function<void()> then);

  Host& host;
  const std::shared_ptr<Record> record;
  const v1::Durability from;
  const v1::Durability to;
  const std::function<std::vector<Write>()> with;
  const std::function<void(const absl::Status&)> done;
  bool enacted = false;
};

void Change::Begin() {
  Keeper& keeper = record->keeper();
  if (from == v1::DURABILITY_NONE) {
    keeper.Interrupt();
    return SwitchJournal(record->shared_keeper(),
                         [self = shared_from_this()] { self->Checkpoint(); });
  }
  if (to == v1::DURABILITY_NONE) return Checkpoint();
  keeper.Post(Enact());
  keeper.Await([self = shared_from_this()](const absl::Status& kept) { self->End(kept); });
}

void Change::Checkpoint() {
  const auto self = shared_from_this();
  TakeCheckpoint(
      host, record, [self](const absl::Status& status) { self->End(status); },
      [self] { return self->Enact(); });
}

std::vector<Write> Change::Enact() {
  enacted = true;
  record->keeper().set_durability(to);
  return with();
}

void Change::End(const absl::Status& status) {
  if (!status.ok()) {
    record->keeper().set_durability(from);
    if (enacted) record->keeper().Post({record->Row()});
  }
  const v1::Durability now = status.ok() ? to : from;
  if (now != v1::DURABILITY_NONE) return done(status);
  SwitchJournal(nullptr, [self = shared_from_this(), status] { self->done(status); });
}

/// A network that has ended meanwhile needs no journal.
void Change::SwitchJournal(std::shared_ptr<Journal> journal, std::function<void()> then) {
  record->instance().SetJournal(
      std::move(journal), [then = std::move(then)](const absl::StatusOr<Cursor>&) { then(); });
}

}  // namespace

absl::StatusOr<v1::Durability> ChooseDurability(const Host& host, v1::Durability wanted,
                                                absl::string_view path) {
  switch (wanted) {
    case v1::DURABILITY_UNSPECIFIED:
      return DefaultDurability(host.storage);
    case v1::DURABILITY_NONE:
      return wanted;
    case v1::DURABILITY_ASYNC:
    case v1::DURABILITY_SYNC:
      if (!host.storage.ephemeral) return wanted;
      return FieldError(absl::StatusCode::kFailedPrecondition, "STORAGE_EPHEMERAL", path,
                        "can only be NONE: the server was started with --ephemeral");
    default:
      return InvalidField(path, absl::StrCat("is unknown: ", static_cast<int>(wanted)));
  }
}

void BeginJournal(const Record& record, Instance::Done<Cursor> done) {
  if (record.keeper().durability() == v1::DURABILITY_NONE) {
    return done(record.instance().status().cursor);
  }
  record.instance().SetJournal(record.shared_keeper(), std::move(done));
}

void Establish(Host& host, const std::shared_ptr<Record>& record, bool has_past,
               std::vector<Write> answer, std::function<void(const absl::Status&)> done) {
  const auto finish = [&host, record, done = std::move(done)](const absl::Status& kept) {
    if (!kept.ok()) TakeBack(host, record);
    done(kept);
  };
  std::vector<Write> writes = {PutSpec{record->uid(), record->spec()}, record->Row()};
  writes.insert(writes.end(), std::make_move_iterator(answer.begin()),
                std::make_move_iterator(answer.end()));
  if (has_past && !host.storage.ephemeral) {
    return TakeCheckpoint(host, record, finish, [writes] { return writes; });
  }
  record->keeper().Post(std::move(writes));
  record->keeper().Await(finish);
}

void ChangeDurability(Host& host, const std::shared_ptr<Record>& record, v1::Durability to,
                      std::function<std::vector<Write>()> with,
                      std::function<void(const absl::Status&)> done) {
  std::make_shared<Change>(host, record, to, std::move(with), std::move(done))->Begin();
}

void RemoveBlobsLater(Host& host, const std::string& uid) {
  host.control.Post([&host, uid] {
    const absl::StatusOr<std::vector<std::string>> blobs = host.store->blobs().List(uid + "/");
    if (!blobs.ok()) return;
    for (const std::string& blob : *blobs) host.store->blobs().Remove(blob).IgnoreError();
  });
}

}  // namespace prospero::server
