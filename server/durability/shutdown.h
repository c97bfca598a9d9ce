#pragma once

#include "absl/time/time.h"

namespace prospero::server {

struct Host;

/// At a shutdown, when no call is open any more: brings every network to a stop and takes a
/// checkpoint of it, several at a time, so that all of it is kept, whatever its durability. False
/// when some were not through at `deadline`, or could not be kept: of those the journal has what
/// their durability says. Waits.
bool KeepAll(Host& host, absl::Time deadline);

}  // namespace prospero::server
