#include "engine/runtime/simulation.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"
#include "engine/runtime/rehearsal.h"

namespace prospero {
Simulation::Simulation(std::unique_ptr<Network> network, double dt, uint64_t seed, Team* team)
    : network_(std::move(network)),
      dt_(dt),
      team_(team),
      loss_(variables().Find("loss")),
      learning_(variables().Find("learning")),
      inputs_(variables()),
      seed_(seed),
      noise_seed_(seed),
      learning_wished_(variables()[learning_].scalar()),
      watches_(variables()) {
  assert(loss_ >= 0 && learning_ >= 0);
}

bool Simulation::Advance() {
  inputs_.BeforeStep(cursor_);
  if (tape_ != nullptr) tape_->BeforeStep(cursor_);
  network_->Advance({cursor_.step, dt_, team_});
  if (tape_ != nullptr) tape_->AfterStep();
  if (!network_->finite()) {
    if (tape_ != nullptr) tape_->Diverged();
    return false;
  }
  ++cursor_.step;
  for (const auto& recorder : recorders_) recorder->AfterStep(cursor_);
  return true;
}

void Simulation::SetLearning(bool learning) {
  variables()[learning_].Fill(learning ? 1.0 : 0.0);
  HeedLearning();
}

void Simulation::HeedLearning() {
  learning_wished_ = variables()[learning_].scalar();
  if (frozen_) variables()[learning_].Fill(0.0);
}

void Simulation::Freeze(bool frozen) {
  if (frozen == frozen_) return;
  frozen_ = frozen;
  variables()[learning_].Fill(frozen ? 0.0 : learning_wished_);
}

void Simulation::Assign(const std::vector<Assignment>& assignments) {
  if (tape_ != nullptr) tape_->Assign(assignments, cursor_);
  for (const Assignment& assignment : assignments) {
    const Variable& variable = variables()[assignment.variable];
    const char* const values = assignment.values.data();
    if (static_cast<int64_t>(assignment.values.size()) == variable.bytes()) {
      variable.Write(values);
    } else {
      variable.Fill(ReadValue(variable.type, values));
    }
    if (assignment.variable == learning_) HeedLearning();
  }
  if (tape_ != nullptr) tape_->Renew();
}

void Simulation::Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed) {
  if (tape_ != nullptr) tape_->Reset(scopes, step, seed, cursor_);
  seed_ = seed.value_or(seed_);
  if (scopes.noise) noise_seed_ = seed_;
  const bool finite = network_->finite() || (scopes.state && scopes.weights);
  network_->Reset(seed_, scopes);
  network_->AssumeFinite(finite);
  if (step) cursor_.step = 0;
  BeginEpoch();
  if (tape_ != nullptr) tape_->Renew();
}

int64_t Simulation::Rehearse(const Clock& clock) {
  return prospero::Rehearse(*network_, {cursor_.step, dt_, team_}, noise_seed_, clock);
}

void Simulation::TakeSnapshot(Snapshot* room) {
  if (tape_ != nullptr) tape_->CatchUp(cursor_);
  WriteDown();
  const double learning = variables()[learning_].scalar();
  variables()[learning_].Fill(learning_wished_);
  CopyValues(variables(), team_, room);
  variables()[learning_].Fill(learning);
  room->epoch = cursor_.epoch;
  room->step = cursor_.step;
  room->seed = seed_;
  room->noise_seed = noise_seed_;
}

absl::Status Simulation::CheckRestorable(const Snapshot& snapshot) const {
  if (auto status = CheckFits(snapshot, variables()); !status.ok()) return status;
  for (const Snapshot::Array& array : snapshot.arrays) {
    const Variable& variable = variables()[variables().Find(array.name)];
    const auto path = [] { return std::string("snapshot"); };
    if (auto status = CheckValues(variable, array.values, path); !status.ok()) {
      return Error(absl::StatusCode::kFailedPrecondition, "SNAPSHOT_MISMATCH", status.message());
    }
  }
  return absl::OkStatus();
}

void Simulation::RestoreSnapshot(const Snapshot& snapshot, absl::string_view key) {
  if (tape_ != nullptr) tape_->Restore(key, cursor_);
  Load(snapshot);
  BeginEpoch();
  if (tape_ != nullptr) tape_->Renew();
}

void Simulation::Load(const Snapshot& snapshot) {
  // The noise is keyed first: what that changes of the state is put back after it.
  seed_ = snapshot.seed;
  noise_seed_ = snapshot.noise_seed;
  network_->Reset(noise_seed_, {.state = false, .weights = false, .noise = true});
  const absl::Status restored = Restore(snapshot, variables());
  assert(restored.ok());
  (void)restored;
  network_->AssumeFinite();
  HeedLearning();
  cursor_.step = snapshot.step;
}

absl::Status Simulation::Diagnose() const {
  const int index = FindNonFinite(variables());
  const std::string name = index < 0 ? "" : variables()[index].name;
  const std::string what = index < 0 ? "a value" : absl::StrCat("'", name, "'");
  absl::Status status = Error(absl::StatusCode::kAborted, "DIVERGED",
                              absl::StrCat("the network diverged in step ", cursor_.step, ": ",
                                           what, " left the finite range"));
  status = WithMetadata(status, "step", absl::StrCat(cursor_.step));
  return index < 0 ? status : WithMetadata(status, "variable", name);
}

void Simulation::BeginEpoch() {
  ++cursor_.epoch;
  inputs_.BeginEpoch(cursor_);
  for (const auto& recorder : recorders_) recorder->EpochChanged(cursor_);
}

void Simulation::Join(const std::shared_ptr<Recorder>& recorder,
                      const std::shared_ptr<RingReader>& reader, const ObserverSpec& spec,
                      Clock::Time now) {
  if (!recorder->begun()) {
    watches_.Add(recorder->variables());
    recorders_.push_back(recorder);
  }
  recorder->Join(reader, spec, cursor_, now);
}

void Simulation::Drop(const Recorder* recorder) {
  const auto place = std::find_if(recorders_.begin(), recorders_.end(),
                                  [recorder](const auto& some) { return some.get() == recorder; });
  if (place == recorders_.end()) return;
  watches_.Remove(recorder->variables());
  recorders_.erase(place);
}

void Simulation::BeginSlice(Clock::Time now) {
  for (const auto& recorder : recorders_) recorder->BeginSlice(now);
}

void Simulation::Tell(const Event& event) {
  for (const auto& recorder : recorders_) recorder->Add(event);
}

void Simulation::Publish() {
  for (const auto& recorder : recorders_) recorder->Publish(cursor_);
}

void Simulation::EndRecorders(const absl::Status& why) {
  Publish();
  for (const auto& recorder : recorders_) recorder->ring()->End(why);
}

}  // namespace prospero
