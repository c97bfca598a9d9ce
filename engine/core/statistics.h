#pragma once

#include "engine/core/update.h"
#include "engine/core/variable.h"

namespace prospero {

/// What a step is asked to count in one matrix of weights, and what it counted.
struct UpdateWatch {
  bool swallowed = false;     ///< Variable::watched of W.swallowed
  bool update_ratio = false;  ///< Variable::watched of W.update_ratio
  bool counted = false;       ///< the last step counted
  UpdateCount count;

  bool watched() const { return swallowed || update_ratio; }
};

/// Adds the statistics of a matrix, all FLOAT64 and computed when somebody asks:
///
/// | signal            | shape | what                                                        |
/// |-------------------|-------|-------------------------------------------------------------|
/// | W.mean            | []    | mean                                                        |
/// | W.std             | []    | standard deviation, of the whole population                 |
/// | W.norm            | []    | Frobenius norm                                              |
/// | W.min, W.max      | []    | extremes                                                    |
/// | W.histogram       | [64]  | counts in 64 equal bins from W.min to W.max; the last bin   |
/// |                   |       | holds its upper edge, too; all in the first when W is       |
/// |                   |       | constant                                                    |
/// | W.histogram_edges | [65]  | the edges of those bins                                     |
/// | W.sparsity        | []    | fraction of weights that are exactly 0                      |
/// | W.spectral_norm   | []    | largest singular value, by power iteration, to about 1e-6   |
///
/// Where a weight is not finite they are not a number.
void RegisterStatistics(const Variable& matrix, VariableTable& variables);

/// Adds what the last step did to a matrix, counted in it while somebody watches; not a number
/// when the last step did not count:
///
/// | signal         | shape | what                                                           |
/// |----------------|-------|----------------------------------------------------------------|
/// | W.update_ratio | []    | ‖ΔW‖ / ‖W‖ of the last step, Frobenius norms                   |
/// | W.swallowed    | []    | weights whose update was not zero and yet left them unchanged, |
/// |                |       | being below their last bit                                     |
///
/// `watch` must live as long as the table.
void RegisterUpdateStatistics(const Variable& matrix, UpdateWatch* watch, VariableTable& variables);

}  // namespace prospero
