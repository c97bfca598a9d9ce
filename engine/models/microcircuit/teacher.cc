#include "engine/models/microcircuit/teacher.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/describe.h"

namespace prospero::microcircuit {

template <class Real>
Teacher<Real>::Teacher(std::string layer, int64_t size, int64_t batch)
    : layer_(std::move(layer)), size_(size), batch_(batch) {}

template <class Real>
void Teacher<Real>::WantMemory(Arena& arena) {
  target_.WantMemory(batch_, size_, arena);
  arena.Want(&teach_, 1);
}

template <class Real>
void Teacher<Real>::Register(VariableTable& variables) {
  const int teach = variables.Add(Describe(absl::StrCat(layer_, ".teach"), Role::kInput, {}, teach_,
                                           "1", "1 while the target holds, else 0"));
  variables.Bound(teach, 0.0, 1.0);
  Variable target = Describe(absl::StrCat(layer_, ".target"), Role::kInput, {batch_, size_},
                             target_.data(), "1", "what the prospective potentials should be");
  target.presence = teach;
  variables.Add(std::move(target));
}

template <class Real>
void Teacher<Real>::ResetState() {
  target_.SetZero();
  *teach_ = 0;
}

template <class Real>
Real Teacher<Real>::Loss(const NeuronArray<Real>& p) const {
  if (!teaches()) return 0;
  const double sum = (target_.all() - p.all()).template cast<double>().square().sum();
  return static_cast<Real>(0.5 * sum / static_cast<double>(batch_));
}

template class Teacher<float>;
template class Teacher<double>;

}  // namespace prospero::microcircuit
