#include "engine/runtime/port_inputs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "engine/runtime/instance_errors.h"

namespace prospero {
namespace {

bool Contains(const std::vector<int>& inputs, int input) {
  return std::find(inputs.begin(), inputs.end(), input) != inputs.end();
}

}  // namespace

PortInputs::PortInputs(const VariableTable& variables) : variables_(variables) {
  for (int i = 0; i < variables.size(); ++i) {
    const Variable& variable = variables[i];
    if (variable.presence < 0) continue;
    ports_.push_back({i, variable.presence, absl::EndsWith(variable.name, ".target")});
  }
  given_.reserve(static_cast<size_t>(variables.size()));
}

void PortInputs::SetGiven(const std::vector<int>& inputs) {
  given_.assign(inputs.begin(), inputs.end());
  target_given_ = false;
  for (const Port& port : ports_) {
    const bool present = Contains(inputs, port.input);
    variables_[port.presence].Fill(present ? 1.0 : 0.0);
    target_given_ = target_given_ || (present && port.is_target);
  }
  has_target_ = target_given_;
}

void PortInputs::Write(Cursor cursor) {
  has_target_ = target_given_;
  for (const auto& fed : feeds_) WriteFed(*fed, cursor);
  for (const Silent& silent : silent_) WriteSilent(silent);
}

void PortInputs::WriteFed(Fed& fed, Cursor cursor) {
  const int input = fed.inlet->options().input;
  const int64_t pending = fed.feed.pending();
  if (IsGiven(input)) {
    fed.feed.Yield(cursor);
  } else {
    const PortFeed::Value value = fed.feed.Advance(cursor);
    const bool present = value == PortFeed::Value::kGiven;
    if (present) {
      variables_[input].Write(fed.feed.values());
    } else if (value == PortFeed::Value::kZero) {
      variables_[input].Fill(0.0);
    }
    SetPresence(input, present && !IsSilent(input));
  }
  if (const int64_t taken = pending - fed.feed.pending(); taken > 0) fed.inlet->Release(taken);
}

void PortInputs::WriteSilent(const Silent& silent) {
  if (IsGiven(silent.input)) return;
  if (silent.values != nullptr) variables_[silent.input].Write(silent.values->data());
}

void PortInputs::SetPresence(int input, bool present) {
  for (const Port& port : ports_) {
    if (port.input != input) continue;
    variables_[port.presence].Fill(present ? 1.0 : 0.0);
    has_target_ = has_target_ || (present && port.is_target);
  }
}

bool PortInputs::IsGiven(int input) const { return Contains(given_, input); }

bool PortInputs::IsSilent(int input) const {
  return std::any_of(silent_.begin(), silent_.end(),
                     [input](const Silent& silent) { return silent.input == input; });
}

void PortInputs::AddFeed(std::shared_ptr<FeedInlet> inlet, PortFeed feed) {
  feeds_.push_back(std::make_unique<Fed>(Fed{std::move(inlet), std::move(feed), {}}));
}

void PortInputs::End(Fed& fed, const absl::Status& why) { fed.inlet->End(why, fed.feed.counts()); }

void PortInputs::EndFeed(const FeedInlet* inlet, const absl::Status& why) {
  for (auto it = feeds_.begin(); it != feeds_.end(); ++it) {
    if ((*it)->inlet.get() != inlet) continue;
    const std::unique_ptr<Fed> fed = std::move(*it);
    feeds_.erase(it);
    return End(*fed, why);
  }
}

void PortInputs::EndFeeds(const absl::Status& why) {
  const auto feeds = std::exchange(feeds_, {});
  for (const auto& fed : feeds) End(*fed, why);
}

void PortInputs::TakeFrames(Cursor next, std::vector<int>* alive) {
  for (size_t i = 0; i < feeds_.size();) {
    Fed& fed = *feeds_[i];
    bool over = false;
    const absl::Status status = Take(fed, next, alive, &over);
    if (status.ok() && !over && !fed.inlet->closed()) {
      ++i;
    } else {
      EndFeed(fed.inlet.get(), status);
    }
  }
}

absl::Status PortInputs::Take(Fed& fed, Cursor next, std::vector<int>* alive, bool* over) {
  fed.inlet->Exchange(&fed.delivery, fed.feed.counts());
  bool any = false;
  for (size_t i = 0; i < fed.delivery.count; ++i) {
    FeedFrame& frame = fed.delivery.frames[i];
    const bool stamped = frame.at_step.has_value();
    const int64_t pending = fed.feed.pending();
    const PortFeed::Taken taken = fed.feed.Take(frame, next.step);
    if (stamped && fed.feed.pending() == pending) fed.inlet->Release(1);
    if (taken == PortFeed::Taken::kRefused) return FrameLate(frame);
    any = any || taken == PortFeed::Taken::kKept;
  }
  if (any) alive->push_back(fed.inlet->options().input);
  *over = fed.delivery.finishing && !fed.feed.has_frames();
  return absl::OkStatus();
}

void PortInputs::BeginEpoch(Cursor cursor) {
  for (size_t i = 0; i < feeds_.size();) {
    Fed& fed = *feeds_[i];
    if (fed.inlet->has_steps()) {
      EndFeed(fed.inlet.get(), EpochChanged("the steps of the feed's frames are of the past"));
    } else {
      fed.feed.BeginEpoch(cursor.step);
      ++i;
    }
  }
}

void PortInputs::Silence(int input, const std::string* values) {
  if (!IsSilent(input)) silent_.push_back({input, values});
}

void PortInputs::Speak(int input) {
  silent_.erase(std::remove_if(silent_.begin(), silent_.end(),
                               [input](const Silent& silent) { return silent.input == input; }),
                silent_.end());
}

}  // namespace prospero
