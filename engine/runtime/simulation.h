#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/network.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/port_inputs.h"
#include "engine/runtime/recorder.h"
#include "engine/runtime/snapshot.h"
#include "engine/runtime/tape.h"
#include "engine/runtime/watches.h"

namespace prospero {

/// A network, its place in time, and those who watch it. On the strand only; but the table's
/// names, shapes and types may be read by all.
class Simulation {
 public:
  /// `team`: who helps with the steps, null if nobody does. It must outlive the simulation.
  Simulation(std::unique_ptr<Network> network, double dt, uint64_t seed, Team* team);

  const VariableTable& variables() const { return network_->variables(); }
  Cursor cursor() const { return cursor_; }
  Watches& watches() { return watches_; }

  /// Says which inputs a job gives a value in the steps to come; those that can be absent and that
  /// nobody else gives one are.
  void SetPresent(const std::vector<int>& inputs) { inputs_.SetGiven(inputs); }
  /// A target had a value in the last step.
  bool has_target() const { return inputs_.has_target(); }
  /// Those who give inputs their values besides a job.
  PortInputs& inputs() { return inputs_; }

  /// One step, shown to the observers. False when it left the finite range: then it is not
  /// counted and shown to nobody.
  bool Advance();
  /// Of the last step.
  double loss() const { return variables()[loss_].scalar(); }
  /// False after a step that was not, until the network is reset or restored.
  bool finite() const { return network_->finite(); }
  /// What is wished: plasticity may be frozen all the same.
  bool learning() const { return learning_wished_ != 0.0; }

  // Between steps.

  void SetLearning(bool learning);
  /// While frozen, `learning` is 0 whatever is wished. Snapshots have what is wished.
  void Freeze(bool frozen);
  void Assign(const std::vector<Assignment>& assignments);
  void Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed);
  /// What a step costs [ns]; as Rehearse in rehearsal.h. The network is finite.
  int64_t Rehearse(const Clock& clock);
  /// `room` was made by MakeRoom (snapshot.h) for this table. What happened before is in the
  /// journal afterwards.
  void TakeSnapshot(Snapshot* room);
  /// As CheckFits in snapshot.h; values that are not finite do not fit either.
  absl::Status CheckRestorable(const Snapshot& snapshot) const;
  /// The snapshot has been checked. The journal knows it by `key`.
  void RestoreSnapshot(const Snapshot& snapshot, absl::string_view key);
  /// After a step that was not finite: kAborted, reason DIVERGED, with step and variable.
  absl::Status Diagnose() const;

  // What is written down, and done again.

  /// Changes go to `journal` from here on, or to none (null); those before are in the old one.
  void SetJournal(std::shared_ptr<Journal> journal);
  std::shared_ptr<Journal> journal() const { return tape_ ? tape_->journal() : nullptr; }
  /// Gives the journal what has happened.
  void WriteDown();
  /// At the end of a slice; as Tape::EndSlice.
  void EndSlice(Clock::Time now);

  /// Stands where the snapshot was taken, epoch and all. One that was taken of a network that had
  /// failed makes it fail again. The error of CheckFits, and no change.
  absl::Status BringBack(const Snapshot& snapshot);
  /// Part of a variable, as it was when it was written down; both have been checked.
  void PutBack(int variable, size_t offset, absl::string_view values);
  /// It is at least `epoch` from here on. Nobody watches yet.
  void RaiseEpoch(int64_t epoch);
  /// `learning` is what the wish is again.
  void WishLearning(bool learning);

  // Those who watch.

  /// Lets a reader in to a recording, which begins with its first one.
  void Join(const std::shared_ptr<Recorder>& recorder, const std::shared_ptr<RingReader>& reader,
            const ObserverSpec& spec, Clock::Time now);
  /// Ends a recording that has no reader. Nothing if it has not begun.
  void Drop(const Recorder* recorder);
  void BeginSlice(Clock::Time now);
  void Tell(const Event& event);
  void Publish();
  void EndRecorders(const absl::Status& why);

 private:
  void BeginEpoch();
  /// Puts seeds, values and step back; they fit.
  void Load(const Snapshot& snapshot);
  /// Somebody may have changed `learning`: that is the new wish.
  void HeedLearning();

  const std::unique_ptr<Network> network_;
  const double dt_;  ///< [ms]
  Team* const team_;
  const int loss_;
  const int learning_;
  PortInputs inputs_;
  uint64_t seed_;
  uint64_t noise_seed_;
  Cursor cursor_;
  double learning_wished_;
  bool frozen_ = false;
  Watches watches_;
  std::unique_ptr<Tape> tape_;  ///< null: nothing is written down
  std::vector<std::shared_ptr<Recorder>> recorders_;
};

}  // namespace prospero
