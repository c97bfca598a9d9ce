// Activations, noise and first weights, against the standard library's functions.
//
// Why: a neuron costs a transcendental function in each step, a noisy one a Gaussian number, and a
// weight a random number when its network is made. As long as they take a few cycles, a network
// is as quick as its synapses; the scalar functions of the standard library take tens of them.
// Each benchmark runs both in turns, so that their ratio (`times_as_quick`) does not depend on
// how busy the machine is, and reports the best time of each in nanoseconds for one value.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/core/activation.h"
#include "engine/core/arena.h"
#include "engine/core/float_mode.h"
#include "engine/core/initializer.h"
#include "engine/core/normal.h"

namespace prospero {
namespace {

constexpr int64_t kCount = 4096;  // values; they stay in the first cache

template <class Real>
struct Rows {
  Rows() {
    for (Real** row : {&z, &r, &r_prime}) arena.Want(row, kCount);
    if (!arena.Allocate()) std::abort();
    for (int64_t i = 0; i < kCount; ++i) z[i] = static_cast<Real>(i - kCount / 2) / Real(512);
  }
  Real *z = nullptr, *r = nullptr, *r_prime = nullptr;
  Arena arena;
};

template <class Real>
Real Phi(Activation phi, Real z) {
  switch (phi) {
    case Activation::kLinear:
      return z;
    case Activation::kRelu:
      return std::max(z, Real(0));
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kHardSigmoid:
      return std::clamp(z, Real(0), Real(1));
    case Activation::kHardTanh:
      return std::clamp(z, Real(-1), Real(1));
    case Activation::kSoftplus:
      return std::log1p(std::exp(z));
    case Activation::kHardLogistic:
      return std::clamp(z / 6 + Real(0.5), Real(0), Real(1));
  }
  return 0;
}

/// The best time of one call [ns for one value].
struct Best {
  double ns = std::numeric_limits<double>::infinity();

  template <class Call>
  void Time(Call call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    ns = std::min(ns, spent.count() / static_cast<double>(kCount));
  }
};

template <class Ours, class Plain>
void Compare(benchmark::State& state, Ours ours, Plain plain) {
  const FloatMode mode;
  Best best_ours, best_plain;
  for (auto _ : state) {
    best_ours.Time(ours);
    best_plain.Time(plain);
  }
  state.counters["ns"] = best_ours.ns;
  state.counters["std_ns"] = best_plain.ns;
  state.counters["times_as_quick"] = best_plain.ns / best_ours.ns;
}

/// Rates and slopes, of which the standard library's side has only the rates.
template <class Real>
void Activating(benchmark::State& state, Activation phi) {
  Rows<Real> rows;
  Compare(
      state, [&] { Activate(phi, rows.z, kCount, kCount, rows.r, rows.r_prime); },
      [&] {
        std::transform(rows.z, rows.z + kCount, rows.r, [phi](Real z) { return Phi(phi, z); });
        benchmark::DoNotOptimize(rows.r);
        benchmark::ClobberMemory();
      });
}

template <class Real>
void Noise(benchmark::State& state) {
  Rows<Real> rows;
  std::mt19937_64 bits(1);
  std::normal_distribution<Real> normal;
  int64_t step = 0;
  Compare(
      state, [&] { FillNormal(1, 2, step++, 0, kCount, rows.r); },
      [&] {
        std::generate_n(rows.r, kCount, [&] { return normal(bits); });
        benchmark::ClobberMemory();
      });
}

template <class Real>
void FirstWeights(benchmark::State& state, Initializer::Kind kind) {
  Rows<Real> rows;
  const Initializer initializer{kind, 0.0, 1.0, {}, {}};
  const FirstValues first(initializer, 100, 1, "W");
  std::mt19937_64 bits(1);
  std::uniform_real_distribution<Real> uniform(-1, 1);
  std::normal_distribution<Real> normal;
  Compare(
      state, [&] { first.Fill(0, 1, kCount, rows.r); },
      [&] {
        const bool is_normal = kind == Initializer::Kind::kNormal;
        std::generate_n(rows.r, kCount, [&] { return is_normal ? normal(bits) : uniform(bits); });
        benchmark::ClobberMemory();
      });
}

template <class Real>
void RegisterAll() {
  const std::string type = std::is_same_v<Real, float> ? "/float32" : "/float64";
  const auto add = [&type](const std::string& name, auto run) {
    benchmark::RegisterBenchmark((name + type).c_str(), run)->MinTime(0.05);
  };
  constexpr std::pair<const char*, Activation> kActivations[] = {
      {"linear", Activation::kLinear},
      {"relu", Activation::kRelu},
      {"sigmoid", Activation::kSigmoid},
      {"tanh", Activation::kTanh},
      {"hard_sigmoid", Activation::kHardSigmoid},
      {"hard_tanh", Activation::kHardTanh},
      {"softplus", Activation::kSoftplus},
      {"hard_logistic", Activation::kHardLogistic}};
  for (const auto& [name, phi] : kActivations) {
    add(name, [phi = phi](benchmark::State& state) { Activating<Real>(state, phi); });
  }
  add("noise", [](benchmark::State& state) { Noise<Real>(state); });
  constexpr std::pair<const char*, Initializer::Kind> kKinds[] = {
      {"uniform weights", Initializer::Kind::kUniform},
      {"fan-in weights", Initializer::Kind::kFanIn},
      {"normal weights", Initializer::Kind::kNormal}};
  for (const auto& [name, kind] : kKinds) {
    add(name, [kind = kind](benchmark::State& state) { FirstWeights<Real>(state, kind); });
  }
}

}  // namespace
}  // namespace prospero

int main(int argc, char** argv) {
  prospero::RegisterAll<float>();
  prospero::RegisterAll<double>();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
