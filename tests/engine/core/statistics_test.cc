#include "engine/core/statistics.h"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/core/describe.h"
#include "engine/core/random.h"

namespace prospero {
namespace {

/// A [7, 11] matrix of noise with a few zeros, in padded rows, and its statistics.
template <class Real>
struct Fixture {
  Fixture() : matrix(7, 11), memory(static_cast<size_t>(7 * PaddedRow<Real>(11)), Real(99)) {
    const RandomStream noise(1, "W");
    for (int i = 0; i < 7; ++i) {
      for (int j = 0; j < 11; ++j) Put(i, j, i == j ? 0.0 : noise.Normal(i * 11 + j));
    }
    const Variable W = Describe("q.W", Role::kWeight, {7, 11}, memory.data(), "1", "weights");
    table.Add(W);
    RegisterStatistics(W, table);
    RegisterUpdateStatistics(W, &watch, table);
  }

  void Put(int i, int j, double value) {
    Real& at = memory[static_cast<size_t>(i * PaddedRow<Real>(11) + j)];
    at = static_cast<Real>(value);
    matrix(i, j) = static_cast<double>(at);
  }
  std::vector<double> Read(const std::string& name) const {
    const Variable& variable = table[table.Find("q.W." + name)];
    std::vector<double> values(static_cast<size_t>(variable.size()));
    variable.Read(values.data());
    return values;
  }
  double Scalar(const std::string& name) const { return Read(name)[0]; }

  Eigen::MatrixXd matrix;
  std::vector<Real> memory;
  VariableTable table;
  UpdateWatch watch;
};

template <class Real>
void ExpectStatistics() {
  const Fixture<Real> f;
  const Eigen::MatrixXd& W = f.matrix;
  EXPECT_NEAR(f.Scalar("mean"), W.mean(), 1e-14);
  EXPECT_NEAR(f.Scalar("std"), std::sqrt((W.array() - W.mean()).square().mean()), 1e-14);
  EXPECT_NEAR(f.Scalar("norm"), W.norm(), 1e-14);
  EXPECT_EQ(f.Scalar("min"), W.minCoeff());
  EXPECT_EQ(f.Scalar("max"), W.maxCoeff());
  EXPECT_NEAR(f.Scalar("sparsity"), 7.0 / 77.0, 1e-15);
  const double sigma = Eigen::JacobiSVD<Eigen::MatrixXd>(W).singularValues()[0];
  EXPECT_NEAR(f.Scalar("spectral_norm"), sigma, 1e-6 * sigma);
}

TEST(Statistics, AreThoseOfTheMatrixWithoutItsPadding) {
  ExpectStatistics<float>();
  ExpectStatistics<double>();
}

TEST(Statistics, PutEveryWeightIntoABinOfTheHistogram) {
  const Fixture<float> f;
  const std::vector<double> counts = f.Read("histogram"), edges = f.Read("histogram_edges");
  ASSERT_EQ(counts.size(), 64u);
  ASSERT_EQ(edges.size(), 65u);
  EXPECT_EQ(edges.front(), f.Scalar("min"));
  EXPECT_EQ(edges.back(), f.Scalar("max"));
  std::vector<double> expected(64, 0.0);
  for (const double w : f.matrix.reshaped()) {
    size_t bin = 0;
    while (bin < 63 && w >= edges[bin + 1]) ++bin;
    expected[bin] += 1;
  }
  EXPECT_EQ(counts, expected);
}

TEST(Statistics, OfAConstantMatrixFallIntoTheFirstBin) {
  Fixture<float> f;
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 11; ++j) f.Put(i, j, 0.5);
  }
  EXPECT_EQ(f.Read("histogram")[0], 77);
  EXPECT_EQ(f.Scalar("std"), 0);
  EXPECT_NEAR(f.Scalar("spectral_norm"), 0.5 * std::sqrt(77.0), 1e-6);
}

TEST(Statistics, OfAZeroMatrixAreZero) {
  Fixture<float> f;
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 11; ++j) f.Put(i, j, 0);
  }
  EXPECT_EQ(f.Scalar("spectral_norm"), 0);
  EXPECT_EQ(f.Scalar("sparsity"), 1);
}

TEST(Statistics, AreNoNumbersWhereAWeightIsNone) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Fixture<float> f;
    f.Put(3, 4, bad);
    for (const char* name : {"mean", "std", "norm", "min", "max", "spectral_norm"}) {
      EXPECT_FALSE(std::isfinite(f.Scalar(name))) << name;
    }
    EXPECT_TRUE(std::isnan(f.Read("histogram")[0]));
  }
}

TEST(UpdateStatistics, AreNoNumbersUnlessTheStepCounted) {
  Fixture<float> f;
  EXPECT_TRUE(std::isnan(f.Scalar("swallowed")));
  EXPECT_TRUE(std::isnan(f.Scalar("update_ratio")));
  f.watch.counted = true;
  f.watch.count = {5, 0.09};
  EXPECT_EQ(f.Scalar("swallowed"), 5);
  EXPECT_NEAR(f.Scalar("update_ratio"), 0.3 / f.matrix.norm(), 1e-12);
}

TEST(UpdateStatistics, LetTheStepKnowWhoWatches) {
  Fixture<float> f;
  EXPECT_FALSE(f.watch.watched());
  *f.table[f.table.Find("q.W.swallowed")].watched = true;
  EXPECT_TRUE(f.watch.watched());
  f.watch.swallowed = false;
  *f.table[f.table.Find("q.W.update_ratio")].watched = true;
  EXPECT_TRUE(f.watch.watched());
}

}  // namespace
}  // namespace prospero
