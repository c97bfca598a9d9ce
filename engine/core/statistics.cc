#include "engine/core/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace prospero {
namespace {

constexpr int64_t kBins = 64;
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// A matrix of a network, seen as double.
class Matrix {
 public:
  explicit Matrix(const Variable& variable) : variable_(variable) {}

  int64_t rows() const { return variable_.shape[0]; }
  int64_t columns() const { return variable_.shape[1]; }
  double count() const { return static_cast<double>(variable_.size()); }

  /// Calls visit(row, column, value).
  template <class Visit>
  void ForEach(Visit visit) const {
    if (variable_.type == DataType::kFloat32)
      ForEachAs<float>(visit);
    else
      ForEachAs<double>(visit);
  }

  /// Σ f(value).
  template <class F>
  double Sum(F f) const {
    double sum = 0;
    ForEach([&](int64_t, int64_t, double w) { sum += f(w); });
    return sum;
  }

 private:
  template <class Real, class Visit>
  void ForEachAs(Visit visit) const {
    const Real* row = static_cast<const Real*>(variable_.data);
    for (int64_t i = 0; i < rows(); ++i, row += variable_.strides[0]) {
      for (int64_t j = 0; j < columns(); ++j) visit(i, j, static_cast<double>(row[j]));
    }
  }

  const Variable& variable_;
};

double Mean(const Matrix& W) {
  return W.Sum([](double w) { return w; }) / W.count();
}

double StandardDeviation(const Matrix& W) {
  const double mean = Mean(W);
  return std::sqrt(W.Sum([mean](double w) { return (w - mean) * (w - mean); }) / W.count());
}

double Norm(const Matrix& W) {
  return std::sqrt(W.Sum([](double w) { return w * w; }));
}

double Sparsity(const Matrix& W) {
  return W.Sum([](double w) { return w == 0 ? 1.0 : 0.0; }) / W.count();
}

std::pair<double, double> Extremes(const Matrix& W) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool finite = true;
  W.ForEach([&](int64_t, int64_t, double w) {
    finite = finite && std::isfinite(w);
    low = std::min(low, w);
    high = std::max(high, w);
  });
  if (!finite) return {kNotANumber, kNotANumber};
  return {low, high};
}

void Histogram(const Matrix& W, double* counts) {
  const auto [low, high] = Extremes(W);
  std::fill_n(counts, kBins, std::isnan(low) ? kNotANumber : 0.0);
  if (std::isnan(low)) return;
  const double scale = high > low ? static_cast<double>(kBins) / (high - low) : 0.0;
  W.ForEach([&, low = low](int64_t, int64_t, double w) {
    const auto bin = static_cast<int64_t>((w - low) * scale);
    counts[std::min(bin, kBins - 1)] += 1;
  });
}

void HistogramEdges(const Matrix& W, double* edges) {
  const auto [low, high] = Extremes(W);
  for (int64_t k = 0; k <= kBins; ++k) {
    const double share = static_cast<double>(k) / static_cast<double>(kBins);
    edges[k] = low * (1 - share) + high * share;
  }
}

/// x ← x / ‖x‖; returns ‖x‖.
double Normalize(std::vector<double>& x) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double norm = std::sqrt(squares);
  if (norm > 0) {
    for (double& value : x) value /= norm;
  }
  return norm;
}

