#include "engine/models/latent_equilibrium/activity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"

namespace prospero {
namespace {

int64_t SizeOfShape(const std::vector<int64_t>& shape) {
  int64_t size = 1;
  for (const int64_t extent : shape) size = SaturatingMul(size, extent);
  return size;
}

}  // namespace

template <class Real>
LayerActivity<Real>::LayerActivity(std::string layer, std::vector<int64_t> layer_shape,
                                   int64_t batch_size, Kind layer_kind)
    : name(std::move(layer)),
      shape(std::move(layer_shape)),
      batch(batch_size),
      size(SizeOfShape(shape)),
      stride(PaddedRow<Real>(size)),
      layout{batch, size, batch, stride},
      kind(layer_kind) {}

template <class Real>
void LayerActivity<Real>::WantMemory(Arena& arena) {
  arena.Want(&r, count());
  if (is_input()) return;
  for (Real** array : {&r_prime, &e, &e_next, &e_sum}) arena.Want(array, count());
  if (kind == Kind::kPending) arena.Want(&e_bottom, count());
}

template <class Real>
void LayerActivity<Real>::Register(VariableTable& variables) {
  if (is_input()) {
    variables.Add(Show("r", Role::kInput, r, "rate, written from outside"));
    return;
  }
  variables.Add(Show("r", Role::kState, r, "rate"));
  variables.Add(Show("r_prime", Role::kState, r_prime, "slope of the activation"));
  variables.Add(Show("e", Role::kState, e, "error of the last step"));
  if (e_bottom == nullptr) return;
  variables.Add(Show("e_bottom", Role::kState, e_bottom, "error of the next step"));
}

template <class Real>
void LayerActivity<Real>::Clear() {
  for (Real* array : {r, r_prime, e, e_next, e_sum, e_bottom}) {
    if (array != nullptr) std::fill_n(array, count(), Real{0});
  }
}

template <class Real>
void LayerActivity<Real>::ClearPadding() {
  for (Real* array : {r, r_prime, e, e_next, e_sum, e_bottom}) {
    if (array != nullptr) FillPadding(layout, Real{0}, array);
  }
}

template <class Real>
std::string LayerActivity<Real>::Name(absl::string_view symbol) const {
  return absl::StrCat(name, ".", symbol);
}

template <class Real>
Variable LayerActivity<Real>::Show(absl::string_view symbol, Role role, Real* array,
                                   absl::string_view description) const {
  return ShownIn(shape, Describe(Name(symbol), role, {batch, size}, array, "1", description));
}

template struct LayerActivity<float>;
template struct LayerActivity<double>;

}  // namespace prospero
