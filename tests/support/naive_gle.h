#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "engine/core/network.h"
#include "engine/models/gle/gle.h"

/// GLE written a second time from its equations, to compare with: no padding, no blocks, no
/// vectors, one scalar after the other, every right side from the step before.
namespace prospero::naive {

using Vector = std::vector<double>;

/// An array that learns, value by value.
struct Learned {
  Plasticity how;
  bool learns = false;
  Vector w, m, v2;
  int64_t t = 0;

  void Start(Vector values, const absl::optional<Plasticity>& plasticity);
  void Learn(const Vector& gradient);
};

/// One population; arrays of neurons are [trial][neuron].
struct Population {
  GlePopulation spec;
  std::vector<Vector> u, v, r, r_prime, e_bottom, e, inst_e, u_ahead, s, u_dot, y, target;
  std::vector<Vector> xi, w, h;
  Learned b, tau_m;
  Vector tau_r;
  double tau_hp = 0;
  int64_t age = 0;  ///< [steps], of held noise
  double loss = 0;
};

/// B is [pre][source], row-major.
struct Projection {
  GleProjection spec;
  Population* pre;
  Population* post;
  Population* source;
  Learned W, B;
};

class NaiveGle {
 public:
  /// Takes the first parameters from `network`, which was made from the same spec.
  NaiveGle(const GleSpec& spec, int64_t batch, const Network& network);

  Population& operator[](const std::string& name) { return populations_[name]; }
  const std::vector<Projection>& projections() const { return projections_; }

  /// White noise is taken from `w` of each population that has noise.
  void Step(double dt, bool teach);

 private:
  double OutputError(const Population& p, size_t k, size_t i) const;
  double LossOf(const Population& p, size_t k, size_t i) const;
  void Errors(Population& p, double dt, bool teach);
  void Transmit(Projection& q);
  void Return(Projection& q);
  void MoveNoise(Population& p, double dt);
  void Potentials(Population& p, double dt);

  const size_t batch_;
  std::map<std::string, Population> populations_;
  std::vector<Projection> projections_;
};

}  // namespace prospero::naive
