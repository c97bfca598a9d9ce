#pragma once

#include "absl/types/optional.h"

namespace prospero::client {

/// Sets a part of a message if there is one: SetPart(noise, layer, &Layer::mutable_noise).
template <class Part, class Message>
void SetPart(const absl::optional<Part>& part, Message& message, Part* (Message::*mutable_part)()) {
  if (part.has_value()) *(message.*mutable_part)() = *part;
}

}  // namespace prospero::client
