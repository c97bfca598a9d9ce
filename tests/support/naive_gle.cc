#include "tests/support/naive_gle.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/support/variables.h"

namespace prospero::naive {
namespace {

double Phi(Activation activation, double z) {
  switch (activation) {
    case Activation::kLinear:
      return z;
    case Activation::kRelu:
      return std::max(z, 0.0);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::kTanh:
      return std::tanh(z);
    case Activation::kHardSigmoid:
      return std::clamp(z, 0.0, 1.0);
    case Activation::kHardTanh:
      return std::clamp(z, -1.0, 1.0);
    case Activation::kSoftplus:
      return std::log1p(std::exp(z));
    case Activation::kHardLogistic:
      return std::clamp(z / 6 + 0.5, 0.0, 1.0);
  }
  return 0;
}

double PhiPrime(Activation activation, double z) {
  switch (activation) {
    case Activation::kLinear:
      return 1;
    case Activation::kRelu:
      return z > 0 ? 1 : 0;
    case Activation::kSigmoid:
      return Phi(activation, z) * (1 - Phi(activation, z));
    case Activation::kTanh:
      return 1 - std::tanh(z) * std::tanh(z);
    case Activation::kHardSigmoid:
      return z >= 0 && z <= 1 ? 1 : 0;
    case Activation::kHardTanh:
      return z >= -1 && z <= 1 ? 1 : 0;
    case Activation::kSoftplus:
      return 1 / (1 + std::exp(-z));
    case Activation::kHardLogistic:
      return std::abs(z) < 3 ? 1.0 / 6 : 0;
  }
  return 0;
}

}  // namespace

void Learned::Start(Vector values, const absl::optional<Plasticity>& plasticity) {
  w = std::move(values);
  m.assign(w.size(), 0);
  v2.assign(w.size(), 0);
  learns = plasticity.has_value() && plasticity->enabled;
  if (plasticity.has_value()) how = *plasticity;
}

void Learned::Learn(const Vector& gradient) {
  if (!learns) return;
  ++t;
  for (size_t i = 0; i < w.size(); ++i) {
    double g = gradient[i];
    if (how.clip > 0) g = std::clamp(g, -how.clip, how.clip);
    if (how.optimizer == Optimizer::kLowPass) g = m[i] += how.mix * (g - m[i]);
    if (how.optimizer == Optimizer::kMomentum) g = m[i] = how.momentum * m[i] + g;
    if (how.optimizer == Optimizer::kAdam) {
      m[i] = how.beta1 * m[i] + (1 - how.beta1) * g;
      v2[i] = how.beta2 * v2[i] + (1 - how.beta2) * g * g;
      const double first = m[i] / (1 - std::pow(how.beta1, static_cast<double>(t)));
      const double second = v2[i] / (1 - std::pow(how.beta2, static_cast<double>(t)));
      g = first / (std::sqrt(second) + how.epsilon);
    }
    w[i] -= how.learning_rate * (g + how.weight_decay * w[i]);
    if (how.bound > 0) w[i] = std::clamp(w[i], -how.bound, how.bound);
  }
}

NaiveGle::NaiveGle(const GleSpec& spec, int64_t batch, const Network& network)
    : batch_(static_cast<size_t>(batch)) {
  for (const GlePopulation& population : spec.populations) {
    Population& p = populations_[population.name];
    p.spec = population;
    const Vector zero(static_cast<size_t>(population.size), 0.0);
    for (auto* x : {&p.u, &p.v, &p.r, &p.r_prime, &p.e_bottom, &p.e, &p.inst_e, &p.u_ahead, &p.s,
                    &p.u_dot, &p.y, &p.target, &p.xi, &p.w, &p.h}) {
      x->assign(batch_, zero);
    }
    if (population.role == PopulationRole::kInput) continue;
    p.b.Start(population.has_bias ? Values(network, population.name + ".b") : zero,
              population.bias_plasticity);
    p.tau_m.Start(Values(network, population.name + ".tau_m"), population.tau_m_plasticity);
    p.tau_r = Values(network, population.name + ".tau_r");
  }
  for (const GleProjection& projection : spec.projections) {
    Population* const post = &populations_[projection.post];
    projections_.push_back({projection, &populations_[projection.pre], post, post, {}, {}});
    Projection& q = projections_.back();
    q.W.Start(Values(network, NameOf(projection) + ".W"), projection.plasticity);
    const GleFeedback& feedback = projection.feedback;
    if (feedback.path == FeedbackPath::kTranspose) continue;
    if (feedback.path == FeedbackPath::kDirect) q.source = &populations_[feedback.output];
    const bool aligned = feedback.path == FeedbackPath::kAligned;
    q.B.Start(Values(network, NameOf(projection) + ".B"),
              aligned ? feedback.alignment->plasticity : absl::nullopt);
    if (aligned) post->tau_hp = feedback.alignment->tau_hp;
  }
}

void NaiveGle::Step(double dt, bool teach) {
  for (auto& [name, p] : populations_) {
    if (p.spec.role != PopulationRole::kInput) Errors(p, dt, teach);
  }
  for (auto& [name, p] : populations_) {
    for (size_t k = 0; k < batch_; ++k) {
      std::fill(p.e_bottom[k].begin(), p.e_bottom[k].end(), 0.0);
      p.s[k] = p.b.w;
    }
  }
  for (Projection& q : projections_) Return(q);
  for (Projection& q : projections_) Transmit(q);
  for (auto& [name, p] : populations_) {
    if (p.spec.noise.has_value()) MoveNoise(p, dt);
    if (p.spec.role != PopulationRole::kInput) Potentials(p, dt);
  }
}

double NaiveGle::OutputError(const Population& p, size_t k, size_t i) const {
  if (p.spec.loss == Loss::kMse) return p.target[k][i] - p.r[k][i];
  double sum = 0;
  for (const double r : p.r[k]) sum += std::exp(r);
  return p.target[k][i] - std::exp(p.r[k][i]) / sum;
}

double NaiveGle::LossOf(const Population& p, size_t k, size_t i) const {
  const double error = p.target[k][i] - p.r[k][i];
  if (p.spec.loss == Loss::kMse) return 0.5 * error * error;
  double sum = 0;
  for (const double r : p.r[k]) sum += std::exp(r);
  return -p.target[k][i] * std::log(std::exp(p.r[k][i]) / sum);
}

void NaiveGle::Errors(Population& p, double dt, bool teach) {
  p.loss = 0;
  p.y = p.r;
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < p.tau_r.size(); ++i) {
      double e_top = p.e_bottom[k][i];
      if (p.spec.role == PopulationRole::kOutput && teach) {
        e_top += p.spec.beta * OutputError(p, k, i);
        p.loss += LossOf(p, k, i) / static_cast<double>(batch_);
      }
      p.inst_e[k][i] = e_top * p.r_prime[k][i];
      const double v_dot = (p.inst_e[k][i] - p.v[k][i]) / p.tau_r[i];
      p.e[k][i] = p.v[k][i] + p.tau_m.w[i] * v_dot;
      p.v[k][i] += dt * v_dot;
      if (!p.spec.prospective_errors) p.e[k][i] = p.v[k][i] = p.inst_e[k][i];
    }
  }
}

