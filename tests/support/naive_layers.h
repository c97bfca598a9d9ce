#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/models/latent_equilibrium/latent_equilibrium.h"

namespace prospero {

/// Networks of Latent Equilibrium written a second time, as plainly as can be: every synapse is a
/// link from one neuron to another, and a step computes all new values from a copy of the old
/// ones. For optimizers without memory or bounds.
class NaiveLayers {
 public:
  /// Takes the first weights, biases and time constants from `network`, which has that spec.
  NaiveLayers(const LatentEquilibriumSpec& spec, const NetworkOptions& options,
              const Network& network);

  /// Moves on, with the input, target and white noise that stand in the variables of `network`.
  void Advance(const Step& step, const Network& network);

  /// Values of our variables by their names.
  std::map<std::string, std::vector<double>> Values() const;

 private:
  /// One synapse.
  struct Link {
    size_t post, pre, weight;
  };
  /// Arrays are [batch × size].
  struct Layer {
    std::string name;
    std::vector<int64_t> shape;
    size_t size = 0;
    bool is_pool = false;
    std::vector<Link> links;                   ///< neurons
    std::vector<std::vector<size_t>> windows;  ///< pool: the members of each
    std::vector<double> W, B, b, tau, tau_m;
    std::vector<double> u, u_ahead, r, r_prime, e, e_bottom, xi, xi_total, h, s, sent;
    std::vector<double> target_low;
    std::vector<size_t> winners;
  };
  using Layers = std::vector<Layer>;  ///< the input first

  void AddLinks(const LatentEquilibriumLayer& from, const Layer& below, Layer& layer) const;
  const LatentEquilibriumLayer& SpecOf(size_t l) const { return spec_.layers[l - 1]; }
  bool IsMax(size_t l) const;
  bool HasNoise(const Layers& layers, size_t l) const;
  const std::vector<double>& NoiseOf(const Layers& layers, size_t l) const;

  void MoveNoise(const Layers& old, const Network& network, size_t l);
  void MoveNeurons(const Layers& old, const Step& step, size_t l);
  void MovePool(const Layers& old, size_t l);
  std::vector<double> HandedDown(const Layers& old, size_t l) const;
  std::vector<double> ErrorOfOutput(const Layers& old, const Network& network);
  void MoveErrors(const Layers& old, const Network& network, size_t l);
  void Learn(const Layers& old, size_t l);

  const LatentEquilibriumSpec spec_;
  const double dt_;
  const size_t batch_;
  const uint64_t seed_;
  Layers layers_;
  bool started_ = false;
};

}  // namespace prospero
