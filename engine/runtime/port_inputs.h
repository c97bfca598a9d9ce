#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/variable.h"
#include "engine/runtime/cursor.h"
#include "engine/runtime/feed_inlet.h"
#include "engine/runtime/port_feed.h"

namespace prospero {

/// Says what the inputs are in the step to come. Of those who write one, the first wins: the
/// driver's job, the fallback of an input that is silent, the input's feed; an input that nobody
/// writes keeps its value. All is written before the step, so that whoever reads the inputs after
/// it sees what the network saw. On the strand only; a step allocates and locks nothing.
class PortInputs {
 public:
  explicit PortInputs(const VariableTable& variables);

  /// Which inputs a job gives a value in the steps to come; those that can be absent and that
  /// nobody else gives one are.
  void SetGiven(const std::vector<int>& inputs);
  /// In the step to come, or the last one, a target has a value.
  bool has_target() const { return has_target_; }

  /// To be called before each step.
  void BeforeStep(Cursor cursor) {
    if (!feeds_.empty() || !silent_.empty()) Write(cursor);
  }

  // Between slices' steps.

  void AddFeed(std::shared_ptr<FeedInlet> inlet, PortFeed feed);
  /// Ends the feed with `why`.
  void EndFeed(const FeedInlet* inlet, const absl::Status& why);
  void EndFeeds(const absl::Status& why);
  /// Takes the frames that came before step `next`, lets go of feeds that are closed, and ends
  /// those that are finished or broke their rules. Adds the inputs that had frames to `alive`.
  void TakeFrames(Cursor next, std::vector<int>* alive);
  /// Feeds that use steps end: those of another epoch cannot be compared.
  void BeginEpoch(Cursor cursor);
  bool has_feeds() const { return !feeds_.empty(); }

  /// The input is `values` (packed, kept by the caller; null: whatever it was), or absent if it can
  /// be, until it speaks again.
  void Silence(int input, const std::string* values);
  void Speak(int input);

 private:
  struct Port {
    int input;
    int presence;
    bool is_target;  ///< "<port>.target"; noise from outside can be absent, too
  };
  struct Fed {
    std::shared_ptr<FeedInlet> inlet;
    PortFeed feed;
    FeedInlet::Delivery delivery;
  };
  struct Silent {
    int input;
    const std::string* values;
  };

  void Write(Cursor cursor);
  void WriteFed(Fed& fed, Cursor cursor);
  void WriteSilent(const Silent& silent);
  /// OK while the feed goes on; `over`: it is finished.
  absl::Status Take(Fed& fed, Cursor next, std::vector<int>* alive, bool* over);
  void End(Fed& fed, const absl::Status& why);
  bool IsGiven(int input) const;
  bool IsSilent(int input) const;
  void SetPresence(int input, bool present);

  const VariableTable& variables_;
  std::vector<Port> ports_;  ///< inputs that can be absent
  std::vector<int> given_;
  bool target_given_ = false;
  bool has_target_ = false;
  std::vector<std::unique_ptr<Fed>> feeds_;
  std::vector<Silent> silent_;
};

}  // namespace prospero
