#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/network.h"

namespace prospero {

/// The variable of that name; ends the program when there is none.
const Variable& Get(const Network& network, const std::string& name);

/// Its values as double, row-major.
std::vector<double> Values(const Network& network, const std::string& name);
/// The first of them.
double Value(const Network& network, const std::string& name);

/// Writes values, row-major, in the variable's own precision.
void Set(const Network& network, const std::string& name, const double* values);
void Set(const Network& network, const std::string& name, const std::vector<double>& values);
/// All values the same.
void Set(const Network& network, const std::string& name, double value);

/// Every saved variable's bytes, one after the other.
std::string SavedBytes(const Network& network);
void RestoreBytes(const std::string& bytes, const Network& network);

}  // namespace prospero
