// Jobs of a driver on a lockstep clock.

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/host.h"

namespace prospero {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Drive, AdvancesByTheStepsOfTheJobAndReturnsARowForEach) {
  Host host;
  const auto driver = host.Attach();
  Job job;
  job.Steps(3).Return({host.toy->steps, host.toy->u}).Run(*driver);
  EXPECT_TRUE(job.status.ok()) << job.status;
  EXPECT_EQ(job.steps_done, 3);
  EXPECT_EQ(job.cursor, (Cursor{0, 3}));
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(1, 2, 3));
  EXPECT_THAT(AsFloats(job.results[1]), SizeIs(3 * 6));
  EXPECT_EQ(host.instance->status().cursor, (Cursor{0, 3}));
}

TEST(Drive, GivesEachStepItsRow) {
  Host host;
  const auto driver = host.Attach();
  Job rows;
  rows.Steps(2).Give(host.toy->x, {1, 2, 3, 4, 5, 6}).Return({host.toy->x}).Run(*driver);
  EXPECT_THAT(AsFloats(rows.results[0]), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Drive, HoldsASingleRowForAllStepsAndAfterwards) {
  Host host;
  const auto driver = host.Attach();
  Job held, later;
  held.Steps(2).Give(host.toy->x, {7, 8, 9}).Return({host.toy->x}).Run(*driver);
  EXPECT_THAT(AsFloats(held.results[0]), ElementsAre(7, 8, 9, 7, 8, 9));
  later.Return({host.toy->x}).Run(*driver);
  EXPECT_THAT(AsFloats(later.results[0]), ElementsAre(7, 8, 9));
}

TEST(Drive, ReturnsEveryNthStepSoThatTheLastIsAmongThem) {
  Host host;
  const auto driver = host.Attach();
  Job job;
  job.Steps(7).Every(3).Return({host.toy->steps}).Run(*driver);
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(1, 4, 7));
  job.Steps(2).Every(100).Run(*driver);
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(9));
}

TEST(Drive, ATargetIsPresentOnlyInStepsThatHaveARowForIt) {
  Host host;
  const auto driver = host.Attach();
  const int present = host.toy->present_index();
  Job taught, held, free;
  taught.Steps(2).Give(host.toy->target, {1, 2}).Return({present, host.toy->target}).Run(*driver);
  EXPECT_THAT(AsFloats(taught.results[0]), ElementsAre(1, 1));
  EXPECT_THAT(AsFloats(taught.results[1]), ElementsAre(1, 2));
  EXPECT_EQ(taught.loss_steps, 2);
  held.Steps(3).Give(host.toy->target, {4}).Return({present}).Run(*driver);
  EXPECT_THAT(AsFloats(held.results[0]), ElementsAre(1, 1, 1));
  free.Steps(2).Return({present}).Run(*driver);
  EXPECT_THAT(AsFloats(free.results[0]), ElementsAre(0, 0));
  EXPECT_EQ(free.loss_steps, 0);
  EXPECT_EQ(free.loss_sum, 0);
}

TEST(Drive, AddsTheLossUp) {
  Host host;
  const auto driver = host.Attach();
  Job job;
  job.Steps(5).Give(host.toy->target, {1}).Return({host.toy->loss}).Run(*driver);
  double sum = 0;
  for (const float loss : AsFloats(job.results[0])) sum += static_cast<double>(loss);
  EXPECT_GT(sum, 0);
  EXPECT_EQ(job.loss_sum, sum);
  EXPECT_EQ(job.loss_steps, 5);
}

TEST(Drive, AnswersInTheOrderOfTheJobsAlsoWhenSomeAreRefused) {
  Host host;
  const auto driver = host.Attach();
  Box<int> order;
  std::vector<DriveJob> jobs(40);
  for (int i = 0; i < 40; ++i) {
    DriveJob& job = jobs[static_cast<size_t>(i)];
    job.steps = i % 3 == 1 ? 0 : 1 + i;
    job.done = [&order, i](DriveJob&) { order.Put(i); };
    driver->Submit(&job);
  }
  for (int i = 0; i < 40; ++i) EXPECT_EQ(order.Take(), i);
  EXPECT_EQ(driver->in_flight(), 0);
}

TEST(Drive, AJobCanBeSubmittedAgainFromItsOwnEnd) {
  Host host;
  const auto driver = host.Attach();
  Box<bool> over;
  DriveJob job;
  job.outputs = {host.toy->steps};
  int rounds = 0;
  job.done = [&](DriveJob& done) {
    if (++rounds == 1000) return over.Put(true);
    driver->Submit(&done);
  };
  driver->Submit(&job);
  over.Take();
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(1000));
  EXPECT_EQ(job.cursor.step, 1000);
}

