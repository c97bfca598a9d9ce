#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/core/float_mode.h"

namespace prospero {

/// The step of Chain() as one would write it first, with Eigen and three passes over each matrix:
/// what ours is measured against, so that a ratio need not know how busy the machine is.
template <class Real>
class PlainChain {
 public:
  explicit PlainChain(const std::vector<int64_t>& sizes)
      : layers_(sizes.size()), target_(sizes.back()) {
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
    const FloatMode mode;  // as ours, or errors that decay would slow it down tens of times
    const size_t last = layers_.size() - 1;
    layers_[last].e_top = target_ - layers_[last].r;
    for (size_t k = 1; k <= last; ++k) Errors(layers_[k]);
    for (size_t k = 1; k <= last; ++k) {
      layers_[k].s.noalias() = layers_[k].W * layers_[k - 1].r;
      if (k > 1) layers_[k - 1].e_top.noalias() = layers_[k].W.transpose() * layers_[k].e;
      layers_[k].W.noalias() += (kEta * layers_[k].e) * layers_[k - 1].r.transpose();
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

  static constexpr Real kDt = Real(0.1);
  static constexpr Real kTauM = Real(1.0);
  static constexpr Real kTauR = Real(0.1);
  static constexpr Real kEta = Real(1e-5);

  static void Errors(Layer& l) {
    const Vector v_dot = (l.r_prime.cwiseProduct(l.e_top) - l.v) / kTauR;
    l.e = l.v + kTauM * v_dot;
    l.v += kDt * v_dot;
  }
  static void Potentials(Layer& l) {
    const Vector u_dot = (l.s + l.b - l.u) / kTauM;
    l.r = (l.u + kTauR * u_dot).array().tanh().matrix();
    l.r_prime = (Real(1) - l.r.array().square()).matrix();
    l.u += kDt * u_dot;
    l.b += kEta * l.e;
  }

  std::vector<Layer> layers_;
  Vector target_;
};

}  // namespace prospero
