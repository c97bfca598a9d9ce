#include "engine/runtime/commands.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace prospero {
namespace {

/// `value` is a variable's whole value, or one for all of it.
std::string Spread(const std::string& value, const Variable& variable) {
  std::string spread;
  const auto bytes = static_cast<size_t>(variable.bytes());
  spread.reserve(bytes);
  while (spread.size() < bytes) spread += value;
  return spread;
}

Variable CommandOf(const Variable& r, absl::string_view population) {
  Variable command;
  command.name = absl::StrCat(population, ".command");
  command.unit = r.unit;
  command.description = "the rates while the network is safe, else their declared fallback";
  command.role = Role::kSignal;
  command.type = r.type;
  command.shape = r.shape;
  command.strides = PackedStrides(r.shape);
  return command;
}

}  // namespace

Commands::Commands(Network& network) : network_(network) {
  const VariableTable& table = network.variables();
  for (int i = 0, count = table.size(); i < count; ++i) {
    absl::string_view population = table[i].name;
    if (table[i].role != Role::kInput || !absl::ConsumeSuffix(&population, ".target")) continue;
    const int r = table.Find(absl::StrCat(population, ".r"));
    if (r < 0) continue;
    Variable command = CommandOf(table[r], population);
    command.compute = [this, position = commands_.size()](void* packed) {
      Compute(position, packed);
    };
    commands_.push_back({r, Fallback::kHold, {}});
    indices_.push_back(network.Adopt(std::move(command)));
  }
  network.Adopt(Variable{.name = "safety.unsafe",
                         .unit = "1",
                         .description = "1 while an input is silent or the driver missing, else 0",
                         .role = Role::kSignal,
                         .type = DataType::kFloat64,
                         .shape = {},
                         .strides = {},
                         .data = &unsafe_,
                         .compute = nullptr});
}

void Commands::Declare(const SafetySpec& spec) {
  const VariableTable& table = network_.variables();
  for (size_t i = 0; i < commands_.size(); ++i) {
    Command& command = commands_[i];
    command.fallback = Fallback::kHold;
    for (const SafetySpec::Output& output : spec.outputs) {
      if (output.command != indices_[i]) continue;
      command.fallback = output.fallback;
      if (output.fallback == Fallback::kFailSafe) {
        command.value = Spread(output.fail_safe, table[command.r]);
      }
    }
    const bool room = command.fallback == Fallback::kHold;
    if (room) command.value.resize(static_cast<size_t>(table[command.r].bytes()));
    if (command.fallback == Fallback::kZero) command.value.clear();
  }
}

void Commands::FallBack() {
  unsafe_ = 1.0;
  for (Command& command : commands_) {
    if (command.fallback != Fallback::kHold) continue;
    network_.variables()[command.r].Read(command.value.data());
  }
}

void Commands::Recover() { unsafe_ = 0.0; }

void Commands::Compute(size_t position, void* packed) const {
  const Command& command = commands_[position];
  const Variable& r = network_.variables()[command.r];
  const bool finite = network_.finite();
  if (unsafe_ == 0.0 && finite) return r.Read(packed);
  if (command.value.empty() || (!finite && command.fallback == Fallback::kHold)) {
    std::memset(packed, 0, static_cast<size_t>(r.bytes()));
  } else {
    std::memcpy(packed, command.value.data(), command.value.size());
  }
}

}  // namespace prospero
