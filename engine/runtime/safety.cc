#include "engine/runtime/safety.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/errors.h"
#include "engine/runtime/packed.h"

namespace prospero {
namespace {

/// `value` is given exactly with kFailSafe, and fits.
absl::Status CheckFallback(Fallback fallback, const std::string& value, const Variable& variable,
                           absl::string_view path) {
  const std::string at = absl::StrCat(path, ".fail_safe");
  if (fallback != Fallback::kFailSafe) {
    return value.empty() ? absl::OkStatus()
                         : InvalidField(at, "must not be set, unless the fallback is FAIL_SAFE");
  }
  const auto given = static_cast<int64_t>(value.size());
  if (given != variable.bytes() && given != SizeOf(variable.type)) {
    return InvalidField(at, absl::StrCat("takes ", variable.bytes(), " bytes, or ",
                                         SizeOf(variable.type), " for one value, got ", given));
  }
  return CheckValues(variable, value, [&at] { return at; });
}

absl::Status CheckPositive(Clock::Time::duration duration, absl::string_view path) {
  if (duration > Clock::Time::duration::zero()) return absl::OkStatus();
  return InvalidField(path, "must be > 0");
}

bool IsInput(int index, const VariableTable& variables) {
  if (index < 0 || index >= variables.size()) return false;
  return variables[index].role == Role::kInput &&
         std::none_of(variables.begin(), variables.end(),
                      [index](const Variable& other) { return other.presence == index; });
}

bool IsCommand(int index, const VariableTable& variables) {
  if (index < 0 || index >= variables.size()) return false;
  absl::string_view population = variables[index].name;
  return variables[index].role == Role::kSignal && absl::ConsumeSuffix(&population, ".command") &&
         variables.Find(absl::StrCat(population, ".target")) >= 0;
}

/// Whether an earlier element has the same variable.
template <class Elements, class Member>
bool IsTwice(const Elements& elements, size_t i, Member member) {
  return std::any_of(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const auto& other) { return other.*member == elements[i].*member; });
}

absl::Status CheckInputs(const SafetySpec& spec, const VariableTable& variables) {
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    const SafetySpec::Input& input = spec.inputs[i];
    const std::string path = absl::StrCat("inputs[", i, "]");
    if (!IsInput(input.input, variables)) {
      return InvalidField(absl::StrCat(path, ".input"), "is not an input");
    }
    if (IsTwice(spec.inputs, i, &SafetySpec::Input::input)) {
      return InvalidField(absl::StrCat(path, ".input"), "is given twice");
    }
    if (auto status = CheckPositive(input.timeout, absl::StrCat(path, ".timeout")); !status.ok()) {
      return status;
    }
    auto status = CheckFallback(input.fallback, input.fail_safe, variables[input.input], path);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const SafetySpec& spec, const VariableTable& variables) {
  for (size_t i = 0; i < spec.outputs.size(); ++i) {
    const SafetySpec::Output& output = spec.outputs[i];
    const std::string path = absl::StrCat("outputs[", i, "]");
    if (!IsCommand(output.command, variables)) {
      return InvalidField(absl::StrCat(path, ".output"), "is not an output population");
    }
    if (IsTwice(spec.outputs, i, &SafetySpec::Output::command)) {
      return InvalidField(absl::StrCat(path, ".output"), "is given twice");
    }
    auto status = CheckFallback(output.fallback, output.fail_safe, variables[output.command], path);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSafety(const SafetySpec& spec, const VariableTable& variables) {
  if (auto status = CheckInputs(spec, variables); !status.ok()) return status;
  if (auto status = CheckOutputs(spec, variables); !status.ok()) return status;
  if (!spec.driver_timeout.has_value()) return absl::OkStatus();
  return CheckPositive(*spec.driver_timeout, "driver_timeout");
}

void Safety::Declare(SafetySpec spec, Clock::Time now) {
  spec_ = std::move(spec);
  inputs_.assign(spec_.inputs.size(), {});
  missing_ = missing_told_ = false;
  Restart(now);
}

void Safety::Restart(Clock::Time now) {
  active_ = true;
  left_ = now;
  for (Watched& input : inputs_) input.last_frame = now;
}

void Safety::Suspend() {
  active_ = false;
  missing_ = missing_told_ = false;
  for (Watched& input : inputs_) input.silent = input.told = false;
}

void Safety::Frame(int input, Clock::Time now) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (spec_.inputs[i].input != input) continue;
    inputs_[i].last_frame = now;
    inputs_[i].silent = false;
  }
}

void Safety::Driven(bool present, Clock::Time now) {
  if (driven_ && !present) left_ = now;
  driven_ = present;
}

void Safety::Look(Clock::Time now, Changes* changes) {
  bool unsafe = false;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    Watched& input = inputs_[i];
    if (active_ && now - input.last_frame >= spec_.inputs[i].timeout) input.silent = true;
    unsafe = unsafe || input.silent;
    if (input.silent == input.told) continue;
    input.told = input.silent;
    (input.silent ? changes->silent : changes->returned).push_back(static_cast<int>(i));
  }
  const bool needs_driver = active_ && spec_.driver_timeout.has_value() && !driven_;
  missing_ = !driven_ && (missing_ || (needs_driver && now - left_ >= *spec_.driver_timeout));
  changes->driver_missing = missing_ && !missing_told_;
  missing_told_ = missing_;
  unsafe = unsafe || missing_;
  changes->became_unsafe = unsafe && !unsafe_;
  changes->became_safe = !unsafe && unsafe_;
  unsafe_ = unsafe;
}

absl::optional<Clock::Time> Safety::next_look() const {
  absl::optional<Clock::Time> next;
  if (!active_) return next;
  const auto consider = [&next](Clock::Time since, Clock::Time::duration timeout) {
    if (timeout > Clock::Time::max() - since) return;  // Not in this universe's time.
    if (!next.has_value() || since + timeout < *next) next = since + timeout;
  };
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].silent) consider(inputs_[i].last_frame, spec_.inputs[i].timeout);
  }
  if (spec_.driver_timeout.has_value() && !driven_ && !missing_) {
    consider(left_, *spec_.driver_timeout);
  }
  return next;
}

}  // namespace prospero
