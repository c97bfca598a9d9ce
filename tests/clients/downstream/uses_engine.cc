#include <cstdio>

#include "engine/models/gle/gle.h"

int main() {
  prospero::GlePopulation input{.name = "input", .size = 2};
  input.role = prospero::PopulationRole::kInput;
  prospero::GlePopulation output{.name = "output", .size = 1};
  output.role = prospero::PopulationRole::kOutput;
  output.tau_m = {1.0};
  const prospero::GleSpec spec = {{input, output}, {{.pre = "input", .post = "output"}}};
  const prospero::NetworkOptions options = {.dt = 0.1};
  const auto network = prospero::MakeGle(spec, options, {});
  if (!network.ok()) {
    std::printf("%s\n", network.status().ToString().c_str());
    return 1;
  }
  const auto& variables = (*network)->variables();
  variables[variables.Find("input.r")].Fill(1.0);
  (*network)->Advance({.index = 0, .dt = options.dt});
  float rate = 0.0f;
  variables[variables.Find("output.r")].Read(&rate);
  std::printf("output.r = %g\n", rate);
  return rate != 0.0f ? 0 : 1;
}
