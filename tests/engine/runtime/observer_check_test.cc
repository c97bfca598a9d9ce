// What observers may not ask for.

#include <cmath>
#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::HasSubstr;

struct Bad {
  const char* name;
  std::function<void(ObserverSpec&, const ToyNetwork&)> make;
  const char* path;
  const char* message;
};

class BadObserver : public testing::TestWithParam<Bad> {};

TEST_P(BadObserver, IsRefused) {
  Host host;
  ObserverSpec spec = {.selections = {{.variables = {host.toy->steps}},
                                      {.variables = {host.toy->steps, host.toy->u}}}};
  GetParam().make(spec, *host.toy);
  const absl::Status status = host.instance->Observe(spec, nullptr).status();
  EXPECT_EQ(FieldPath(status), GetParam().path) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
  EXPECT_EQ(host.instance->status().observers, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadObserver,
    testing::Values(
        Bad{"NoSelection", [](ObserverSpec& spec, const ToyNetwork&) { spec.selections.clear(); },
            "selections", "at least one"},
        Bad{"NoVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].variables.clear(); },
            "selections[1].variables", "at least one"},
        Bad{"UnknownVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].variables[1] = 99; },
            "selections[1].variables[1]", "no variable 99"},
        Bad{"NegativeVariable",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].variables[0] = -1; },
            "selections[0].variables[0]", "no variable -1"},
        Bad{"NoStride",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].every_steps = 0; },
            "selections[0].every_steps", "must be >= 1, got 0"},
        Bad{"NegativeRate",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].max_rate_hz = -1; },
            "selections[0].max_rate_hz", "got -1"},
        Bad{"RateNotANumber",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[0].max_rate_hz = NAN; },
            "selections[0].max_rate_hz", "got nan"},
        Bad{"SliceBeyondTheEnd",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].variables = {6};
              spec.selections[1].slice = Slice{.start = 4, .count = 3};
            },
            "selections[1].slice", "6 values of 'u'"},
        Bad{"SliceThatDoesNotFitOneOfThem",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].slice = Slice{.start = 1};
            },
            "selections[1].slice", "1 values of 'steps'"},
        Bad{"SliceThatOverflows",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[1].variables = {6};
              spec.selections[1].slice = Slice{.start = 1, .count = INT64_MAX, .stride = INT64_MAX};
            },
            "selections[1].slice", "start 1"},
        Bad{"NegativeSlice",
            [](ObserverSpec& spec, const ToyNetwork&) {
              spec.selections[0].slice = Slice{.start = -1};
            },
            "selections[0].slice", "start -1"},
        Bad{"MeanOfAComputedVariable",
            [](ObserverSpec& spec, const ToyNetwork& toy) {
              spec.selections[1].variables = {toy.u, toy.norm};
              spec.selections[1].aggregation = Aggregation::kMean;
            },
            "selections[1].aggregation", "must be LAST for 'u.norm'"},
        Bad{"NoCapacity", [](ObserverSpec& spec, const ToyNetwork&) { spec.capacity = 0; },
            "capacity", "must be >= 1, got 0"},
        Bad{"NothingRetained",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.retained_bytes = 0; },
            "retained_bytes", "must be >= 1, got 0"},
        Bad{"NegativeChange",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].on_change = -0.5; },
            "selections[1].on_change", "got -0.5"},
        Bad{"ChangeNotANumber",
            [](ObserverSpec& spec, const ToyNetwork&) { spec.selections[1].on_change = NAN; },
            "selections[1].on_change", "got nan"}),
    [](const auto& test) { return test.param.name; });

TEST(Observer, ThePathOfSixIsTheVariableU) {
  // What the table above takes for granted.
  EXPECT_EQ(ToyNetwork().u, 6);
}

}  // namespace
}  // namespace prospero
