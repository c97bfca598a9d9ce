#include "tests/support/teacher_student.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/random.h"
#include "tests/support/circuit.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

constexpr int64_t kSamples = 100, kHold = 100;

Initializer Constant(double value) { return {Initializer::Kind::kConstant, value, 0, {}, {}}; }

/// `u`: of hidden neuron, output and interneuron.
MicrocircuitSpec Chain(FeedbackPath feedback, const double* u, const double* W, double B) {
  MicrocircuitSpec spec = Circuit({1, 1, 1}, feedback, Activation::kSigmoid);
  spec.layers[1].potential = Constant(u[0]);
  spec.layers[2].potential = Constant(u[1]);
  spec.layers[1].interneuron_potential = Constant(u[2]);
  for (size_t l : {1, 2}) spec.layers[l].forward.initializer = Constant(W[l - 1]);
  if (feedback != FeedbackPath::kTranspose) spec.layers[1].feedback_initializer = Constant(B);
  return spec;
}

void LetLearn(MicrocircuitSpec& spec) {
  LearnForward(1, 2, 0, spec);
  LearnForward(2, 0.5, 10, spec);
  if (spec.feedback != FeedbackPath::kAligned) return;
  FeedbackLearning how;
  how.eta_B = 20;
  how.eta_C = 0.5;
  how.sigma = 0.01;
  how.alpha = 1e-6;
  LearnFeedback(how, spec);
  for (size_t l : {1, 2}) {
    spec.layers[l].forward.plasticity->optimizer = Optimizer::kLowPass;
    spec.layers[l].forward.plasticity->mix = kCircuitDt / 100;
  }
}

}  // namespace

TeacherStudent::TeacherStudent() : drawn_(ReadTrace("microcircuit_teacher_student")) {
  const double W[] = {2, 2};
  Student teacher{MakeCircuit(Chain(FeedbackPath::kTranspose,
                                    drawn_.arrays.at("teacher.u").values.data(), W, 2)),
                  0};
  for (int64_t k = 0; k < kSamples; ++k) Show(k, false, teacher);
  for (int64_t k = 0; k < kSamples; ++k) {
    Show(k, false, teacher);
    // Stationary by now.
    targets_.push_back(Value(*teacher.network, "l2.u_ahead"));
  }
}

TeacherStudent::Student TeacherStudent::Start(FeedbackPath feedback, int64_t index) const {
  MicrocircuitSpec spec =
      Chain(feedback, drawn_.arrays.at("student.u").at(index),
            drawn_.arrays.at("student.W").at(index), *drawn_.arrays.at("student.B").at(index));
  LetLearn(spec);
  Student student{MakeCircuit(spec, static_cast<uint64_t>(index)), index};
  for (int64_t k = 0; k < kSamples; ++k) Show(k, false, student);
  return student;
}

std::vector<double> TeacherStudent::OrderOf(const Student& student) const {
  const Trace::Array& published = drawn_.arrays.at("order");
  if (student.index == 0 && student.epochs < published.shape[0]) {
    const double* order = published.at(student.epochs);
    return {order, order + kSamples};
  }
  const RandomStream random(static_cast<uint64_t>(student.index),
                            absl::StrCat("order ", student.epochs));
  std::vector<double> order;
  for (int64_t k = 0; k < kSamples; ++k) order.push_back(static_cast<double>(k));
  for (int64_t k = kSamples - 1; k > 0; --k) {
    const auto other = static_cast<size_t>(random.Uniform(k) * static_cast<double>(k + 1));
    std::swap(order[static_cast<size_t>(k)], order[other]);
  }
  return order;
}

void TeacherStudent::Show(int64_t sample, bool learns, Student& student) const {
  Network& network = *student.network;
  Set(network, "learning", learns ? 1.0 : 0.0);
  Set(network, "l0.r", drawn_.arrays.at("x").at(sample));
  Set(network, "l2.teach", learns ? 1.0 : 0.0);
  if (learns) Set(network, "l2.target", targets_[static_cast<size_t>(sample)]);
  for (int64_t n = 0; n < kHold; ++n) network.Advance({student.steps++, kCircuitDt});
}

double TeacherStudent::Learn(Student& student) const {
  double error = 0;
  for (const double sample : OrderOf(student)) {
    Show(static_cast<int64_t>(sample), true, student);
    error += 2 * Value(*student.network, "loss") / kSamples;
  }
  ++student.epochs;
  return error;
}

}  // namespace prospero
