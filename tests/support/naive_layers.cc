#include "tests/support/naive_layers.h"

#include <algorithm>
#include <cmath>

#include "engine/core/arena.h"
#include "engine/core/normal.h"
#include "engine/core/random.h"
#include "tests/support/variables.h"

namespace prospero {
namespace {

using Array = std::vector<double>;
using Spec = LatentEquilibriumSpec;

double Phi(Activation phi, double z) {
  if (phi == Activation::kTanh) return std::tanh(z);
  if (phi == Activation::kSigmoid) return 1.0 / (1.0 + std::exp(-z));
  if (phi == Activation::kRelu) return std::max(z, 0.0);
  return z;
}

double Slope(Activation phi, double z) {
  if (phi == Activation::kTanh) return 1.0 - std::tanh(z) * std::tanh(z);
  if (phi == Activation::kSigmoid) return Phi(phi, z) * (1.0 - Phi(phi, z));
  if (phi == Activation::kRelu) return z > 0 ? 1.0 : 0.0;
  return 1.0;
}

int64_t Extent(const std::vector<int64_t>& values, size_t d, int64_t other) {
  if (values.empty()) return other;
  return values.size() == 1 ? values[0] : values[d];
}

Array NormalRow(uint64_t seed, const std::string& name, int64_t step, size_t trial, size_t size) {
  // FillNormal writes to aligned memory.
  Arena arena;
  double* values = nullptr;
  const int64_t padded = PaddedRow<double>(static_cast<int64_t>(size));
  arena.Want(&values, padded);
  if (!arena.Allocate()) return {};
  FillNormal(seed, StreamOf(name), step, static_cast<int64_t>(trial), padded, values);
  return {values, values + size};
}

/// How a kernel or a window slides; one spatial dimension is two with one row.
struct Slide {
  int64_t below[2], kernel[2], stride[2], padding[2], out[2];
  int64_t channels_below;
  bool has_one_dimension;

  Slide(const LatentEquilibriumLayer& layer, const std::vector<int64_t>& shape)
      : channels_below(shape[0]), has_one_dimension(shape.size() == 2) {
    using From = LatentEquilibriumLayer;
    const auto* convolution = std::get_if<From::Convolution>(&layer.kind);
    const auto* pool = std::get_if<From::Pool>(&layer.kind);
    for (size_t d = 0; d < 2; ++d) {
      below[d] = kernel[d] = stride[d] = out[d] = 1;
      padding[d] = 0;
      if (has_one_dimension && d == 0) continue;
      const size_t at = has_one_dimension ? 0 : d;
      below[d] = shape[at + 1];
      kernel[d] = Extent(convolution != nullptr ? convolution->kernel : pool->window, at, 0);
      stride[d] = convolution != nullptr ? Extent(convolution->stride, at, 1)
                                         : Extent(pool->stride, at, kernel[d]);
      if (convolution != nullptr) padding[d] = Extent(convolution->padding, at, 0);
      out[d] = (below[d] + 2 * padding[d] - kernel[d]) / stride[d] + 1;
    }
  }

