#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "engine/core/team.h"
#include "engine/core/variable.h"

namespace prospero {

/// The team of one hosted network that is large: whoever runs its slice, the owner, and workers
/// who have no strand to run and help meanwhile.
///
/// A section is one call of Run. Its tasks are dealt in contiguous ranges, one for each member, so
/// that the same task lands on the same thread step after step and finds its weights in that core's
/// cache; who is done with his own takes from the far end of another's. Members come and go at any
/// time; without helpers a section is a plain loop.
///
/// The gate: an even phase is shut, an odd one open, and beside it stands how many helpers are
/// inside. A helper who enters learns in the same operation whether it is open, and leaves again if
/// not. The owner shuts it when no task is left to take; when nobody is inside any more, all tasks
/// are done and nobody looks at the section.
class Crew final : public Team {
 public:
  static constexpr int kMaxHelpers = 63;

  /// 1 <= max_helpers <= kMaxHelpers.
  explicit Crew(int max_helpers);

  // The owner; what it does in one slice happens before what the next one does.

  /// Sections are to come: helpers are welcome.
  void Begin();
  /// No more of them for now. Does nothing when there was no Begin.
  void Rest();
  void Run(int64_t count, absl::FunctionRef<void(int64_t)> task) noexcept override;
  /// False when the last time that helpers were welcome there was nothing to share.
  bool useful() const { return useful_; }
  /// Of the last section, the owner among them; 1 before the first.
  int members() const { return members_; }

  // Any thread.

  /// Between Begin and Rest.
  bool busy() const { return busy_.load(std::memory_order_relaxed); }
  int helpers() const;
  int max_helpers() const { return max_helpers_; }

  // Helpers.

  /// Takes a place among the helpers; -1 when there is none. The place is given back by Help.
  int Join();
  /// Helps with one section after the other. Returns true when `recalled` did, which is asked
  /// between two tasks and all the while that nothing is to be done; false when the owner rests
  /// and no section came for kPatienceNs. Computes in FloatMode.
  bool Help(int place, absl::FunctionRef<bool()> recalled);

  static constexpr int64_t kPatienceNs = 50'000;

 private:
  /// Tasks that are dealt to one member and not taken: begin in the upper half, end in the lower.
  struct alignas(64) Range {
    std::atomic<uint64_t> tasks{0};
  };

  void Deal(int64_t count, uint64_t helpers);
  /// A task of the member's own, else of another's; -1 when all are taken.
  int64_t Take(int member);
  bool HelpOnce(int member, absl::FunctionRef<bool()> recalled);
  void AwaitHelpers();

  const int max_helpers_;
  const std::unique_ptr<Range[]> ranges_;  ///< the owner's, then the helpers' by place
  bool useful_ = true;                     ///< the owner's
  bool shared_ = false;                    ///< the owner's: there was a section since Begin
  int members_ = 1;                        ///< the owner's

  alignas(64) std::atomic<uint64_t> gate_{0};  ///< phase << kInsideBits | helpers inside
  /// Of the section; written by the owner while the gate is shut and nobody inside.
  const absl::FunctionRef<void(int64_t)>* task_ = nullptr;

  alignas(64) std::atomic<uint64_t> helpers_{0};  ///< one bit for each place
  std::atomic<bool> busy_{false};
};

/// A crew for a network with these variables, with at most so many helpers (>= 1); null for a
/// network that is small.
std::shared_ptr<Crew> MakeCrew(const VariableTable& variables, int max_helpers);

}  // namespace prospero
