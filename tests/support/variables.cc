#include "tests/support/variables.h"

#include <cstdio>
#include <cstdlib>

namespace prospero {

const Variable& Get(const Network& network, const std::string& name) {
  const int index = network.variables().Find(name);
  if (index >= 0) return network.variables()[index];
  std::fprintf(stderr, "no variable %s\n", name.c_str());
  std::abort();
}

std::vector<double> Values(const Network& network, const std::string& name) {
  const Variable& variable = Get(network, name);
  const auto count = static_cast<size_t>(variable.size());
  if (variable.type == DataType::kFloat64) {
    std::vector<double> values(count);
    variable.Read(values.data());
    return values;
  }
  std::vector<float> values(count);
  variable.Read(values.data());
  return {values.begin(), values.end()};
}

double Value(const Network& network, const std::string& name) {
  return Values(network, name).front();
}

void Set(const Network& network, const std::string& name, const double* values) {
  const Variable& variable = Get(network, name);
  if (variable.type == DataType::kFloat64) return variable.Write(values);
  const std::vector<float> narrow(values, values + variable.size());
  variable.Write(narrow.data());
}

void Set(const Network& network, const std::string& name, const std::vector<double>& values) {
  if (static_cast<int64_t>(values.size()) != Get(network, name).size()) std::abort();
  Set(network, name, values.data());
}

void Set(const Network& network, const std::string& name, double value) {
  Get(network, name).Fill(value);
}

std::string SavedBytes(const Network& network) {
  std::string bytes;
  for (const Variable& variable : network.variables()) {
    if (!IsSaved(variable.role)) continue;
    const size_t at = bytes.size();
    bytes.resize(at + static_cast<size_t>(variable.bytes()));
    variable.Read(bytes.data() + at);
  }
  return bytes;
}

void RestoreBytes(const std::string& bytes, const Network& network) {
  size_t at = 0;
  for (const Variable& variable : network.variables()) {
    if (!IsSaved(variable.role)) continue;
    variable.Write(bytes.data() + at);
    at += static_cast<size_t>(variable.bytes());
  }
  if (at != bytes.size()) std::abort();
}

}  // namespace prospero