  /// Calls visit(place, channel below, index in the kernel, index below).
  template <class Visit>
  void ForEach(Visit visit) const {
    for (int64_t place = 0; place < out[0] * out[1]; ++place) {
      for (int64_t c = 0; c < channels_below; ++c) {
        for (int64_t k = 0; k < kernel[0] * kernel[1]; ++k) {
          const int64_t y = place / out[1] * stride[0] + k / kernel[1] - padding[0];
          const int64_t x = place % out[1] * stride[1] + k % kernel[1] - padding[1];
          if (y < 0 || y >= below[0] || x < 0 || x >= below[1]) continue;
          visit(place, c, k, (c * below[0] + y) * below[1] + x);
        }
      }
    }
  }
};

}  // namespace

void NaiveLayers::AddLinks(const LatentEquilibriumLayer& from, const Layer& below,
                           Layer& layer) const {
  using From = LatentEquilibriumLayer;
  if (const auto* dense = std::get_if<From::Dense>(&from.kind)) {
    layer.shape = {dense->size};
    for (size_t i = 0; i < static_cast<size_t>(dense->size); ++i) {
      for (size_t j = 0; j < below.size; ++j) layer.links.push_back({i, j, i * below.size + j});
    }
    return;
  }
  const Slide slide(from, below.shape);
  const auto* convolution = std::get_if<From::Convolution>(&from.kind);
  const int64_t channels = convolution != nullptr ? convolution->channels : below.shape[0];
  layer.shape = {channels, slide.out[0], slide.out[1]};
  if (slide.has_one_dimension) layer.shape.erase(layer.shape.begin() + 1);
  const int64_t places = slide.out[0] * slide.out[1];
  const int64_t kernel = slide.kernel[0] * slide.kernel[1];
  layer.windows.resize(convolution == nullptr ? static_cast<size_t>(channels * places) : 0);
  slide.ForEach([&](int64_t place, int64_t c, int64_t k, int64_t pre) {
    const auto j = static_cast<size_t>(pre);
    if (convolution == nullptr) {
      layer.windows[static_cast<size_t>(c * places + place)].push_back(j);
      return;
    }
    for (int64_t f = 0; f < channels; ++f) {
      const int64_t weight = (f * slide.channels_below + c) * kernel + k;
      layer.links.push_back(
          {static_cast<size_t>(f * places + place), j, static_cast<size_t>(weight)});
    }
  });
}

NaiveLayers::NaiveLayers(const Spec& spec, const NetworkOptions& options, const Network& network)
    : spec_(spec),
      dt_(options.dt),
      batch_(static_cast<size_t>(options.batch_size)),
      seed_(options.seed) {
  Layer input;
  input.name = "input";
  input.shape = spec.input_shape;
  layers_.push_back(input);
  for (size_t l = 0; l <= spec.layers.size(); ++l) {
    if (l > 0) {
      layers_.emplace_back();
      layers_[l].name = SpecOf(l).name;
      layers_[l].is_pool = std::holds_alternative<LatentEquilibriumLayer::Pool>(SpecOf(l).kind);
      AddLinks(SpecOf(l), layers_[l - 1], layers_[l]);
    }
    Layer& layer = layers_[l];
    layer.size = 1;
    for (const int64_t extent : layer.shape) layer.size *= static_cast<size_t>(extent);
    for (Array* array :
         {&layer.u, &layer.u_ahead, &layer.r, &layer.r_prime, &layer.e, &layer.e_bottom, &layer.xi,
          &layer.xi_total, &layer.h, &layer.s, &layer.sent, &layer.target_low}) {
      array->assign(batch_ * layer.size, 0.0);
    }
    layer.winners.resize(batch_ * layer.size);
    if (l == 0 || layer.is_pool) continue;
    const auto get = [&](const std::string& symbol) {
      const std::string name = layer.name + "." + symbol;
      return network.variables().Find(name) < 0 ? Array() : prospero::Values(network, name);
    };
    layer.W = get("W");
    layer.B = get("B");
    layer.b = get("b");
    layer.tau = get("tau");
    layer.tau_m = get("tau_m");
    if (spec.order == Spec::Order::kLayered) continue;
    for (size_t i = 0; i < layer.r.size(); ++i) {
      layer.r[i] = Phi(SpecOf(l).activation, 0.0);
      layer.r_prime[i] = Slope(SpecOf(l).activation, 0.0);
    }
  }
}

bool NaiveLayers::IsMax(size_t l) const {
  using Pool = LatentEquilibriumLayer::Pool;
  return layers_[l].is_pool && std::get<Pool>(SpecOf(l).kind).kind == Pool::Kind::kMax;
}

bool NaiveLayers::HasNoise(const Layers& layers, size_t l) const {
  if (l == 0) return false;
  return SpecOf(l).noise.has_value() || (layers[l].is_pool && HasNoise(layers, l - 1));
}

const std::vector<double>& NaiveLayers::NoiseOf(const Layers& layers, size_t l) const {
  return layers[l].is_pool ? layers[l].xi_total : layers[l].xi;
}

void NaiveLayers::MoveNoise(const Layers& old, const Network& network, size_t l) {
  Layer& layer = layers_[l];
  if (SpecOf(l).noise.has_value()) {
    const Array w = prospero::Values(network, layer.name + ".w");
    const double tau = SpecOf(l).noise->tau, sigma = SpecOf(l).noise->sigma;
    for (size_t i = 0; i < w.size(); ++i) {
      layer.xi[i] += (std::sqrt(dt_ * tau) * sigma * w[i] - dt_ * layer.xi[i]) / tau;
    }
  }
  if (!layer.is_pool) return;
  const Layer& below = old[l - 1];
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < layer.size; ++i) {
      size_t winner = layer.windows[i][0];
      double mean = 0;
      for (const size_t j : layer.windows[i]) {
        if (below.r[k * below.size + j] > below.r[k * below.size + winner]) winner = j;
        if (HasNoise(old, l - 1)) mean += NoiseOf(old, l - 1)[k * below.size + j];
      }
      const size_t at = k * layer.size + i;
      layer.winners[at] = k * below.size + winner;
      const double pooled = IsMax(l) ? NoiseOf(old, l - 1)[layer.winners[at]]
                                     : mean / static_cast<double>(layer.windows[i].size());
      layer.xi_total[at] = pooled + layer.xi[at];
    }
  }
}

