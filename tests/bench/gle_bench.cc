// Steps per second of GLE networks, all plasticity on.
//
// Why: a network that learns online is limited by how often it can read and write its weights.
// The published code (PyTorch, float32, one thread) makes 660 steps/s with 10-100-100-10, 320 with
// 64-512-512-10 and 99 with 256-1024-1024-10; `Eigen` beside ours is what a plain implementation
// of the same step with three passes over each matrix reaches in the same run on the same machine,
// so that the ratio of the two does not depend on how busy it is.
//
// A result, one core of a 2 GHz Xeon, float32, batch 1 [steps/s]: 339,000, 26,300 and 3,600 for
// the three chains, where Eigen makes 187,000, 15,100 and 1,540.

#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/strings/str_join.h"
#include "engine/models/gle/gle.h"
#include "tests/bench/chains.h"

namespace prospero {
namespace {

using Sizes = std::vector<int64_t>;

constexpr double kDt = 0.1;
constexpr double kTauM = 1.0;
constexpr double kTauR = 0.1;
constexpr double kEta = 1e-5;

Sizes SizesOf(int64_t which) {
  const Sizes chains[] = {{10, 100, 100, 10}, {64, 512, 512, 10}, {256, 1024, 1024, 10}};
  return chains[which];
}

void Report(benchmark::State& state, const Sizes& sizes) {
  const auto weights = static_cast<double>(Weights(sizes));
  state.SetLabel(absl::StrJoin(sizes, "-"));
  const auto steps = static_cast<double>(state.iterations());
  state.counters["steps/s"] = benchmark::Counter(steps, benchmark::Counter::kIsRate);
  state.counters["weights/s"] = benchmark::Counter(steps * weights, benchmark::Counter::kIsRate);
}

/// range(0): which chain; range(1): batch.
void Step(benchmark::State& state, DataType precision, Optimizer optimizer) {
  const Sizes sizes = SizesOf(state.range(0));
  NetworkOptions options;
  options.dt = kDt;
  options.precision = precision;
  options.batch_size = state.range(1);
  auto network = MakeGle(Chain(sizes, optimizer), options, NetworkLimits());
  if (!network.ok()) return state.SkipWithError(network.status().ToString().c_str());
  Excite(**network, sizes, options.batch_size);
  int64_t n = 0;
  for (auto _ : state) (*network)->Advance({n++, kDt});
  if (!(*network)->finite()) state.SkipWithError("diverged");
  Report(state, sizes);
}

/// The same step as one would write it first: three passes over each matrix.
template <class Real>
class PlainChain {
 public:
  explicit PlainChain(const Sizes& sizes) : layers_(sizes.size()), target_(sizes.back()) {
    target_.setConstant(Real(0.3));
    for (size_t k = 0; k < sizes.size(); ++k) {
      Layer& layer = layers_[k];
      for (Vector* x : {&layer.b, &layer.s, &layer.e_top, &layer.u, &layer.v, &layer.e, &layer.r,
                        &layer.r_prime}) {
        x->setZero(sizes[k]);
      }
      if (k == 0) continue;
      layer.W = Matrix::Random(sizes[k], sizes[k - 1]) / std::sqrt(static_cast<Real>(sizes[k - 1]));
    }
    for (Eigen::Index i = 0; i < layers_[0].r.size(); ++i) {
      layers_[0].r[i] = std::sin(static_cast<Real>(i));
    }
  }

  void Step() {
    const size_t last = layers_.size() - 1;
    layers_[last].e_top = target_ - layers_[last].r;
    for (size_t k = 1; k <= last; ++k) Errors(layers_[k]);
    for (size_t k = 1; k <= last; ++k) {
      layers_[k].s.noalias() = layers_[k].W * layers_[k - 1].r;
      if (k > 1) layers_[k - 1].e_top.noalias() = layers_[k].W.transpose() * layers_[k].e;
      layers_[k].W.noalias() += (Real(kEta) * layers_[k].e) * layers_[k - 1].r.transpose();
    }
    for (size_t k = 1; k <= last; ++k) Potentials(layers_[k]);
  }

  bool finite() const { return layers_.back().u.allFinite(); }

 private:
  using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  struct Layer {
    Matrix W;
    Vector b, s, e_top, u, v, e, r, r_prime;
  };

  static void Errors(Layer& l) {
    const Vector v_dot = (l.r_prime.cwiseProduct(l.e_top) - l.v) / Real(kTauR);
    l.e = l.v + Real(kTauM) * v_dot;
    l.v += Real(kDt) * v_dot;
  }
  static void Potentials(Layer& l) {
    const Vector u_dot = (l.s + l.b - l.u) / Real(kTauM);
    l.r = (l.u + Real(kTauR) * u_dot).array().tanh().matrix();
    l.r_prime = (Real(1) - l.r.array().square()).matrix();
    l.u += Real(kDt) * u_dot;
    l.b += Real(kEta) * l.e;
  }

  std::vector<Layer> layers_;
  Vector target_;
};

template <class Real>
void EigenStep(benchmark::State& state) {
  const Sizes sizes = SizesOf(state.range(0));
  PlainChain<Real> chain(sizes);
  for (auto _ : state) chain.Step();
  if (!chain.finite()) state.SkipWithError("diverged");
  Report(state, sizes);
}

void Online(benchmark::internal::Benchmark* b) {
  b->ArgNames({"chain", "batch"})->ArgsProduct({{0, 1, 2}, {1}});
}
void Batched(benchmark::internal::Benchmark* b) {
  b->ArgNames({"chain", "batch"})->ArgsProduct({{0, 1, 2}, {1, 32}});
}

BENCHMARK_CAPTURE(Step, float32_sgd, DataType::kFloat32, Optimizer::kSgd)->Apply(Batched);
BENCHMARK_TEMPLATE(EigenStep, float)->Apply(Online);
BENCHMARK_CAPTURE(Step, float64_sgd, DataType::kFloat64, Optimizer::kSgd)->Apply(Batched);
BENCHMARK_TEMPLATE(EigenStep, double)->Apply(Online);
BENCHMARK_CAPTURE(Step, float32_adam, DataType::kFloat32, Optimizer::kAdam)->Apply(Batched);

}  // namespace
}  // namespace prospero

BENCHMARK_MAIN();
