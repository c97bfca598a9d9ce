#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace prospero {

/// The number format of an array.
enum class DataType : uint8_t { kFloat32, kFloat64 };

/// Bytes of one value.
constexpr int64_t SizeOf(DataType type) { return type == DataType::kFloat32 ? 4 : 8; }

/// What a variable is to its network.
enum class Role : uint8_t {
  kInput,      ///< Written from outside between steps; the network only reads it. Saved.
  kState,      ///< Moved by the dynamics. Saved.
  kWeight,     ///< Moved by learning. Saved.
  kParameter,  ///< Set from outside, constant during a step. Saved.
  kSignal,     ///< Follows from the others. Can be watched, is not saved.
};

/// One named array of a network. It borrows its values from the network, at an
/// address that stays the same for the life of the network.
struct Variable {
  std::string name;  ///< "hidden.u"
  std::string unit;  ///< "ms"; "1" for a pure number
  std::string description;
  Role role = Role::kSignal;
  DataType type = DataType::kFloat32;
  std::vector<int64_t> shape;    ///< empty: a scalar
  std::vector<int64_t> strides;  ///< [values], one for each dimension: rows may be padded
  void* data = nullptr;          ///< null for a computed signal

  /// What may be written from outside; whoever lets values in sees to it.
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();

  /// For an input that can be absent (a target): index in the table of the scalar input
  /// that is 1 in steps for which this one has a value and 0 in all others.
  /// -1: the last value holds.
  int presence = -1;

  /// For a computed signal: writes size() packed values of `type`. It is called between
  /// steps, on the thread that owns the network, and only when somebody asks.
  std::function<void(void* packed)> compute;

  /// For a computed signal that the step must help with (a count of events inside it):
  /// set to true while somebody watches. Null for all others.
  bool* watched = nullptr;

  bool computed() const { return compute != nullptr; }
  int64_t size() const;  ///< number of values
  int64_t bytes() const { return size() * SizeOf(type); }

  /// Copies the values out, row-major and without padding: bytes() bytes.
  void Read(void* packed) const;
  /// Copies bytes() bytes in. Not for computed signals.
  void Write(const void* packed) const;
  /// Sets every value. Not for computed signals.
  void Fill(double value) const;
  /// Of a scalar.
  double scalar() const;
};

/// Every array a network owns. Inputs, recordings, snapshots, statistics and the wire's
/// schema all come from this one table, and none of them knows a kind of model.
/// It is filled while the network is made and does not change afterwards.
class VariableTable {
 public:
  /// Returns the index of the new variable. Names must be unique.
  int Add(Variable variable);
  /// Bounds what may be written to a variable from outside.
  void Bound(int index, double minimum, double maximum);
  /// -1 when there is none of that name.
  int Find(absl::string_view name) const;

  const Variable& operator[](int index) const { return variables_[static_cast<size_t>(index)]; }
  int size() const { return static_cast<int>(variables_.size()); }
  auto begin() const { return variables_.begin(); }
  auto end() const { return variables_.end(); }

 private:
  std::vector<Variable> variables_;
  absl::flat_hash_map<std::string, int> index_;
};

/// Row-major strides of an array without padding.
std::vector<int64_t> PackedStrides(const std::vector<int64_t>& shape);

/// True for variables a snapshot keeps.
constexpr bool IsSaved(Role role) { return role != Role::kSignal; }

}  // namespace prospero
