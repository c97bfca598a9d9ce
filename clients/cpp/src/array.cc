#include "prospero/client/array.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "numbers.h"

namespace prospero::client {
namespace {

template <class T>
absl::StatusOr<absl::Span<const T>> ViewAs(const std::string& bytes, v1::DataType type,
                                           const std::string& name) {
  if (SizeOf(type) != int64_t{sizeof(T)}) {
    return absl::FailedPreconditionError(absl::StrCat(
        "'", name, "' holds ", v1::DataType_Name(type), ", not ", v1::DataType_Name(kDataType<T>)));
  }
  return AsNumbers<T>(bytes);
}

std::vector<double> Copy(const std::string& bytes, v1::DataType type) {
  const auto copy = [](auto numbers) {
    return std::vector<double>(numbers.begin(), numbers.end());
  };
  return SizeOf(type) == 4 ? copy(AsNumbers<float>(bytes)) : copy(AsNumbers<double>(bytes));
}

}  // namespace

int64_t Array::row_size() const {
  int64_t size = 1;
  for (const int64_t extent : variable_->shape()) size *= extent;
  return size;
}

int64_t Array::rows() const {
  const int64_t row_bytes = row_size() * SizeOf(variable_->data_type());
  return row_bytes == 0 ? 0 : static_cast<int64_t>(data_.size()) / row_bytes;
}

template <class T>
absl::StatusOr<absl::Span<const T>> Array::View() const {
  return ViewAs<T>(data_, variable_->data_type(), variable_->name());
}
template absl::StatusOr<absl::Span<const float>> Array::View() const;
template absl::StatusOr<absl::Span<const double>> Array::View() const;

std::vector<double> Array::ToDoubles() const { return Copy(data_, variable_->data_type()); }

const Array* Find(absl::Span<const Array> arrays, absl::string_view name) {
  const std::string rates = absl::StrCat(name, ".r");
  const Array* found = nullptr;
  for (const Array& array : arrays) {
    if (array.variable().name() == name) return &array;
    if (array.variable().name() == rates) found = &array;
  }
  return found;
}

template <class T>
v1::Tensor MakeTensor(absl::Span<const T> values, absl::Span<const int64_t> shape) {
  v1::Tensor tensor;
  tensor.set_data_type(kDataType<T>);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  Append(values, kDataType<T>, *tensor.mutable_data());
  return tensor;
}
template v1::Tensor MakeTensor(absl::Span<const float>, absl::Span<const int64_t>);
template v1::Tensor MakeTensor(absl::Span<const double>, absl::Span<const int64_t>);

v1::Tensor MakeTensor(absl::Span<const float> values, std::initializer_list<int64_t> shape) {
  return MakeTensor<float>(values, absl::MakeConstSpan(shape.begin(), shape.size()));
}

v1::Tensor MakeTensor(absl::Span<const double> values, std::initializer_list<int64_t> shape) {
  return MakeTensor<double>(values, absl::MakeConstSpan(shape.begin(), shape.size()));
}

v1::Tensor MakeScalar(double value) {
  return MakeTensor<double>(absl::MakeConstSpan(&value, 1), {});
}

template <class T>
absl::StatusOr<absl::Span<const T>> View(const v1::Tensor& tensor) {
  return ViewAs<T>(tensor.data(), tensor.data_type(), "tensor");
}
template absl::StatusOr<absl::Span<const float>> View(const v1::Tensor&);
template absl::StatusOr<absl::Span<const double>> View(const v1::Tensor&);

std::vector<double> ToDoubles(const v1::Tensor& tensor) {
  return Copy(tensor.data(), tensor.data_type());
}

}  // namespace prospero::client
