// Where a network's changes are kept, and how it is brought back from there.

#include <utility>

#include "engine/runtime/hosted_instance.h"
#include "engine/runtime/replay.h"

namespace prospero {

absl::StatusOr<std::shared_ptr<Instance>> Instance::Recover(std::unique_ptr<Network> network,
                                                            Scheduler* scheduler, Options options,
                                                            const Origin& origin,
                                                            absl::Status* loss) {
  auto journal = std::move(options.journal);
  const auto instance = std::make_shared<HostedInstance>(std::move(network), scheduler, options);
  if (auto status = instance->ComeBack(origin, loss); !status.ok()) return status;
  instance->BeginJournal(std::move(journal));
  scheduler->Add(instance);
  return instance;
}

absl::Status HostedInstance::ComeBack(const Origin& origin, absl::Status* loss) {
  strand_.AssertHeld();  // Nobody else knows the instance.
  if (auto status = BringBack(origin, simulation_, loss); !status.ok()) return status;
  state_ = origin.running ? RunState::kRunning : RunState::kPaused;
  if (!simulation_.finite()) {
    state_ = RunState::kFailed;
    failure_ = simulation_.Diagnose();
  }
  if (paced()) pacer_.Start(options_.time->Now());
  StateChanged();
  PublishStatus();
  return absl::OkStatus();
}

void HostedInstance::BeginJournal(std::shared_ptr<Journal> journal) {
  strand_.AssertHeld();  // Nobody else knows the instance.
  simulation_.SetJournal(std::move(journal));
}

void HostedInstance::SetJournal(std::shared_ptr<Journal> journal, Done<Cursor> done) {
  PostChange(std::move(done), [this, journal = std::move(journal)]() mutable {
    strand_.AssertHeld();
    simulation_.SetJournal(std::move(journal));
    return absl::OkStatus();
  });
}

void HostedInstance::SetStorage(absl::Status status, bool stand_still) {
  PostSurely([this, status = std::move(status), stand_still](const absl::Status& ended) {
    strand_.AssertHeld();
    if (!ended.ok()) return;
    const bool was_kept = storage_.ok();
    const bool was_paced = paced();
    storage_ = status;
    stands_still_ = !status.ok() && stand_still;
    // What was due meanwhile is not made up for.
    if (paced() && !was_paced) pacer_.Start(options_.time->Now());
    StateChanged();
    if (was_kept && !status.ok()) Tell(Event::Kind::kStorageDegraded, status.message());
    if (!was_kept && status.ok()) {
      Tell(Event::Kind::kStorageRestored, "what the network does is kept again");
    }
  });
}

}  // namespace prospero