void NaiveLayers::MoveNeurons(const Layers& old, const Step& step, size_t l) {
  Layer& layer = layers_[l];
  const Layer& below = l == 1 ? layers_[0] : old[l - 1];
  const size_t places = layer.size / static_cast<size_t>(layer.shape[0]);
  for (size_t k = 0; k < batch_; ++k) {
    Array s(layer.size, 0.0);
    for (const Link& link : layer.links) {
      s[link.post] += old[l].W[link.weight] * below.r[k * below.size + link.pre];
    }
    const Array white = NormalRow(seed_, layer.name + ".rate_noise", step.index, k, layer.size);
    for (size_t i = 0; i < layer.size; ++i) {
      const size_t at = k * layer.size + i;
      if (!layer.b.empty()) s[i] += old[l].b[i / places];
      s[i] += layer.xi[at];
      const bool dynamics = spec_.order == Spec::Order::kDynamics;
      const double e = (dynamics ? layer : old[l]).e[at];
      const double u = old[l].u[at];
      const double u_dot = (s[i] + spec_.gamma * e - u) / old[l].tau_m[i];
      layer.u_ahead[at] = u + layer.tau[i] * u_dot;
      layer.u[at] = u + dt_ * u_dot;
      layer.s[at] = u_dot;
      layer.sent[at] = layer.u_ahead[at] - s[i];
      double r = Phi(SpecOf(l).activation, layer.u_ahead[at]) + SpecOf(l).rate_noise * white[i];
      if (spec_.tau_rate > 0) r = old[l].r[at] + dt_ / spec_.tau_rate * (r - old[l].r[at]);
      layer.r[at] = r;
      layer.r_prime[at] = Slope(SpecOf(l).activation, layer.u_ahead[at]);
      if (!SpecOf(l).alignment.has_value()) continue;
      layer.h[at] +=
          (started_ ? r - old[l].r[at] : 0.0) - dt_ / SpecOf(l).alignment->tau_hp * old[l].h[at];
    }
  }
}

void NaiveLayers::MovePool(const Layers& old, size_t l) {
  Layer& layer = layers_[l];
  const Layer& below = l == 1 ? layers_[0] : old[l - 1];
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < layer.size; ++i) {
      const size_t at = k * layer.size + i;
      double mean = 0;
      for (const size_t j : layer.windows[i]) mean += below.r[k * below.size + j];
      mean /= static_cast<double>(layer.windows[i].size());
      layer.r[at] = (IsMax(l) ? below.r[layer.winners[at]] : mean) + layer.xi[at];
      layer.r_prime[at] = IsMax(l) && l > 1 ? below.r_prime[layer.winners[at]] : 1.0;
    }
  }
}

