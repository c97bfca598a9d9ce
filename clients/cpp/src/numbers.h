#pragma once

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "prospero/v1/tensor.pb.h"

namespace prospero::client {

/// The number format of T on the wire.
template <class T>
constexpr v1::DataType kDataType = sizeof(T) == 4 ? v1::DATA_TYPE_FLOAT32 : v1::DATA_TYPE_FLOAT64;

/// Bytes of one number. Unspecified is FLOAT64, as in a Tensor.
constexpr int64_t SizeOf(v1::DataType type) { return type == v1::DATA_TYPE_FLOAT32 ? 4 : 8; }

/// Appends numbers in the format `type`, little-endian like this machine.
template <class T>
void Append(absl::Span<const T> values, v1::DataType type, std::string& bytes) {
  const auto append = [&bytes](const auto* numbers, size_t count) {
    bytes.append(reinterpret_cast<const char*>(numbers), count * sizeof(*numbers));
  };
  if (SizeOf(type) == int64_t{sizeof(T)}) return append(values.data(), values.size());
  bytes.reserve(bytes.size() + values.size() * static_cast<size_t>(SizeOf(type)));
  for (const T value : values) {
    if (type == v1::DATA_TYPE_FLOAT32) {
      const auto number = static_cast<float>(value);
      append(&number, 1);
    } else {
      const auto number = static_cast<double>(value);
      append(&number, 1);
    }
  }
}

/// Sees bytes as numbers. A std::string keeps its bytes aligned for either format.
template <class T>
absl::Span<const T> AsNumbers(const std::string& bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace prospero::client
