#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace prospero {

/// What of `before` no longer holds in `now`, one sentence for each, in the order of `before`;
/// empty when every client of `before` can talk to a server of `now`, on the wire, in JSON and
/// in source. Additions never break. Both sets must hold all their imports.
///
/// It breaks when a file, message, field, oneof, enum, enum value, service or method is gone or
/// has another name; when a field has another type, label, presence or oneof; when a method has
/// another request, response or streaming; when a reserved number or name is free or in use.
std::vector<std::string> Breaks(const google::protobuf::FileDescriptorSet& before,
                                const google::protobuf::FileDescriptorSet& now);

}  // namespace prospero
