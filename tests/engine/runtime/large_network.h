#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/core/network.h"

namespace prospero {

/// A network that is large enough for a crew and shares every step with it, in sections of kTiles
/// tasks, as the weight passes of engine/core do. What a step computes depends on all steps
/// before it, and would show the order of its sums:
///
///   s_k <- sum of tile k,   x <- x + dt (1 - sum of all s_k),   W_i <- W_i + 1e-3 x W_i (1 - W_i)
///
/// Variables: W [kTiles, kTileWeights] of which every kStride-th value is used, x, learning, loss.
class LargeNetwork final : public Network {
 public:
  static constexpr int64_t kTiles = 8;
  static constexpr int64_t kTileWeights = 32 * 1024;
  static constexpr int64_t kStride = 64;

  explicit LargeNetwork(uint64_t seed = 0) : W_(kTiles * kTileWeights) {
    Add("W", Role::kWeight, {kTiles, kTileWeights}, W_.data());
    x = Add("x", Role::kState, {}, &x_);
    Add("learning", Role::kParameter, {}, &learning_);
    Add("loss", Role::kSignal, {}, &loss_);
    Reset(seed, {});
  }

  void Reset(uint64_t seed, ResetScopes scopes) override {
    if (scopes.state) x_ = 0;
    if (!scopes.weights) return;
    for (size_t i = 0; i < W_.size(); ++i) {
      W_[i] = static_cast<float>((i * 2654435761u + seed) % 1009) / 1009.0F;
    }
  }

  void Advance(const Step& step) noexcept override {
    RunOn(step.team, kTiles, [&](int64_t tile) {
      if (on_task) on_task(step, tile);
      float* const W = W_.data() + tile * kTileWeights;
      float s = 0;
      for (int64_t i = 0; i < kTileWeights; i += kStride) {
        s += W[i];
        W[i] += 1e-3F * x_ * W[i] * (1 - W[i]);
      }
      s_[tile] = s;
    });
    float sum = 0;
    for (const float s : s_) sum += s;
    x_ += static_cast<float>(step.dt) * (1 - sum / (kTiles * kTileWeights / kStride));
  }

  int x;  ///< its index in the table
  /// Called in every task, on whatever thread. To be set before the network is hosted.
  std::function<void(const Step&, int64_t tile)> on_task;

 private:
  int Add(const char* name, Role role, std::vector<int64_t> shape, float* data) {
    Variable variable;
    variable.name = name;
    variable.unit = "1";
    variable.role = role;
    variable.strides = PackedStrides(shape);
    variable.shape = std::move(shape);
    variable.data = data;
    return variables_.Add(std::move(variable));
  }

  std::vector<float> W_;
  float s_[kTiles] = {};
  float x_ = 0;
  float learning_ = 1;
  float loss_ = 0;
};

}  // namespace prospero
