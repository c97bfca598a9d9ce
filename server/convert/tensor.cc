#include "server/convert/tensor.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/errors.h"

namespace prospero::server {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

template <class T>
T ValueAt(const std::string& bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Says what the tensor is, after its byte count has been checked.
struct Layout {
  DataType type = DataType::kFloat64;
  size_t count = 0;
};

absl::StatusOr<Layout> Read(const v1::Tensor& tensor) {
  const absl::StatusOr<DataType> type = FromProto(tensor.data_type(), DataType::kFloat64);
  if (!type.ok()) return type.status();
  const absl::StatusOr<int64_t> count = CountOf(tensor);
  if (!count.ok()) return count.status();
  const auto given = static_cast<int64_t>(tensor.data().size());
  if (*count > std::numeric_limits<int64_t>::max() / 8 || *count * SizeOf(*type) != given) {
    return InvalidField("data", absl::StrCat("must have ", *count, " values of ", SizeOf(*type),
                                             " bytes, got ", given, " bytes"));
  }
  return Layout{*type, static_cast<size_t>(*count)};
}

absl::Status NotFinite(size_t index, double value) {
  return InvalidField("data", absl::StrCat("must be finite, got ", value, " at position ", index));
}

/// Calls visit(index, value) for each value; stops at the first that is not finite.
template <class Visitor>
absl::Status VisitValues(const v1::Tensor& tensor, const Layout& layout, Visitor visit) {
  for (size_t i = 0; i < layout.count; ++i) {
    const double value = layout.type == DataType::kFloat32
                             ? static_cast<double>(ValueAt<float>(tensor.data(), i))
                             : ValueAt<double>(tensor.data(), i);
    if (!std::isfinite(value)) return NotFinite(i, value);
    if (absl::Status status = visit(i, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

v1::DataType ToProto(DataType type) {
  return type == DataType::kFloat32 ? v1::DATA_TYPE_FLOAT32 : v1::DATA_TYPE_FLOAT64;
}

absl::StatusOr<DataType> FromProto(v1::DataType type, DataType unspecified) {
  switch (type) {
    case v1::DATA_TYPE_UNSPECIFIED:
      return unspecified;
    case v1::DATA_TYPE_FLOAT32:
      return DataType::kFloat32;
    case v1::DATA_TYPE_FLOAT64:
      return DataType::kFloat64;
    default:
      return InvalidField("data_type",
                          absl::StrCat("must be FLOAT32 or FLOAT64, got ", static_cast<int>(type)));
  }
}

absl::StatusOr<int64_t> CountOf(const v1::Tensor& tensor) {
  int64_t count = 1;
  for (int i = 0; i < tensor.shape_size(); ++i) {
    const int64_t extent = tensor.shape(i);
    if (extent < 0) {
      return InvalidField(absl::StrCat("shape[", i, "]"),
                          absl::StrCat("must be >= 0, got ", extent));
    }
    if (__builtin_mul_overflow(count, extent, &count)) {
      return InvalidField("shape", "has more values than can be counted");
    }
  }
  return count;
}

absl::StatusOr<std::vector<double>> ReadDoubles(const v1::Tensor& tensor) {
  const absl::StatusOr<Layout> layout = Read(tensor);
  if (!layout.ok()) return layout.status();
  std::vector<double> values(layout->count);
  absl::Status status = VisitValues(tensor, *layout, [&values](size_t i, double value) {
    values[i] = value;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return values;
}

absl::StatusOr<std::string> Pack(const v1::Tensor& tensor, DataType type) {
  const absl::StatusOr<Layout> layout = Read(tensor);
  if (!layout.ok()) return layout.status();
  std::string packed(layout->count * static_cast<size_t>(SizeOf(type)), '\0');
  absl::Status status = VisitValues(tensor, *layout, [&](size_t i, double value) {
    if (type == DataType::kFloat64) {
      std::memcpy(packed.data() + i * sizeof(double), &value, sizeof(double));
      return absl::OkStatus();
    }
    const auto narrow = static_cast<float>(value);
    if (!std::isfinite(narrow)) {
      return InvalidField("data",
                          absl::StrCat("does not fit into FLOAT32: ", value, " at position ", i));
    }
    std::memcpy(packed.data() + i * sizeof(float), &narrow, sizeof(float));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return packed;
}

v1::Tensor MakeTensor(DataType type, std::vector<int64_t> shape, std::string values) {
  v1::Tensor tensor;
  tensor.set_data_type(ToProto(type));
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  tensor.set_data(std::move(values));
  return tensor;
}

std::string ShapeToString(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace prospero::server
