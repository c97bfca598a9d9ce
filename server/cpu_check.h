#pragma once

namespace prospero::server {

/// Whether this machine has what prosperod is built for (x86-64-v3: AVX2, FMA, BMI2, F16C and
/// their company). Asked before any other code of ours runs: a machine without it gets a
/// message on stderr and exit code 2, not a crash. To be called by main, so that the check is
/// linked in.
bool CpuIsSupported();

}  // namespace prospero::server
