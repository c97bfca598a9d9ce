#include "server/models/microcircuit.h"

#include "engine/models/microcircuit/microcircuit.h"
#include "server/convert/microcircuit.h"
#include "server/models/recipe.h"

namespace prospero::server {
namespace {

absl::Status CheckCounts(const v1::MicrocircuitSpec& spec, const NetworkLimits& limits) {
  return CheckCount("max_populations", limits.max_populations, spec.layers_size(), "layers");
}

}  // namespace

ModelKind MicrocircuitKind() {
  return KindOf<v1::MicrocircuitSpec, MicrocircuitSpec>(
      "microcircuit", "Dendritic microcircuits that learn with all synapses plastic at once",
      v1::NetworkSpec::kMicrocircuit,
      {&v1::NetworkSpec::microcircuit, CheckCounts, FromProto, CheckMicrocircuit,
       MakeMicrocircuit});
}

}  // namespace prospero::server
