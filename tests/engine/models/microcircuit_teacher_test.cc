// The published teacher-student task: whether feedback lets a student change the sign of a weight.

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/teacher_student.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

/// Without noise everything is deterministic: the weights after ten epochs, 1.1e5 steps, are those
/// of the published code.
TEST(TeacherStudent, EndsAtThePublishedWeights) {
  const TeacherStudent task;
  const auto learn = [&task](FeedbackPath feedback) {
    TeacherStudent::Student student = task.Start(feedback, 0);
    for (int epoch = 0; epoch < 10; ++epoch) task.Learn(student);
    return student;
  };
  const TeacherStudent::Student bp = learn(FeedbackPath::kTranspose);
  EXPECT_NEAR(Value(*bp.network, "l1.W"), 0.19002821527, 2e-11);
  EXPECT_NEAR(Value(*bp.network, "l2.W"), 2.47411351645, 2e-11);
  const TeacherStudent::Student fa = learn(FeedbackPath::kRandom);
  EXPECT_NEAR(Value(*fa.network, "l1.W"), -0.49293406909, 2e-11);
  EXPECT_NEAR(Value(*fa.network, "l2.W"), 2.66378180876, 2e-11);
}

}  // namespace
}  // namespace prospero
