// What a simulation writes down, and how it is brought back.

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/runtime/simulation.h"

namespace prospero {

void Simulation::SetJournal(std::shared_ptr<Journal> journal) {
  if (tape_ != nullptr) tape_->CatchUp(cursor_);
  WriteDown();
  tape_ = journal == nullptr ? nullptr
                             : std::make_unique<Tape>(variables(), std::move(journal), cursor_);
}

void Simulation::WriteDown() {
  if (tape_ != nullptr) tape_->Flush(cursor_);
}

void Simulation::EndSlice(Clock::Time now) {
  if (tape_ != nullptr) tape_->EndSlice(cursor_, now);
}

absl::Status Simulation::BringBack(const Snapshot& snapshot) {
  if (auto status = CheckFits(snapshot, variables()); !status.ok()) return status;
  Load(snapshot);
  cursor_.epoch = snapshot.epoch;
  network_->AssumeFinite(FindNonFinite(variables()) < 0);
  return absl::OkStatus();
}

void Simulation::PutBack(int variable, size_t offset, absl::string_view values) {
  const Variable& target = variables()[variable];
  const auto bytes = static_cast<size_t>(target.bytes());
  if (values.size() == bytes) return target.Write(values.data());
  std::string whole(bytes, '\0');
  target.Read(whole.data());
  std::memcpy(whole.data() + offset, values.data(), values.size());
  target.Write(whole.data());
}

void Simulation::RaiseEpoch(int64_t epoch) { cursor_.epoch = std::max(cursor_.epoch, epoch); }

void Simulation::WishLearning(bool wished) {
  HeedLearning();
  if (learning() != wished) SetLearning(wished);
}

}  // namespace prospero
