#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "engine/core/variable.h"
#include "engine/runtime/observer.h"

namespace prospero {

/// What a selection shows of one variable: all of it, or a slice. The slice fits.
class Window {
 public:
  Window(const Variable& variable, const absl::optional<Slice>& slice);

  DataType type() const { return variable_->type; }
  int64_t size() const { return count_; }  ///< [values]
  int64_t bytes() const { return count_ * SizeOf(type()); }
  /// What `Values` needs: room for the variable and for the window. 0: nothing.
  int64_t scratch_bytes() const;

  /// The values of the window, packed: in the network itself where they lie so, else in
  /// `scratch` (aligned for doubles). Valid until the next step. On the strand only.
  const char* Values(char* scratch) const;

 private:
  const Variable* variable_;
  int64_t start_ = 0;
  int64_t count_ = 0;
  int64_t stride_ = 1;
  bool packed_ = false;  ///< the variable lies packed in memory
};

/// How many values a slice has of an array of `size`; -1 when it does not fit.
int64_t SliceCount(const Slice& slice, int64_t size);

}  // namespace prospero
