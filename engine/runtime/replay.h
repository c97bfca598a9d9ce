#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/runtime/journal.h"
#include "engine/runtime/simulation.h"
#include "engine/runtime/tape_format.h"

namespace prospero {

/// Does again what a tape (tape.h) tells, bit for bit: writes inputs, makes steps, carries out
/// orders. On a simulation that nobody else touches, and that writes nothing down.
class Replay {
 public:
  /// Both must outlive it. Of the origin it needs find_snapshot and progress.
  Replay(Simulation& simulation, const Origin& origin) : simulation_(simulation), origin_(origin) {}

  /// The next piece. kDataLoss (DATA_LOSS) when the piece is damaged, does not fit the network or
  /// does not begin where it stands, and then there is no change; when a snapshot cannot be had, or
  /// the network behaves as it had not, and then it stands where it came to. kCancelled when
  /// `progress` said so.
  absl::Status Play(absl::string_view piece);

  int64_t steps() const { return steps_; }  ///< made so far

 private:
  absl::Status CheckPlace(Cursor begin) const;
  absl::Status Check(const TapeEntry& entry) const;
  absl::Status CheckWrite(const TapeEntry& entry) const;
  absl::Status CarryOut(const TapeEntry& entry);
  absl::Status Advance(int64_t steps);
  absl::Status Diverge();
  absl::Status Restore(absl::string_view key);

  Simulation& simulation_;
  const Origin& origin_;
  int64_t steps_ = 0;
};

/// The base of the origin and then all its pieces. As Instance::Recover says: `loss` is what ended
/// the replay early.
absl::Status BringBack(const Origin& origin, Simulation& simulation, absl::Status* loss);

}  // namespace prospero
