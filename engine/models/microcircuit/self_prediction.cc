#include "engine/models/microcircuit/self_prediction.h"

#include <Eigen/Core>

namespace prospero::microcircuit {
namespace {

template <class Real>
Eigen::MatrixXd MatrixOf(const Synapses<Real>& W) {
  Eigen::MatrixXd matrix(W.post(), W.pre());
  for (int64_t i = 0; i < W.post(); ++i) {
    for (int64_t j = 0; j < W.pre(); ++j) {
      matrix(i, j) = static_cast<double>(W.data()[i * W.stride() + j]);
    }
  }
  return matrix;
}

}  // namespace

template <class Real>
void SetSelfPredicting(const Path<Real>& path, bool to_output, const Membrane& membrane,
                       Synapses<Real>& V) {
  Eigen::MatrixXd prediction = MatrixOf(*path.front());
  for (size_t k = 1; k < path.size(); ++k) {
    prediction = membrane.basal_hidden * (MatrixOf(*path[k]) * prediction);
  }
  prediction *= (to_output ? membrane.basal_output : membrane.basal_hidden) / membrane.dendrite;
  for (int64_t i = 0; i < V.post(); ++i) {
    for (int64_t j = 0; j < V.pre(); ++j) {
      V.data()[i * V.stride() + j] = static_cast<Real>(prediction(i, j));
    }
  }
}

template void SetSelfPredicting(const Path<float>&, bool, const Membrane&, Synapses<float>&);
template void SetSelfPredicting(const Path<double>&, bool, const Membrane&, Synapses<double>&);

}  // namespace prospero::microcircuit
