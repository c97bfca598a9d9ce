#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "prospero/v1/tensor.pb.h"

/// Arrays on their way in and out. Numbers travel as little-endian bytes and are viewed in
/// place: none passes through a repeated field. T is float or double throughout.
namespace prospero::client {

/// A place in a network's time.
struct Cursor {
  int64_t epoch = 0;  ///< grows when the network is reset: steps of two epochs do not compare
  int64_t step = 0;   ///< steps completed; model time is step * dt_ms
  bool operator==(const Cursor&) const = default;
};

/// Values of one variable as the server sent them: rows, each one the variable's whole value,
/// row-major. It owns its bytes and may outlive the stream it came from. Immutable, so any
/// number of threads may read it.
class Array {
 public:
  Array(std::shared_ptr<const v1::VariableSchema> variable, std::string data)
      : variable_(std::move(variable)), data_(std::move(data)) {}

  /// Name, shape, unit and number format.
  const v1::VariableSchema& variable() const { return *variable_; }
  /// Values in one row: the product of the variable's shape.
  int64_t row_size() const;
  int64_t rows() const;

  /// All values, rows * row_size, without a copy: valid as long as the array.
  /// FAILED_PRECONDITION when the variable holds the other number format.
  template <class T>
  absl::StatusOr<absl::Span<const T>> View() const;

  /// A copy, whatever the number format.
  std::vector<double> ToDoubles() const;

 private:
  std::shared_ptr<const v1::VariableSchema> variable_;
  std::string data_;
};

/// The array of that variable, or null. The name of a population stands for its rates:
/// "output" for "output.r".
const Array* Find(absl::Span<const Array> arrays, absl::string_view name);

/// An array that says what it is, for specs, parameters and the unary Step. `values` has
/// product(shape) numbers; the server answers INVALID_ARGUMENT otherwise.
template <class T>
v1::Tensor MakeTensor(absl::Span<const T> values, absl::Span<const int64_t> shape);
v1::Tensor MakeTensor(absl::Span<const float> values, std::initializer_list<int64_t> shape);
v1::Tensor MakeTensor(absl::Span<const double> values, std::initializer_list<int64_t> shape);

/// A FLOAT64 without dimensions.
v1::Tensor MakeScalar(double value);

/// The values of a tensor without a copy: valid as long as the tensor is not changed.
/// FAILED_PRECONDITION when it holds the other number format.
template <class T>
absl::StatusOr<absl::Span<const T>> View(const v1::Tensor& tensor);

/// A copy, whatever the number format.
std::vector<double> ToDoubles(const v1::Tensor& tensor);

}  // namespace prospero::client
