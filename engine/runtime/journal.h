#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/snapshot.h"

namespace prospero {

/// Where an instance writes what changes its network, in the order of effect: a piece of tape for
/// each slice in which something happened, more than one if they are long (tape.h). Snapshot plus
/// the pieces behind it is the state, bit for bit. Its instance calls it, on its strand only; a
/// call must not block.
class Journal {
 public:
  virtual ~Journal() = default;

  /// Takes a copy of a piece. The network now stands at `cursor`.
  virtual void Append(absl::string_view piece, Cursor cursor) = 0;

  /// What is appended between these two, and what the order's `done` gives to whoever keeps the
  /// pieces, belongs together: all of it is kept or nothing.
  virtual void BeginOrder() = 0;
  virtual void EndOrder() = 0;
};

/// What a network is brought back from.
struct Origin {
  /// Null: the network as it was made.
  std::shared_ptr<const Snapshot> base = nullptr;
  /// The next piece behind the base; none when there is no more. After an error there is no more
  /// either: what came before is good.
  std::function<absl::StatusOr<absl::optional<std::string>>()> next_piece = {};
  /// The snapshot that Instance::RestoreSnapshot was given with this key.
  std::function<absl::StatusOr<std::shared_ptr<const Snapshot>>(const std::string& key)>
      find_snapshot = {};
  /// No epoch that the network had was greater than this, or the pieces tell it.
  int64_t least_epoch = 0;
  /// Its epoch grows: steps that nobody has written down may have been made.
  bool new_epoch = false;
  /// What is wished afterwards.
  bool learning = true;
  bool running = true;
  /// Called now and then with the steps made so far; false breaks the replay off.
  std::function<bool(int64_t steps)> progress = {};
};

}  // namespace prospero
