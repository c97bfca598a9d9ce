#include "engine/core/variable.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace prospero {
namespace {

/// [2, 3] in rows of 5.
Variable Padded(std::vector<float>& memory) {
  memory = {1, 2, 3, -1, -1, 4, 5, 6, -1, -1};
  Variable variable;
  variable.name = std::string("a.W");
  variable.shape = {2, 3};
  variable.strides = {5, 1};
  variable.data = memory.data();
  return variable;
}

TEST(Variable, ReadsWithoutThePadding) {
  std::vector<float> memory;
  const Variable variable = Padded(memory);
  EXPECT_EQ(variable.size(), 6);
  EXPECT_EQ(variable.bytes(), 24);
  std::vector<float> packed(6);
  variable.Read(packed.data());
  EXPECT_EQ(packed, (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(Variable, WritesAroundThePadding) {
  std::vector<float> memory;
  const Variable variable = Padded(memory);
  const std::vector<float> packed = {10, 20, 30, 40, 50, 60};
  variable.Write(packed.data());
  EXPECT_EQ(memory, (std::vector<float>{10, 20, 30, -1, -1, 40, 50, 60, -1, -1}));
  variable.Fill(7);
  EXPECT_EQ(memory, (std::vector<float>{7, 7, 7, -1, -1, 7, 7, 7, -1, -1}));
}

TEST(Variable, CanBeATranspose) {
  std::vector<float> memory;
  Variable variable = Padded(memory);
  variable.shape = {3, 2};
  variable.strides = {1, 5};
  std::vector<float> packed(6);
  variable.Read(packed.data());
  EXPECT_EQ(packed, (std::vector<float>{1, 4, 2, 5, 3, 6}));
  packed = {10, 40, 20, 50, 30, 60};
  variable.Write(packed.data());
  EXPECT_EQ(memory, (std::vector<float>{10, 20, 30, -1, -1, 40, 50, 60, -1, -1}));
  variable.Fill(7);
  EXPECT_EQ(memory, (std::vector<float>{7, 7, 7, -1, -1, 7, 7, 7, -1, -1}));
}

TEST(Variable, CanHaveAnyNumberOfDimensions) {
  std::vector<double> memory(24);
  for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<double>(i);
  Variable variable;
  variable.type = DataType::kFloat64;
  variable.shape = {2, 2, 3};
  variable.strides = {12, 4, 1};
  variable.data = memory.data();
  std::vector<double> packed(12);
  variable.Read(packed.data());
  EXPECT_EQ(packed, (std::vector<double>{0, 1, 2, 4, 5, 6, 12, 13, 14, 16, 17, 18}));
}

TEST(Variable, IsAScalarWithoutDimensions) {
  double value = 3.5;
  Variable variable;
  variable.type = DataType::kFloat64;
  variable.data = &value;
  EXPECT_EQ(variable.size(), 1);
  EXPECT_EQ(variable.scalar(), 3.5);
  variable.Fill(-2);
  EXPECT_EQ(value, -2);
}

TEST(Variable, AsksAComputedSignal) {
  Variable variable;
  variable.type = DataType::kFloat64;
  variable.compute = [](void* packed) {
    const double value = 42;
    std::memcpy(packed, &value, sizeof(value));
  };
  EXPECT_TRUE(variable.computed());
  EXPECT_EQ(variable.scalar(), 42);
}

TEST(VariableTable, FindsByName) {
  VariableTable table;
  for (const char* name : {"loss", "hidden.u"}) {
    Variable variable;
    variable.name = std::string(name);
    table.Add(variable);
  }
  EXPECT_EQ(table.size(), 2);
  EXPECT_EQ(table.Find("hidden.u"), 1);
  EXPECT_EQ(table.Find("hidden"), -1);
  EXPECT_EQ(table[0].name, "loss");
}

TEST(PackedStrides, AreRowMajor) {
  EXPECT_EQ(PackedStrides({2, 3, 4}), (std::vector<int64_t>{12, 4, 1}));
  EXPECT_TRUE(PackedStrides({}).empty());
}

}  // namespace
}  // namespace prospero
