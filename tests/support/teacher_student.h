#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/models/microcircuit/microcircuit.h"
#include "tests/support/trace.h"

namespace prospero {

/// The published teacher-student task (Max et al., arXiv 2212.10249, Fig. 4ab): one logistic neuron
/// in each of two layers must become its teacher, whose weights are 2, from weights and feedback
/// below 0. The start and the samples are those that tests/golden/draw_teacher_student.py draws.
class TeacherStudent {
 public:
  static constexpr int64_t kStudents = 5;

  /// A student that has seen all samples once and is now to learn.
  struct Student {
    std::unique_ptr<Network> network;
    int64_t index;
    int64_t steps = 0;
    int64_t epochs = 0;
  };

  TeacherStudent();

  Student Start(FeedbackPath feedback, int64_t index) const;
  /// One epoch of 10,000 steps. The first ten of the first student are in the order of the
  /// published code, others in one that is drawn here. Returns the mean of (target - p)^2 at the
  /// last step of each sample.
  double Learn(Student& student) const;

 private:
  std::vector<double> OrderOf(const Student& student) const;
  void Show(int64_t sample, bool learns, Student& student) const;

  const Trace drawn_;
  std::vector<double> targets_;
};

}  // namespace prospero
