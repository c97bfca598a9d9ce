#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/drive.h"
#include "engine/runtime/lease.h"
#include "engine/runtime/simulation.h"
#include "engine/runtime/slice_budget.h"

namespace prospero {

/// Runs one job on a simulation, piece by piece, so that a long one shares its worker with
/// other networks. After each piece the job says how far it is. On the strand only.
class JobRunner {
 public:
  explicit JobRunner(Simulation& simulation) : simulation_(simulation) {}

  /// A job is begun and not ended.
  bool active() const { return job_ != nullptr; }

  /// The inputs that it gives a value.
  const std::vector<int>& given() const { return given_; }

  /// The job has been checked. Makes room for its results and writes the inputs that hold.
  void Begin(DriveJob* job, Clock::Time now);

  enum class Progress : uint8_t { kDone, kMore, kDiverged };
  /// Advances by at most `steps`, until the job is done, the budget is spent, or the lease was
  /// detached; at least one step if it was not.
  Progress Run(SliceBudget& budget, StepCost& cost, const Lease& lease, int64_t steps);

  /// Lets go of the job, done or not, without touching it.
  void End();

 private:
  /// An input that has a row for each step.
  struct Source {
    const Variable* variable;
    const char* row;  ///< of the next step, in the job
    int64_t row_bytes;
    bool is_packed;  ///< in the network
  };
  /// Where an output goes, with room for all its rows.
  struct Sink {
    const Variable* variable;
    std::string* rows;    ///< in the job
    size_t packed_bytes;  ///< of a row that lies packed in the network, else 0
  };

  bool Step();
  void Record();

  Simulation& simulation_;
  DriveJob* job_ = nullptr;
  std::vector<int> given_;    ///< inputs that have a value in every step
  std::vector<int> watched_;  ///< outputs
  std::vector<Source> sources_;
  std::vector<Sink> sinks_;
  int64_t steps_to_output_ = 0;
};

}  // namespace prospero
