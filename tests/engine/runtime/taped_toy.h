#pragma once

#include <memory>
#include <vector>

#include "tests/engine/runtime/host.h"
#include "tests/engine/runtime/taped.h"

namespace prospero {

inline Recipe Toy() {
  return {"toy", 0.1, [](uint64_t seed) { return std::make_unique<ToyNetwork>(seed); }};
}

inline int Find(const Taped& taped, const char* name) { return taped.table->Find(name); }

/// A job, and how it must end.
inline void MakeSteps(Taped& taped, int64_t steps, const std::vector<float>& x,
                      absl::StatusCode ends = absl::StatusCode::kOk) {
  Job job;
  job.Steps(steps).Every(steps).Give(Find(taped, "in.x"), x).Run(taped.Drive());
  EXPECT_EQ(job.status.code(), ends) << job.status;
}

}  // namespace prospero
