#include "engine/models/microcircuit/loop_gain.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/activation.h"
#include "engine/models/microcircuit/fixed_point.h"
#include "engine/models/microcircuit/structure.h"

namespace prospero::microcircuit {
namespace {

template <class Real>
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

/// W x, without the padding.
template <class Real>
auto MapOf(const Synapses<Real>& W) {
  using Rows = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows, Eigen::Aligned64, Eigen::OuterStride<>>(
      W.data(), W.post(), W.pre(), Eigen::OuterStride<>(W.stride()));
}

/// The largest factor by which repeated application lets a vector grow, from the growth over the
/// second half of `rounds`; the start is any vector without symmetry.
template <class Real>
double SpectralRadius(const std::function<Vector<Real>(const Vector<Real>&)>& apply, int64_t n,
                      int rounds) {
  Vector<Real> x(n);
  for (int64_t i = 0; i < n; ++i) {
    x[i] = static_cast<Real>(1.0 + 0.5 * std::sin(1.7 * static_cast<double>(i)));
  }
  double log_growth = 0;
  for (int round = 0; round < rounds; ++round) {
    const double before = static_cast<double>(x.norm());
    if (!(before > 0)) return 0;
    x = apply(x / static_cast<Real>(before));
    if (2 * round >= rounds) log_growth += std::log(static_cast<double>(x.norm()));
  }
  return std::exp(log_growth / (rounds - rounds / 2));
}

/// λ of the path and of the apical dendrites, with the greatest slopes of all rates on the loop.
double FactorOf(const MicrocircuitSpec& spec, size_t layer) {
  const Membrane membrane(spec.conductances);
  const size_t above = Above(spec, layer);
  double factor = membrane.apical * (1.0 - membrane.interneuron);
  for (size_t l = layer; l <= above; ++l) factor *= MaxSlope(spec.layers[l].activation);
  for (size_t l = layer + 1; l <= above; ++l) {
    factor *= l == OutputOf(spec) ? membrane.basal_output : membrane.basal_hidden;
  }
  return factor;
}

/// The scale of B* and W, with the greatest slopes; 0 where B* is not known or does not exist.
double ScaleOf(const MicrocircuitSpec& spec, size_t layer, double dt) {
  const bool known = LearnsFeedback(spec.layers[layer]) && spec.prospectivity == 1.0 &&
                     spec.noise_scale == MicrocircuitSpec::NoiseScale::kConstant;
  if (!known) return 0;
  double scale = PredictFeedback(spec, layer, dt).scale;
  if (spec.decay == MicrocircuitSpec::Decay::kSlopes) return scale;
  for (size_t l = layer; l <= Above(spec, layer); ++l) {
    scale *= MaxSlope(spec.layers[l].activation);
  }
  return scale;
}

std::string LoopOf(const MicrocircuitSpec& spec, size_t layer) {
  return absl::StrFormat("the loop '%s' -> '%s' -> '%s'", spec.layers[layer].name,
                         spec.layers[Above(spec, layer)].name, spec.layers[layer].name);
}

}  // namespace

template <class Real>
void WarnOfLoop(const MicrocircuitSpec& spec, size_t layer, const Path<Real>& path,
                const Synapses<Real>& B, double dt, std::vector<Warning>& warnings) {
  double weights = static_cast<double>(B.post()) * static_cast<double>(B.pre());
  for (const Synapses<Real>* W : path) {
    weights += static_cast<double>(W->post()) * static_cast<double>(W->pre());
  }
  // Large networks get fewer rounds: they are random, and the estimate is soon near.
  const int rounds = static_cast<int>(std::clamp(2e8 / weights, 8.0, 100.0));
  const auto up = [&path](Vector<Real> x) {
    for (const Synapses<Real>* W : path) x = MapOf(*W) * x;
    return x;
  };
  const auto down = [&path](Vector<Real> x) {
    for (size_t k = path.size(); k-- > 0;) x = MapOf(*path[k]).transpose() * x;
    return x;
  };
  const auto gain = [&](const auto& back) {
    return FactorOf(spec, layer) *
           SpectralRadius<Real>([&](const Vector<Real>& x) -> Vector<Real> { return back(up(x)); },
                                B.post(), rounds);
  };
  const auto warn = [&](const std::string& message) {
    warnings.push_back({"LOOP_GAIN", absl::StrCat("layers[", layer, "]"), message});
  };
  const double now = gain([&B](const Vector<Real>& x) { return Vector<Real>(MapOf(B) * x); });
  if (now > 1) {
    warn(
        absl::StrFormat("%s has a gain of %.3g with the first weights; above 1 it diverges: "
                        "choose smaller W or B",
                        LoopOf(spec, layer), now));
  }
  const double scale = ScaleOf(spec, layer, dt);
  if (scale == 0) return;
  const double later = scale * gain(down);
  if (!(later > 1)) return;
  warn(
      absl::StrFormat("%s will have a gain of %.3g where B is going to, %.3g W^T; above 1 it "
                      "diverges: choose a smaller sigma, or a larger weight_decay of B",
                      LoopOf(spec, layer), later, scale));
}

template void WarnOfLoop(const MicrocircuitSpec&, size_t, const Path<float>&,
                         const Synapses<float>&, double, std::vector<Warning>&);
template void WarnOfLoop(const MicrocircuitSpec&, size_t, const Path<double>&,
                         const Synapses<double>&, double, std::vector<Warning>&);

}  // namespace prospero::microcircuit
