#pragma once

#include <vector>

#include "engine/core/variable.h"

namespace prospero {

/// Counts who watches each variable, and tells the network of those that it must help with
/// (Variable::watched). On the strand only.
class Watches {
 public:
  explicit Watches(const VariableTable& variables)
      : variables_(variables), counts_(static_cast<size_t>(variables.size())) {}

  void Add(const std::vector<int>& variables) { Change(variables, 1); }
  void Remove(const std::vector<int>& variables) { Change(variables, -1); }

 private:
  void Change(const std::vector<int>& variables, int by) {
    for (const int index : variables) {
      int& count = counts_[static_cast<size_t>(index)];
      count += by;
      if (bool* watched = variables_[index].watched) *watched = count > 0;
    }
  }

  const VariableTable& variables_;
  std::vector<int> counts_;
};

}  // namespace prospero