std::vector<double> NaiveLayers::ErrorOfOutput(const Layers& old, const Network& network) {
  const size_t l = layers_.size() - 1;
  Layer& layer = layers_[l];
  Array e(layer.e.size(), 0.0);
  if (Value(network, layer.name + ".teach") == 0) return e;
  Array target = prospero::Values(network, layer.name + ".target");
  const double beta = Value(network, layer.name + ".beta");
  for (size_t i = 0; i < e.size(); ++i) {
    if (spec_.tau_target > 0) {
      target[i] = layer.target_low[i] += dt_ / spec_.tau_target * (target[i] - layer.target_low[i]);
    }
    e[i] = spec_.target_error == Spec::TargetError::kRate
               ? beta * old[l].r_prime[i] * (target[i] - old[l].r[i])
               : beta * (target[i] - old[l].u_ahead[i]);
  }
  return e;
}

/// What layer l + 1, or DIRECT the output, sends to layer l, times the slope of l.
std::vector<double> NaiveLayers::HandedDown(const Layers& old, size_t l) const {
  const Layer& layer = layers_[l];
  const size_t above = spec_.feedback == FeedbackPath::kDirect ? layers_.size() - 1 : l + 1;
  const Layer& source = layers_[above];
  const bool layered = spec_.order == Spec::Order::kLayered;
  const bool direct = spec_.feedback == FeedbackPath::kDirect;
  Array e(layer.e.size(), 0.0);
  if (direct && layer.is_pool) return e;
  for (size_t k = 0; k < batch_; ++k) {
    const size_t to = k * layer.size, from = k * source.size;
    if (direct) {
      for (size_t i = 0; i < layer.size; ++i) {
        for (size_t o = 0; o < source.size; ++o) {
          e[to + i] += layer.B[i * source.size + o] * source.e[from + o];
        }
      }
    } else if (source.is_pool) {
      for (size_t i = 0; i < source.size; ++i) {
        if (IsMax(above)) e[source.winners[from + i]] += source.e[from + i];
        const double share = 1.0 / static_cast<double>(source.windows[i].size());
        for (const size_t j : source.windows[i]) {
          if (!IsMax(above)) e[to + j] += share * source.e[from + i];
        }
      }
    } else {
      const Array& sent = spec_.errors_from_rate_potential ? source.sent
                          : layered                        ? old[above].e
                                                           : source.e;
      const size_t channels = static_cast<size_t>(source.shape[0]);
      for (const Link& link : source.links) {
        // B is [pre, post].
        const size_t columns = old[above].W.size() / channels;
        const size_t back = link.weight % columns * channels + link.weight / columns;
        const bool transpose = spec_.feedback == FeedbackPath::kTranspose;
        const double B = transpose ? old[above].W[link.weight] : old[above].B[back];
        e[to + link.pre] += B * sent[from + link.post];
      }
    }
  }
  if (!direct && IsMax(l + 1)) return e;
  const Array& slope = direct && layered ? layer.r_prime : old[l].r_prime;
  for (size_t i = 0; i < e.size(); ++i) e[i] *= slope[i];
  return e;
}

void NaiveLayers::MoveErrors(const Layers& old, const Network& network, size_t l) {
  Layer& layer = layers_[l];
  if (l + 1 == layers_.size()) {
    layer.e = ErrorOfOutput(old, network);
    return;
  }
  const Array handed = HandedDown(old, l);
  const bool layered = spec_.order == Spec::Order::kLayered;
  Array& filtered = layered ? layer.e : layer.e_bottom;
  for (size_t i = 0; i < handed.size(); ++i) {
    const double share = spec_.tau_error > 0 && !layer.is_pool ? dt_ / spec_.tau_error : 1.0;
    if (!layered) layer.e[i] = old[l].e_bottom[i];
    const double before = layered ? old[l].e[i] : old[l].e_bottom[i];
    filtered[i] = before + share * (handed[i] - before);
  }
}

