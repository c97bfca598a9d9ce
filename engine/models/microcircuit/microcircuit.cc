#include "engine/models/microcircuit/microcircuit.h"

#include "engine/models/make.h"
#include "engine/models/microcircuit/check.h"
#include "engine/models/microcircuit/network.h"

namespace prospero {

absl::StatusOr<Footprint> CheckMicrocircuit(const MicrocircuitSpec& spec,
                                            const NetworkOptions& options,
                                            const NetworkLimits& limits) {
  return CheckModel<microcircuit::Parts>(spec, options, limits, microcircuit::CheckSpec);
}

absl::StatusOr<std::unique_ptr<Network>> MakeMicrocircuit(const MicrocircuitSpec& spec,
                                                          const NetworkOptions& options,
                                                          const NetworkLimits& limits) {
  return MakeModel<microcircuit::MicrocircuitNetwork>(spec, options,
                                                      CheckMicrocircuit(spec, options, limits));
}

}  // namespace prospero
