#include <cstdio>

#include "prospero/client/client.h"

namespace pc = prospero::client;

int main() {
  const auto spec = pc::gle::Chain({40, 100, 1}, {.plasticity = pc::gle::Sgd(1e-3)});
  const auto client =
      pc::Client::Connect("unix:/nowhere", {.connect_timeout = absl::Milliseconds(50)});
  std::printf("%d populations, %s\n", spec.gle().populations_size(),
              client.status().ToString().c_str());
  return spec.gle().populations_size() == 3 && absl::IsUnavailable(client.status()) ? 0 : 1;
}
