#pragma once

#include <cstdint>

#include "engine/runtime/sample_encoder.h"
#include "engine/runtime/samples.h"
#include "grpcpp/support/byte_buffer.h"
#include "prospero/v1/simulation_service.pb.h"

namespace prospero::server {

// What subscribers get, as bytes. A sample is turned into bytes once, by the recording; messages
// are put together of samples that all readers share. Subscribe and Watch answer alike, so what
// is said here of a SubscribeResponse holds for a WatchResponse, too.

/// Samples as elements of v1::SubscriptionEvent.Samples.samples, with their tags.
MakeSampleEncoder WireEncoder();

/// A SubscribeResponse with these samples. Small ones are copied; of large ones it holds the
/// chunks.
grpc::ByteBuffer ToWire(const Samples& samples, uint64_t sequence);

/// A SubscribeResponse with this event.
grpc::ByteBuffer ToWire(v1::SubscriptionEvent&& event, uint64_t sequence);

}  // namespace prospero::server
