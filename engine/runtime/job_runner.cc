#include "engine/runtime/job_runner.h"

#include <algorithm>
#include <cstring>

#include "engine/runtime/job_check.h"
#include "engine/runtime/packed.h"

namespace prospero {

void JobRunner::Begin(DriveJob* job, Clock::Time now) {
  job_ = job;
  // It may have been submitted after the slice's last look at the clock.
  job_->queued_ns = std::max<int64_t>(Nanoseconds(now - job->submitted), 0);
  given_.clear();
  sources_.clear();
  for (const InputBlock& block : job->inputs) {
    const Variable& variable = simulation_.variables()[block.variable];
    const int64_t row_bytes = variable.bytes();
    given_.push_back(block.variable);
    if (static_cast<int64_t>(block.values.size()) == row_bytes) {
      variable.Write(block.values.data());
    } else {
      sources_.push_back({&variable, block.values.data(), row_bytes, IsPacked(variable)});
    }
  }

  watched_.assign(job->outputs.begin(), job->outputs.end());
  simulation_.watches().Add(watched_);
  sinks_.clear();
  const int64_t rows = ResultRows(job->steps, job->output_every);
  steps_to_output_ = job->steps - (rows - 1) * job->output_every;
  job->results.resize(job->outputs.size());
  for (size_t i = 0; i < job->outputs.size(); ++i) {
    const Variable& variable = simulation_.variables()[job->outputs[i]];
    const auto row_bytes = static_cast<size_t>(variable.bytes());
    job->results[i].reserve(static_cast<size_t>(rows) * row_bytes);
    sinks_.push_back({&variable, &job->results[i], IsPacked(variable) ? row_bytes : 0});
  }
}

JobRunner::Progress JobRunner::Run(SliceBudget& budget, StepCost& cost, const Lease& lease,
                                   int64_t steps) {
  const Clock::Time begin = budget.seen();
  const int64_t done_before = job_->steps_done;
  const int64_t end = done_before + steps;
  Progress progress = Progress::kMore;
  simulation_.SetPresent(given_);
  while (progress == Progress::kMore && job_->steps_done < end && !budget.spent() &&
         !lease.detached()) {
    const bool finite = Step();
    budget.CountStep();
    if (!finite) {
      progress = Progress::kDiverged;
    } else if (job_->steps_done == job_->steps) {
      progress = Progress::kDone;
    }
  }
  const int64_t elapsed = Nanoseconds(budget.Look() - begin);
  cost.Add(elapsed, job_->steps_done - done_before);
  job_->stepping_ns += elapsed;
  job_->cursor = simulation_.cursor();
  return progress;
}

bool JobRunner::Step() {
  for (Source& source : sources_) {
    if (source.is_packed) {
      std::memcpy(source.variable->data, source.row, static_cast<size_t>(source.row_bytes));
    } else {
      source.variable->Write(source.row);
    }
    source.row += source.row_bytes;
  }
  if (!simulation_.Advance()) return false;
  ++job_->steps_done;
  if (simulation_.has_target()) {
    job_->loss_sum += simulation_.loss();
    ++job_->loss_steps;
  }
  if (--steps_to_output_ == 0) {
    Record();
    steps_to_output_ = job_->output_every;
  }
  return true;
}

void JobRunner::Record() {
  for (const Sink& sink : sinks_) {
    if (sink.packed_bytes > 0) {
      sink.rows->append(static_cast<const char*>(sink.variable->data), sink.packed_bytes);
    } else {
      AppendPacked(*sink.variable, sink.rows);
    }
  }
}

void JobRunner::End() {
  simulation_.watches().Remove(watched_);
  watched_.clear();
  job_ = nullptr;
}

}  // namespace prospero