void NaiveLayers::Learn(const Layers& old, size_t l) {
  Layer& layer = layers_[l];
  if (layer.is_pool) return;
  const LatentEquilibriumLayer& spec = SpecOf(l);
  const Layer& below = l == 1 ? layers_[0] : old[l - 1];
  const size_t channels = static_cast<size_t>(layer.shape[0]);
  const size_t places = layer.size / channels;
  const size_t columns = layer.W.size() / channels;
  const double share = 1.0 / static_cast<double>(batch_);
  const bool aligns = spec.alignment.has_value() && spec.alignment->plasticity.has_value();
  if (aligns) {
    const Plasticity& plasticity = *spec.alignment->plasticity;
    for (double& B : layer.B) B -= plasticity.learning_rate * plasticity.weight_decay * B;
  }
  for (size_t k = 0; k < batch_; ++k) {
    const size_t at = k * layer.size, from = k * below.size;
    for (const Link& link : layer.links) {
      layer.W[link.weight] += spec.plasticity->learning_rate * share * layer.e[at + link.post] *
                              below.r[from + link.pre];
      if (!aligns) continue;
      layer.B[link.weight % columns * channels + link.weight / columns] +=
          spec.alignment->plasticity->learning_rate * share * layer.h[at + link.post] *
          NoiseOf(layers_, l - 1)[from + link.pre];
    }
    for (size_t i = 0; i < layer.size; ++i) {
      if (!layer.b.empty()) {
        layer.b[i / places] += spec.bias->plasticity->learning_rate * share * layer.e[at + i] /
                               static_cast<double>(places);
      }
      if (!spec.tau_m_plasticity.has_value()) continue;
      layer.tau_m[i] += spec.tau_m_plasticity->learning_rate * share *
                        (layer.tau[i] - old[l].tau_m[i]) * layer.s[at + i] * layer.s[at + i];
    }
  }
}

void NaiveLayers::Advance(const Step& step, const Network& network) {
  layers_[0].r = prospero::Values(network, "input.r");
  const Layers old = layers_;
  const size_t top = layers_.size() - 1;
  for (size_t l = 1; l <= top; ++l) MoveNoise(old, network, l);
  // DYNAMICS feels its errors at once; DIRECT, LAYERED, takes the new slopes; and where potentials
  // are sent they must be known: three orders of the same functions.
  const bool dynamics = spec_.order == Spec::Order::kDynamics;
  for (size_t l = top; dynamics && l >= 1; --l) MoveErrors(old, network, l);
  for (size_t l = 1; l <= top; ++l) {
    if (layers_[l].is_pool) {
      MovePool(old, l);
    } else {
      MoveNeurons(old, step, l);
    }
  }
  for (size_t l = top; !dynamics && l >= 1; --l) MoveErrors(old, network, l);
  for (size_t l = 1; l <= top; ++l) Learn(old, l);
  started_ = true;
}

std::map<std::string, std::vector<double>> NaiveLayers::Values() const {
  std::map<std::string, std::vector<double>> values;
  for (size_t l = 1; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const auto add = [&](const std::string& symbol, const Array& array) {
      values[layer.name + "." + symbol] = array;
    };
    add("r", layer.r);
    add("r_prime", layer.r_prime);
    add("e", layer.e);
    if (layer.is_pool) continue;
    add("u", layer.u);
    add("u_ahead", layer.u_ahead);
    add("W", layer.W);
    add("tau_m", layer.tau_m);
    if (!layer.B.empty()) add("B", layer.B);
    if (!layer.b.empty()) add("b", layer.b);
    if (SpecOf(l).noise.has_value()) add("xi", layer.xi);
    if (SpecOf(l).alignment.has_value()) add("h", layer.h);
  }
  return values;
}

}  // namespace prospero