/// Power iteration on WᵀW.
double SpectralNorm(const Matrix& W) {
  constexpr int kMaxIterations = 100;
  constexpr double kTolerance = 1e-9;
  std::vector<double> x(static_cast<size_t>(W.columns()));
  std::vector<double> y(static_cast<size_t>(W.rows()));
  // Not the same in all components, which could be orthogonal to the singular vector.
  for (size_t j = 0; j < x.size(); ++j) x[j] = 1.0 + 0.5 * std::sin(static_cast<double>(j + 1));
  Normalize(x);
  double sigma = 0;
  for (int n = 0; n < kMaxIterations; ++n) {
    std::fill(y.begin(), y.end(), 0.0);
    W.ForEach([&](int64_t i, int64_t j, double w) {
      y[static_cast<size_t>(i)] += w * x[static_cast<size_t>(j)];
    });
    const double before = sigma;
    sigma = Normalize(y);
    if (!(std::abs(sigma - before) > kTolerance * sigma)) break;
    std::fill(x.begin(), x.end(), 0.0);
    W.ForEach([&](int64_t i, int64_t j, double w) {
      x[static_cast<size_t>(j)] += w * y[static_cast<size_t>(i)];
    });
    Normalize(x);
  }
  return sigma;
}

/// Adds the signal "<matrix>.<name>" and returns it for more.
Variable Signal(const Variable& matrix, absl::string_view name, std::vector<int64_t> shape,
                absl::string_view description) {
  Variable signal;
  signal.name = absl::StrCat(matrix.name, ".", name);
  signal.unit = std::string("1");
  signal.description = std::string(description);
  signal.role = Role::kSignal;
  signal.type = DataType::kFloat64;
  signal.strides = PackedStrides(shape);
  signal.shape = std::move(shape);
  return signal;
}

template <class Compute>
void AddScalar(const Variable& matrix, absl::string_view name, absl::string_view description,
               Compute compute, VariableTable& variables) {
  Variable signal = Signal(matrix, name, {}, description);
  signal.compute = [matrix, compute](void* packed) {
    *static_cast<double*>(packed) = compute(Matrix(matrix));
  };
  variables.Add(std::move(signal));
}

}  // namespace

void RegisterStatistics(const Variable& matrix, VariableTable& variables) {
  AddScalar(matrix, "mean", "mean", Mean, variables);
  AddScalar(matrix, "std", "standard deviation", StandardDeviation, variables);
  AddScalar(matrix, "norm", "Frobenius norm", Norm, variables);
  AddScalar(
      matrix, "min", "smallest", [](const Matrix& W) { return Extremes(W).first; }, variables);
  AddScalar(
      matrix, "max", "largest", [](const Matrix& W) { return Extremes(W).second; }, variables);
  AddScalar(matrix, "sparsity", "fraction that is exactly 0", Sparsity, variables);
  AddScalar(matrix, "spectral_norm", "largest singular value", SpectralNorm, variables);
  Variable histogram = Signal(matrix, "histogram", {kBins}, "counts in equal bins, min to max");
  histogram.compute = [matrix](void* packed) {
    Histogram(Matrix(matrix), static_cast<double*>(packed));
  };
  variables.Add(std::move(histogram));
  Variable edges = Signal(matrix, "histogram_edges", {kBins + 1}, "edges of the histogram's bins");
  edges.compute = [matrix](void* packed) {
    HistogramEdges(Matrix(matrix), static_cast<double*>(packed));
  };
  variables.Add(std::move(edges));
}

void RegisterUpdateStatistics(const Variable& matrix, UpdateWatch* watch,
                              VariableTable& variables) {
  Variable ratio =
      Signal(matrix, "update_ratio", {}, "norm of the last step's update over that of W");
  ratio.watched = &watch->update_ratio;
  ratio.compute = [matrix, watch](void* packed) {
    const double change = std::sqrt(watch->count.squared_change);
    *static_cast<double*>(packed) = !watch->counted ? kNotANumber
                                    : change == 0   ? 0.0
                                                    : change / Norm(Matrix(matrix));
  };
  variables.Add(std::move(ratio));
  Variable swallowed =
      Signal(matrix, "swallowed", {}, "weights that their last update left as they were");
  swallowed.watched = &watch->swallowed;
  swallowed.compute = [watch](void* packed) {
    *static_cast<double*>(packed) =
        watch->counted ? static_cast<double>(watch->count.swallowed) : kNotANumber;
  };
  variables.Add(std::move(swallowed));
}

}  // namespace prospero
