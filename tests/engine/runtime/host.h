#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/errors.h"
#include "engine/runtime/accumulator.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
#include "engine/runtime/window.h"
#include "gtest/gtest.h"
#include "tests/support/box.h"
#include "tests/support/fake_clock.h"
#include "tests/support/toy_network.h"

namespace prospero {

inline std::string Floats(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

inline std::vector<float> AsFloats(const std::string& packed) {
  std::vector<float> values(packed.size() / sizeof(float));
  std::memcpy(values.data(), packed.data(), packed.size());
  return values;
}

/// A toy network that is hosted while the object lives, on fake time.
struct Host {
  explicit Host(Instance::Options options = Instance::Options(), int workers = 1,
                const std::function<void(ToyNetwork&)>& prepare = nullptr, int64_t width = 1)
      : scheduler(Scheduler::Make(workers, time)) {
    auto network = std::make_unique<ToyNetwork>(options.seed, width);
    toy = network.get();
    if (prepare) prepare(*network);
    options.time = &time;
    instance = Instance::Make(std::move(network), scheduler.get(), options);
  }
  ~Host() { instance->End(absl::AbortedError("the test is over")); }

  /// Gives an order and waits for its answer.
  template <class T = Cursor, class Give>
  absl::StatusOr<T> Ask(Give give) {
    Box<absl::StatusOr<T>> box;
    give([&box](absl::StatusOr<T> answer) { box.Put(std::move(answer)); });
    return box.Take();
  }
  absl::StatusOr<Cursor> Start() {
    return Ask([this](auto done) { instance->Start(done); });
  }
  absl::StatusOr<Cursor> Pause() {
    return Ask([this](auto done) { instance->Pause(done); });
  }
  absl::StatusOr<Cursor> Assign(int variable, const std::string& values) {
    return Ask([&](auto done) { instance->Assign({{variable, values}}, done); });
  }
  std::shared_ptr<const Snapshot> Snap() {
    return *Ask<std::shared_ptr<const Snapshot>>(
        [this](auto done) { instance->TakeSnapshot(done); });
  }

  /// Waits until everything that was asked for so far is done, and observers were told.
  void Settle() { Snap(); }

  /// Attaches with every input of the toy.
  absl::StatusOr<std::shared_ptr<Driver>> TryAttach(DriverOptions options = {}) {
    options.inputs = {toy->x, toy->target};
    return instance->Attach(std::move(options));
  }
  std::shared_ptr<Driver> Attach(DriverOptions options = {}) {
    return *TryAttach(std::move(options));
  }

  FakeClock time;
  ToyNetwork* toy = nullptr;
  std::unique_ptr<Scheduler> scheduler;
  std::shared_ptr<Instance> instance;
};

/// A job and the wait for its end.
struct Job : DriveJob {
  Job() {
    done = [this](DriveJob&) { ended.Put(true); };
  }
  Job& Steps(int64_t count) {
    steps = count;
    return *this;
  }
  Job& Every(int64_t count) {
    output_every = count;
    return *this;
  }
  Job& At(int64_t step) {
    at_step = step;
    return *this;
  }
  Job& Give(int variable, const std::vector<float>& values) {
    inputs.push_back({variable, Floats(values)});
    return *this;
  }
  Job& Return(std::vector<int> variables) {
    outputs = std::move(variables);
    return *this;
  }
  Job& Submit(Driver& driver) {
    driver.Submit(this);
    return *this;
  }
  Job& Wait() {
    ended.Take();
    return *this;
  }
  Job& Run(Driver& driver) { return Submit(driver).Wait(); }

  Box<bool> ended;
};

/// A sample that was encoded plainly, with the packed values of each variable.
struct ObservedSample {
  uint32_t selection = 0;
  Cursor cursor;
  std::vector<std::string> values;
};

inline std::vector<ObservedSample> Unpack(const Samples& samples,
                                          const std::vector<Selection>& selections,
                                          const VariableTable& variables) {
  std::vector<ObservedSample> all;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto [place, bytes] = samples[i];
    ObservedSample& sample = all.emplace_back(ObservedSample{place.selection, place.cursor, {}});
    const Selection& selection = selections[place.selection];
    size_t offset = 0;
    for (const int index : selection.variables) {
      const Window window(variables[index], selection.slice);
      const auto size = static_cast<size_t>(
          Accumulator::Bytes(selection.aggregation, window.type(), window.size()));
      sample.values.emplace_back(bytes.substr(offset, size));
      offset += size;
    }
  }
  return all;
}

/// An observer and the wait for what it sees.
struct Watch {
  Watch(Host& host_given, ObserverSpec spec_given) : host(host_given), spec(std::move(spec_given)) {
    observer = *host.instance->Observe(spec, [this] { ready.Put(true); });
  }

  /// Waits for that many samples, one by one.
  std::vector<ObservedSample> Samples(size_t count) {
    std::vector<ObservedSample> samples;
    Observed seen;
    while (samples.size() < count) {
      while (!observer->Take(1, &seen)) ready.Take();
      for (ObservedSample& sample : Unpacked(seen)) samples.push_back(std::move(sample));
    }
    return samples;
  }

  /// Waits for the next event.
  Event NextEvent() {
    while (events.empty()) {
      Observed seen;
      while (!observer->Take(0, &seen)) ready.Take();
      for (const Observed::Told& told : seen.events) events.push_back(told.event);
    }
    Event event = events.front();
    events.pop_front();
    return event;
  }

  /// What is waiting once everything asked for so far was done.
  Observed Waiting(int64_t most = INT64_MAX) {
    host.Settle();
    Observed seen;
    observer->Take(most, &seen);
    return seen;
  }
  std::vector<ObservedSample> Unpacked(const Observed& seen) const {
    return Unpack(seen.samples, spec.selections, host.instance->variables());
  }

  Host& host;
  const ObserverSpec spec;
  Box<bool> ready;
  std::deque<Event> events;
  std::shared_ptr<Observer> observer;
};

inline std::vector<int64_t> StepsOf(const Samples& samples) {
  std::vector<int64_t> steps;
  for (size_t i = 0; i < samples.size(); ++i) steps.push_back(samples[i].place.cursor.step);
  return steps;
}

/// Lets a driver make that many steps.
inline void MakeSteps(Host& host, int64_t steps) {
  Job job;
  job.Steps(steps).Every(steps).Run(*host.Attach());
  EXPECT_TRUE(job.status.ok()) << job.status;
}

inline std::string Metadata(const absl::Status& status, const std::string& key) {
  std::string found;
  VisitMetadata(status, [&](absl::string_view name, absl::string_view value) {
    if (name == key) found = std::string(value);
  });
  return found;
}

}  // namespace prospero
