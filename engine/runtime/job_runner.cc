#include "engine/runtime/job_runner.h"

#include "engine/runtime/job_check.h"
#include "engine/runtime/packed.h"

namespace prospero {

void JobRunner::Begin(DriveJob* job, Clock::Time now) {
  job_ = job;
  job_->queued_ns = Nanoseconds(now - job->submitted);
  given_.clear();
  for (const InputBlock& block : job->inputs) given_.push_back(block.variable);
  watched_.assign(job->outputs.begin(), job->outputs.end());
  simulation_.watches().Add(watched_);

  const int64_t rows = ResultRows(job->steps, job->output_every);
  job->results.resize(job->outputs.size());
  for (size_t i = 0; i < job->outputs.size(); ++i) {
    const Variable& variable = simulation_.variables()[job->outputs[i]];
    job->results[i].reserve(static_cast<size_t>(rows * variable.bytes()));
  }
}

JobRunner::Progress JobRunner::Run(SliceBudget& budget, StepCost& cost, const Lease& lease) {
  const Clock::Time begin = budget.seen();
  const int64_t done_before = job_->steps_done;
  Progress progress = Progress::kMore;
  simulation_.SetPresent(given_);
  while (progress == Progress::kMore && !budget.spent() && !lease.detached()) {
    WriteInputs(job_->steps_done == 0);
    const bool finite = simulation_.Advance();
    budget.CountStep();
    if (!finite) {
      progress = Progress::kDiverged;
      break;
    }
    ++job_->steps_done;
    if (simulation_.has_target()) {
      job_->loss_sum += simulation_.loss();
      ++job_->loss_steps;
    }
    const int64_t left = job_->steps - job_->steps_done;
    if (left % job_->output_every == 0) Record();
    if (left == 0) progress = Progress::kDone;
  }
  const int64_t elapsed = Nanoseconds(budget.Look() - begin);
  cost.Add(elapsed, job_->steps_done - done_before);
  job_->stepping_ns += elapsed;
  job_->cursor = simulation_.cursor();
  return progress;
}

void JobRunner::End() {
  simulation_.watches().Remove(watched_);
  watched_.clear();
  job_ = nullptr;
}

void JobRunner::WriteInputs(bool first) {
  for (const InputBlock& block : job_->inputs) {
    const Variable& variable = simulation_.variables()[block.variable];
    const auto row = static_cast<size_t>(variable.bytes());
    const bool holds = block.values.size() == row;
    if (holds && !first) continue;
    const size_t offset = holds ? 0 : static_cast<size_t>(job_->steps_done) * row;
    variable.Write(block.values.data() + offset);
  }
}

void JobRunner::Record() {
  for (size_t i = 0; i < job_->outputs.size(); ++i) {
    AppendPacked(simulation_.variables()[job_->outputs[i]], &job_->results[i]);
  }
}

}  // namespace prospero