void NaiveGle::Transmit(Projection& q) {
  const auto pre = static_cast<size_t>(q.pre->spec.size);
  const auto post = static_cast<size_t>(q.post->spec.size);
  Vector gradient(pre * post, 0.0);
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < post; ++i) {
      for (size_t j = 0; j < pre; ++j) {
        q.post->s[k][i] += q.W.w[i * pre + j] * q.pre->r[k][j];
        gradient[i * pre + j] -= q.post->e[k][i] * q.pre->r[k][j] / static_cast<double>(batch_);
      }
    }
  }
  q.W.Learn(gradient);
}

void NaiveGle::Return(Projection& q) {
  const auto pre = static_cast<size_t>(q.pre->spec.size);
  const auto source = static_cast<size_t>(q.source->spec.size);
  const bool transpose = q.spec.feedback.path == FeedbackPath::kTranspose;
  Vector gradient(pre * source, 0.0);
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < source; ++i) {
      for (size_t j = 0; j < pre; ++j) {
        const double B = transpose ? q.W.w[i * pre + j] : q.B.w[j * source + i];
        q.pre->e_bottom[k][j] += B * q.source->e[k][i];
        if (!q.B.learns) continue;
        gradient[j * source + i] -= q.pre->xi[k][j] * q.post->h[k][i] / static_cast<double>(batch_);
      }
    }
  }
  q.B.Learn(gradient);
}

void NaiveGle::MoveNoise(Population& p, double dt) {
  const NoiseSpec& noise = *p.spec.noise;
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < p.xi[k].size(); ++i) {
      double& xi = p.xi[k][i];
      if (noise.kind == NoiseSpec::Kind::kHeldWhite) {
        if (p.age % noise.hold == 0) xi = noise.sigma * p.w[k][i];
      } else {
        xi += (std::sqrt(dt * noise.tau) * noise.sigma * p.w[k][i] - dt * xi) / noise.tau;
      }
      p.s[k][i] += xi;
    }
  }
  ++p.age;
}

void NaiveGle::Potentials(Population& p, double dt) {
  Vector g_b(p.tau_r.size(), 0.0), g_tau(p.tau_r.size(), 0.0);
  for (size_t k = 0; k < batch_; ++k) {
    for (size_t i = 0; i < p.tau_r.size(); ++i) {
      const double drive = p.s[k][i] + p.spec.gamma * p.e[k][i];
      const double u_dot = (drive - p.u[k][i]) / p.tau_m.w[i];
      p.u_ahead[k][i] = p.u[k][i] + p.tau_r[i] * u_dot;
      p.u[k][i] += dt * u_dot;
      const double r_before = p.r[k][i];
      p.r[k][i] = Phi(p.spec.activation, p.u_ahead[k][i]);
      if (p.tau_hp > 0) p.h[k][i] += p.r[k][i] - r_before - dt / p.tau_hp * p.h[k][i];
      p.r_prime[k][i] = PhiPrime(p.spec.activation, p.u_ahead[k][i]);
      g_b[i] -= p.e[k][i] / static_cast<double>(batch_);
      g_tau[i] += p.e[k][i] * u_dot / static_cast<double>(batch_);
    }
  }
  p.b.Learn(g_b);
  p.tau_m.Learn(g_tau);
  if (!p.tau_m.learns && p.spec.tau_min == 0) return;
  const double bound = p.spec.tau_min > 0 ? p.spec.tau_min : dt;
  for (double& tau : p.tau_m.w) tau = std::max(tau, bound);
  for (double& tau : p.tau_r) tau = std::max(tau, bound);
}

}  // namespace prospero::naive
