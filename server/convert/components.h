#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/activation.h"
#include "engine/core/alignment.h"
#include "engine/core/initializer.h"
#include "engine/core/loss.h"
#include "engine/core/noise.h"
#include "engine/core/plasticity.h"
#include "prospero/v1/components.pb.h"

namespace prospero::server {

// Each refuses numbers that are not finite and enum values that v1 does not know:
// kInvalidArgument, naming the field of the message. What the numbers may be is checked by the
// engine.

/// Without a path: it is one field.
absl::StatusOr<Activation> FromProto(v1::Activation activation);
absl::StatusOr<Loss> FromProto(v1::Loss loss);
/// Of the field at `path`.
absl::StatusOr<FeedbackPath> FromProto(v1::FeedbackPath way, absl::string_view path);

absl::StatusOr<Initializer> FromProto(const v1::Initializer& initializer);
absl::StatusOr<Plasticity> FromProto(const v1::Plasticity& plasticity);
absl::StatusOr<Alignment> FromProto(const v1::Alignment& alignment);
absl::StatusOr<NoiseSpec> FromProto(const v1::Noise& noise);

}  // namespace prospero::server
