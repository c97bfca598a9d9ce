"""Clocks, feeds and safety against a real server. No time is asserted: a test waits for what
is to happen."""

import math
from itertools import islice

import numpy as np
import pytest

import prospero


@pytest.fixture
def robot(make, chain):
    """A network that runs by itself, with small steps."""

    def robot(clock="realtime", **arguments):
        network = make(chain(dt_ms=1.0), clock=clock, **arguments)
        return network.start()

    return robot


def test_the_clock_changes_by_one_argument_while_the_network_lives(make, chain):
    network = make(chain(dt_ms=1.0))
    assert network.clock == "lockstep" and network.realtime is None
    for clock, mode in [
        ("realtime", "realtime"),
        (prospero.Realtime(2.0, overrun="slow_down", tolerance=0.01), "realtime"),
        ("free", "free"),
        ("lockstep", "lockstep"),
    ]:
        network.update(clock=clock)
        assert network.clock == mode and network.state == "running"
        assert network.refresh().clock == mode
        if isinstance(clock, prospero.Realtime):
            assert network.realtime == clock
    step = network.refresh().cursor.step
    assert network.step().cursor.step == step + 1


def test_a_realtime_network_runs_by_itself_and_tells_its_speed(robot):
    network = robot(prospero.Realtime(speed=2.0))
    with network.subscribe("clock.speed", "clock.lag", "clock.overruns", every=100) as samples:
        for sample in islice(samples, 3):
            assert all(math.isfinite(sample[name]) for name in sample.values)
    assert network.pause().state == "paused"


def test_what_does_not_fit_is_refused_with_the_figures(make, chain):
    network = make(chain((200, 2000, 200), dt_ms=0.001))
    with pytest.raises(prospero.RealtimeOverload) as error:
        network.update(clock=prospero.Realtime(speed=1e3))
    assert {"step_cost_ns", "rate_hz", "wanted", "taken", "max"} <= set(error.value.metadata)
    assert network.refresh().clock == "lockstep"


def test_a_feed_reaches_the_network(robot):
    network = robot()
    with network.subscribe("input.r") as samples, network.feed("input") as feed:
        feed.push([0.25, -0.5])
        for sample in samples:
            if np.array_equal(sample["input.r"], np.float32([[0.25, -0.5]])):
                break
        feed.push([np.nan, 0.0])
    summary = feed.summary
    assert (summary.received, summary.applied, summary.invalid) == (2, 1, 1)
    assert summary.first_applied == summary.last_applied and summary.dropped == 0
    assert summary.first_applied <= sample.cursor


def test_an_input_has_one_feed_and_lockstep_none(robot, make, chain):
    network = robot()
    first = network.feed("input").open()
    with pytest.raises(prospero.InputFed):
        network.feed("input").open()
    with network.feed("input", preempt=True) as second:
        second.push([0.0, 0.0])
        assert first.wait(30)
        with pytest.raises(prospero.FeedTaken):
            first.push([0.0, 0.0])
    with pytest.raises(prospero.ClockMismatch):
        make(chain()).feed("input").open()


def test_a_switch_to_lockstep_ends_a_feed(robot):
    network = robot()
    feed = network.feed("input").open()
    network.update(clock="lockstep")
    assert feed.wait(30)
    with pytest.raises(prospero.ClockMismatch):
        feed.push([0.0, 0.0])


def notices_until(samples, kind):
    """The notices that come, by kind, up to one of that kind."""
    notices = {}
    for event in samples.events():
        if isinstance(event, prospero.Notice):
            notices[event.kind] = event
            if event.kind == kind:
                return notices


def test_a_sensor_that_dies_freezes_what_was_learned_and_its_return_thaws_it(make, chain):
    safety = (
        prospero.Safety()
        .input("input", timeout=0.1, fallback="zero")
        .output("output", fail_safe=0.125)
    )
    network = make(chain(dt_ms=1.0), clock="realtime", safety=safety)
    assert network.safety == safety
    with network.subscribe("output.command", every=10) as samples:
        network.start()
        notices = notices_until(samples, "learning_frozen")
        assert notices["input_silent"].variable == "input.r"
        assert network.refresh().unsafe and network.learning
        frozen = network.read("*.W", "*.b")
        begin = notices["learning_frozen"].cursor
        for sample in islice((s for s in samples if s.cursor > begin), 3):
            assert sample["output.command"] == 0.125
        again = network.read("*.W", "*.b")
        assert all(np.array_equal(frozen[name], again[name]) for name in frozen.values)
        with network.feed("input") as feed:
            feed.push([1.0, 1.0])
            notices_until(samples, "learning_resumed")
        notices_until(samples, "input_silent")


def test_a_driver_that_is_missing_makes_the_network_unsafe(make, chain):
    safety = prospero.Safety(driver_timeout=0.1)
    network = make(chain(dt_ms=1.0), clock="realtime", safety=safety)
    with network.subscribe("loss", every=100) as samples:
        network.start()
        assert "driver_missing" in notices_until(samples, "learning_frozen")
        with network.drive() as drive:
            drive.advance({"input": [0.0, 0.0]})
            notices_until(samples, "learning_resumed")


@pytest.mark.parametrize("clock", ["realtime", "lockstep"])
def test_a_drive_tells_where_its_requests_spend_their_time(make, chain, clock):
    network = make(chain(dt_ms=1.0), clock=clock).start()
    with network.drive() as drive:
        for _ in range(20):
            drive.advance({"input": [0.0, 0.0]})
        stages = drive.latency()
    assert set(stages) == {"decode", "queue", "step", "encode", "write"}
    for stage in stages.values():
        assert 0 <= stage.mean <= stage.max and sum(stage.buckets) == stage.count
