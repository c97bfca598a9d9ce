#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "engine/core/network.h"
#include "engine/runtime/clock.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/journal.h"
#include "engine/runtime/tape_format.h"

namespace prospero {

/// Writes down what changes a network from outside, so that it can be done again (replay.h): the
/// inputs and `learning` as they stand in each step, whoever wrote them, and orders. They are
/// compared with a shadow, and what differs is written; steps that see nothing new are counted.
/// The format is tape_format.h's.
///
/// A piece goes to the journal when Flush says so, and when it has become long. `learning` stands
/// in each piece before the first step: a snapshot that the piece is replayed on has what is wished
/// instead.
///
/// On the strand only. A step allocates nothing once the piece has had room for what a slice sees.
class Tape {
 public:
  /// A piece is cut before the inputs of a step when it is longer than the first, and anywhere
  /// when it would become longer than the second [bytes].
  static constexpr size_t kLongPiece = size_t{1} << 20;
  static constexpr size_t kMostBytes = size_t{8} << 20;

  /// `variables` must outlive it. The network stands at `cursor`.
  Tape(const VariableTable& variables, std::shared_ptr<Journal> journal, Cursor cursor);

  const std::shared_ptr<Journal>& journal() const { return journal_; }

  /// To be called before each step, when its inputs are written.
  void BeforeStep(Cursor cursor);
  /// To be called after it: a network writes inputs itself that were absent (noise that it draws),
  /// and a replay does the same.
  void AfterStep() {
    for (const Optional& optional : optional_) Follow(optional);
  }
  /// The step was not finite and is not counted.
  void Diverged();

  // Orders: to be called before each is carried out, and Renew after it.

  void Assign(const std::vector<Assignment>& assignments, Cursor cursor);
  void Reset(ResetScopes scopes, bool step, absl::optional<uint64_t> seed, Cursor cursor);
  void Restore(absl::string_view key, Cursor cursor);
  /// Whatever the inputs are now, whoever replays the tape has them too.
  void Renew();

  /// Inputs that were written and that no step has seen: before the network is looked at.
  void CatchUp(Cursor cursor);

  /// Gives the journal what there is.
  void Flush(Cursor cursor);
  /// At the end of a slice: does so when something happened but steps, or when nothing was given
  /// for kPatience.
  void EndSlice(Cursor cursor, Clock::Time now);

 private:
  struct Track {
    int variable;
    const Variable* source;
    const void* packed;  ///< its values; null: they lie scattered
    size_t bytes;
    char* shadow;
  };

  /// An input that can be absent.
  struct Optional {
    size_t input;  ///< position in inputs_
    const Variable* presence;
  };

  void Follow(const Optional& optional);
  /// The values, packed.
  const void* Look(const Track& track);
  bool Differs(const Track& track);
  void Note(const Track& track, Cursor cursor);
  void WriteValues(int variable, absl::string_view values, Cursor cursor);
  /// The begin of an entry, and before it the steps that were made, and of the piece.
  void BeginEntry(TapeMark mark, std::initializer_list<uint64_t> numbers = {});
  void Cut(Cursor cursor);

  const VariableTable& variables_;
  const std::shared_ptr<Journal> journal_;
  std::string shadow_;   ///< of all tracks
  std::string scratch_;  ///< Look's own
  std::vector<Track> inputs_;
  std::vector<Optional> optional_;
  Track learning_;
  bool learning_is_written_ = false;  ///< in this piece

  std::string piece_;
  Cursor begin_;           ///< of the piece
  int64_t steps_ = 0;      ///< made and not written
  bool eventful_ = false;  ///< there is more in the piece than steps
  Clock::Time given_at_;
};

}  // namespace prospero