TEST(Drive, RunsFramesOnlyAtTheStepTheyBelongTo) {
  Host host;
  const auto driver = host.Attach();
  Job job;
  EXPECT_TRUE(job.At(0).Run(*driver).status.ok());
  EXPECT_TRUE(job.At(1).Run(*driver).status.ok());
  for (const int64_t step : {1, 3}) {
    job.At(step).Run(*driver);
    EXPECT_EQ(job.status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(Reason(job.status), "STEP_MISMATCH");
    EXPECT_EQ(FieldPath(job.status), "at_step");
    EXPECT_EQ(Metadata(job.status, "step"), "2");
    EXPECT_EQ(job.cursor, (Cursor{0, 2}));
  }
}

TEST(Drive, SpreadsALongJobOverSlicesAndLetsOrdersInBetween) {
  Door begun, door;
  Host host({}, 1, [&](ToyNetwork& toy) {
    toy.on_advance = [&](const Step& step) {
      if (step.index != 0) return;
      begun.Open();
      door.Pass();
    };
  });
  const auto driver = host.Attach();
  Job job;
  job.Steps(1000).Every(1000).Submit(*driver);
  begun.Pass();
  Box<absl::StatusOr<Cursor>> answer;
  host.instance->SetLearning(false, [&](absl::StatusOr<Cursor> at) { answer.Put(at); });
  door.Open();
  EXPECT_EQ(answer.Take()->step, 256);
  EXPECT_EQ(job.Wait().cursor.step, 1000);
}

struct Bad {
  const char* name;
  std::function<void(Job&, const ToyNetwork&)> make;
  absl::StatusCode code;
  const char* path;
  const char* message;
};

class BadJob : public testing::TestWithParam<Bad> {};

TEST_P(BadJob, IsRefusedAndChangesNothing) {
  Instance::Options options;
  options.max_job_bytes = 1000;
  options.max_steps_per_job = 500;
  Host host(options);
  const auto driver = host.Attach();
  const auto before = host.Snap();
  Job job;
  job.steps = 2;
  GetParam().make(job, *host.toy);
  job.Run(*driver);
  EXPECT_EQ(job.status.code(), GetParam().code) << job.status;
  EXPECT_EQ(FieldPath(job.status), GetParam().path);
  EXPECT_THAT(std::string(job.status.message()), HasSubstr(GetParam().message));
  EXPECT_EQ(job.steps_done, 0);
  EXPECT_EQ(job.cursor, (Cursor{0, 0}));
  const auto after = host.Snap();
  for (size_t i = 0; i < before->arrays.size(); ++i) {
    EXPECT_EQ(before->arrays[i].values, after->arrays[i].values) << before->arrays[i].name;
  }
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const float kNaN = std::numeric_limits<float>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    All, BadJob,
    testing::Values(Bad{"NoSteps", [](Job& job, const ToyNetwork&) { job.steps = 0; }, kInvalid,
                        "steps", "must be from 1 to 500, got 0"},
                    Bad{"NegativeSteps", [](Job& job, const ToyNetwork&) { job.steps = -4; },
                        kInvalid, "steps", "got -4"},
                    Bad{"TooManySteps", [](Job& job, const ToyNetwork&) { job.steps = 501; },
                        kInvalid, "steps", "got 501"},
                    Bad{"NoOutputEvery", [](Job& job, const ToyNetwork&) { job.output_every = 0; },
                        kInvalid, "output_every", "got 0"},
                    Bad{"UnknownInput", [](Job& job, const ToyNetwork&) { job.Give(99, {1}); },
                        kInvalid, "inputs[0]", "no variable 99"},
                    Bad{"NegativeInput", [](Job& job, const ToyNetwork&) { job.Give(-1, {1}); },
                        kInvalid, "inputs[0]", "no variable -1"},
                    Bad{"StateAsInput",
                        [](Job& job, const ToyNetwork& toy) {
                          job.Give(toy.x, {1, 2, 3}).Give(toy.u, {1});
                        },
                        kInvalid, "inputs[1]", "'u' is not an input"},
                    Bad{"PresenceAsInput",
                        [](Job& job, const ToyNetwork& toy) { job.Give(toy.present_index(), {1}); },
                        kInvalid, "inputs[0]", "'out.present' is not among"},
                    Bad{"InputTwice",
                        [](Job& job, const ToyNetwork& toy) {
                          job.Give(toy.x, {1, 2, 3}).Give(toy.x, {1, 2, 3});
                        },
                        kInvalid, "inputs[1]", "'in.x' is given twice"},
                    Bad{"NoRows", [](Job& job, const ToyNetwork& toy) { job.Give(toy.x, {}); },
                        kInvalid, "inputs[0].data",
                        "takes 1 row or 2 rows of 12 bytes, got 0 bytes"},
                    Bad{"TooManyRows",
                        [](Job& job, const ToyNetwork& toy) {
                          job.Give(toy.target, {1, 2, 3});
                        },
                        kInvalid, "inputs[0].data",
                        "takes 1 row or 2 rows of 4 bytes, got 12 bytes"},
                    Bad{"TruncatedRow",
                        [](Job& job, const ToyNetwork& toy) {
                          job.inputs.push_back({toy.x, Floats({1, 2, 3}).substr(0, 11)});
                        },
                        kInvalid, "inputs[0].data", "got 11 bytes"},
                    Bad{"NotFinite",
                        [](Job& job, const ToyNetwork& toy) {
                          job.Give(toy.target, {1}).Give(toy.x, {1, 2, 3, 4, kNaN, 6});
                        },
                        kInvalid, "inputs[1].data", "'in.x' must be finite, value 4 is nan"},
                    Bad{"UnknownOutput",
                        [](Job& job, const ToyNetwork& toy) {
                          job.Return({toy.u, 99});
                        },
                        kInvalid, "outputs[1]", "no variable 99"},
                    Bad{"ResultsTooLarge",
                        [](Job& job, const ToyNetwork& toy) { job.Steps(50).Return({toy.u}); },
                        absl::StatusCode::kResourceExhausted, "", "at most 1000 bytes"}),
    [](const auto& test) { return test.param.name; });

TEST(Drive, RefusesInputsThatWereNotAttached) {
  Host host;
  DriverOptions options;
  options.inputs = {host.toy->target};
  const auto driver = *host.instance->Attach(options);
  Job job;
  job.Give(host.toy->x, {1, 2, 3}).Run(*driver);
  EXPECT_EQ(FieldPath(job.status), "inputs[0]");
  EXPECT_THAT(std::string(job.status.message()), HasSubstr("'in.x' is not among"));
}

TEST(Drive, DivergenceEndsTheJobAndNamesStepAndVariable) {
  Host host;
  ASSERT_TRUE(host.Assign(host.toy->diverge_at, Floats({5})).ok());
  Box<Event> events;
  DriverOptions options;
  options.on_event = [&events](const Event& event) { events.Put(event); };
  const auto driver = host.Attach(options);
  Job job, queued;
  job.Steps(10).Give(host.toy->target, {1}).Return({host.toy->steps}).Run(*driver);
  EXPECT_EQ(job.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Reason(job.status), "DIVERGED");
  EXPECT_EQ(Metadata(job.status, "step"), "5");
  EXPECT_EQ(Metadata(job.status, "variable"), "u");
  EXPECT_EQ(job.steps_done, 5);
  EXPECT_EQ(job.loss_steps, 5);
  EXPECT_EQ(job.cursor, (Cursor{0, 5}));
  EXPECT_THAT(AsFloats(job.results[0]), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(events.Take().kind, Event::Kind::kPaused);

  const InstanceStatus status = host.instance->status();
  EXPECT_EQ(status.state, RunState::kFailed);
  EXPECT_EQ(Reason(status.failure), "DIVERGED");

  queued.Run(*driver);
  EXPECT_EQ(queued.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(queued.status), "NETWORK_FAILED");
  EXPECT_EQ(Metadata(queued.status, "step"), "5");
  EXPECT_EQ(Metadata(queued.status, "variable"), "u");
  EXPECT_EQ(queued.steps_done, 0);
  EXPECT_EQ(Reason(host.Start().status()), "NETWORK_FAILED");
  EXPECT_EQ(Reason(host.Pause().status()), "NETWORK_FAILED");
}

TEST(Drive, ComputedOutputsAreEvaluatedOnlyInStepsThatReturnThem) {
  Host host;
  const auto driver = host.Attach();
  Job job;
  job.Steps(10).Every(5).Return({host.toy->norm, host.toy->count}).Run(*driver);
  EXPECT_EQ(host.toy->computations.load(), 4);
  EXPECT_THAT(AsFloats(job.results[1]), ElementsAre(5, 10));
  EXPECT_FALSE(host.toy->watched());
}

TEST(Drive, TimesTheWaitAndTheSteps) {
  FakeClock* time = nullptr;
  Host host({}, 1, [&time](ToyNetwork& toy) {
    toy.on_advance = [&time](const Step&) { time->Advance(std::chrono::microseconds(30)); };
  });
  time = &host.time;
  const auto driver = host.Attach();
  Job job;
  job.Steps(4).Run(*driver);
  EXPECT_EQ(job.stepping_ns, 4 * 30'000);
  EXPECT_EQ(job.queued_ns, 0);
}

}  // namespace
}  // namespace prospero
