#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/variable.h"
#include "prospero/v1/tensor.pb.h"

namespace prospero::server {

v1::DataType ToProto(DataType type);

/// `unspecified` is what DATA_TYPE_UNSPECIFIED stands for. Errors name "data_type".
absl::StatusOr<DataType> FromProto(v1::DataType type, DataType unspecified);

/// Number of values of an array; kInvalidArgument, naming "shape", when an extent is negative
/// or the number does not fit.
absl::StatusOr<int64_t> CountOf(const v1::Tensor& tensor);

/// The values, which are finite. Errors name "data_type", "shape" or "data".
absl::StatusOr<std::vector<double>> ReadDoubles(const v1::Tensor& tensor);

/// The values packed as `type`, finite also in that type. Errors as ReadDoubles.
absl::StatusOr<std::string> Pack(const v1::Tensor& tensor, DataType type);

/// Moves packed values into a tensor.
v1::Tensor MakeTensor(DataType type, std::vector<int64_t> shape, std::string values);

/// "[2, 3]".
std::string ShapeToString(const std::vector<int64_t>& shape);

}  // namespace prospero::server
