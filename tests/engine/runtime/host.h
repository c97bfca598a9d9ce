#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/errors.h"
#include "engine/runtime/instance.h"
#include "engine/runtime/scheduler.h"
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
  explicit Host(Instance::Options options = {}, int workers = 1,
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

/// An observer and the wait for what it sees.
struct Watch {
  Watch(Host& host, const ObserverSpec& spec) {
    observer = *host.instance->Observe(spec, [this] { ready.Put(true); });
  }

  /// Waits for that many samples, one by one.
  std::vector<ObservedSample> Samples(size_t count) {
    std::vector<ObservedSample> samples;
    while (samples.size() < count) {
      Observed seen;
      while (!observer->Take(1, &seen)) ready.Take();
      for (ObservedSample& sample : seen.samples) samples.push_back(std::move(sample));
    }
    return samples;
  }

  /// Waits for the next event.
  Event NextEvent() {
    while (events.empty()) {
      Observed seen;
      while (!observer->Take(0, &seen)) ready.Take();
      events.insert(events.end(), seen.events.begin(), seen.events.end());
    }
    Event event = events.front();
    events.pop_front();
    return event;
  }

  Box<bool> ready;
  std::deque<Event> events;
  std::shared_ptr<Observer> observer;
};

inline std::string Metadata(const absl::Status& status, const std::string& key) {
  std::string found;
  VisitMetadata(status, [&](absl::string_view name, absl::string_view value) {
    if (name == key) found = std::string(value);
  });
  return found;
}

}  // namespace prospero
