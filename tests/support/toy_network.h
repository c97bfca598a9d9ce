#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/network.h"

namespace prospero {

/// A small network for tests of what hosts networks. It learns, has noise, a port that can
/// be absent, an array with padded rows, and computed signals; it diverges when told to.
///
///   u <- u + dt gain (W mean(x) - u) + noise(seed, step)
///   r <- mean(u),  W <- W + 0.01 (target - r)   in steps that have a target
///
/// Variables: in.x [3] and out.target [1] (inputs, float32), out.present, gain, learning,
/// diverge_at (the step that yields a NaN; -1: none), u [2, 3] (padded), W (float64), steps, wide
/// [width] (the number of the step), out.r, loss, and the computed u.norm and u.count (which counts
/// only while watched).
class ToyNetwork final : public Network {
 public:
  explicit ToyNetwork(uint64_t seed = 0, int64_t width = 1) : wide_(static_cast<size_t>(width)) {
    using enum Role;
    x = Add("in.x", kInput, {3}, x_);
    present_index_ = Add("out.present", kInput, {}, &present_);
    target = Add("out.target", kInput, {1}, &target_);
    learning = Add("learning", kParameter, {}, &learning_);
    gain = Add("gain", kParameter, {}, &gain_);
    diverge_at = Add("diverge_at", kParameter, {}, &diverge_at_);
    u = Add("u", kState, {2, 3}, u_);
    W = Add("W", kWeight, {}, &W_);
    steps = Add("steps", kState, {}, &steps_);
    wide = Add("wide", kState, {width}, wide_.data());
    r = Add("out.r", kSignal, {1}, &r_);
    loss = Add("loss", kSignal, {}, &loss_);
    norm = AddComputed("u.norm", [this] { return Norm(); });
    count = AddComputed("u.count", [this] { return count_; });
    Reset(seed, {});
  }

  void Reset(uint64_t seed, ResetScopes scopes) override {
    if (scopes.noise) seed_ = seed;
    if (scopes.weights) W_ = 0.5 + static_cast<double>(seed % 16) / 16.0;
    if (!scopes.state) return;
    for (float& value : u_) value = 0;
    for (float& value : x_) value = 0;
    target_ = present_ = r_ = loss_ = 0;
    steps_ = 0;
    std::fill(wide_.begin(), wide_.end(), 0.0F);
    if (scopes.weights) finite_ = true;
  }

  void Advance(const Step& step) noexcept override {
    if (busy_.exchange(true)) overlapped.store(true);
    if (on_advance) on_advance(step);
    const auto dt = static_cast<float>(step.dt);
    const float drive = static_cast<float>(W_) * (x_[0] + x_[1] + x_[2]) / 3;
    float sum = 0;
    for (const int i : {0, 1, 2, 4, 5, 6}) {
      u_[i] += dt * gain_ * (drive - u_[i]) + Noise(step.index);
      sum += u_[i];
    }
    r_ = sum / 6;
    loss_ = present_ != 0 ? 0.5F * (target_ - r_) * (target_ - r_) : 0;
    if (present_ != 0 && learning_ != 0) W_ += 0.01 * static_cast<double>(target_ - r_);
    steps_ += 1;
    std::fill(wide_.begin(), wide_.end(), static_cast<float>(step.index + 1));
    if (watched_) count_ += 1;
    if (diverge_at_ == static_cast<float>(step.index)) {
      u_[1] = std::numeric_limits<float>::quiet_NaN();
      finite_ = false;
    }
    busy_.store(false);
  }

  // Indices in the table.
  int x, target, learning, gain, diverge_at, u, W, steps, wide, r, loss, norm, count;
  int present_index() const { return present_index_; }

  /// Called in every step, on the strand. To be set before the network is hosted.
  std::function<void(const Step&)> on_advance;
  /// Two threads were in Advance at once.
  std::atomic<bool> overlapped{false};
  /// Evaluations of computed signals.
  std::atomic<int> computations{0};
  bool watched() const { return watched_; }

 private:
  template <class Real>
  int Add(const char* name, Role role, std::vector<int64_t> shape, Real* data) {
    Variable variable;
    variable.name = name;
    variable.unit = std::string("1");
    variable.role = role;
    variable.type = sizeof(Real) == 4 ? DataType::kFloat32 : DataType::kFloat64;
    variable.strides = PackedStrides(shape);
    if (shape.size() == 2) variable.strides[0] = 4;
    variable.shape = std::move(shape);
    variable.data = data;
    if (variable.name == "out.target") variable.presence = present_index_;
    return variables_.Add(std::move(variable));
  }

  int AddComputed(const char* name, std::function<float()> value) {
    Variable variable;
    variable.name = name;
    variable.role = Role::kSignal;
    variable.compute = [this, value = std::move(value)](void* packed) {
      computations.fetch_add(1);
      *static_cast<float*>(packed) = value();
    };
    if (variable.name == "u.count") variable.watched = &watched_;
    return variables_.Add(std::move(variable));
  }

  float Noise(int64_t step) const {
    uint64_t bits = (seed_ + 1) * 0x9E3779B97F4A7C15u ^ static_cast<uint64_t>(step) << 20;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
    return 1e-3F * (static_cast<float>(bits >> 40) / 16777216.0F - 0.5F);
  }

  float Norm() const {
    float sum = 0;
    for (const int i : {0, 1, 2, 4, 5, 6}) sum += u_[i] * u_[i];
    return std::sqrt(sum);
  }

  int present_index_ = -1;
  uint64_t seed_ = 0;
  float x_[3] = {};
  float target_ = 0;
  float present_ = 0;
  float learning_ = 1;
  float gain_ = 0.1F;
  float diverge_at_ = -1;
  float u_[8] = {};
  double W_ = 0;
  float steps_ = 0;
  std::vector<float> wide_;
  float r_ = 0;
  float loss_ = 0;
  float count_ = 0;
  bool watched_ = false;
  std::atomic<bool> busy_{false};
};

}  // namespace prospero
