import asyncio
import threading
import time

import grpc
import numpy as np
import pytest
from fake import SCALAR, abort, fake_server, network_of

import prospero
from prospero import v1
from prospero.values import variable_from

SCHEMA = prospero.Schema({"input.r": variable_from(SCALAR)})


@pytest.fixture
def fake():
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        network = network_of(client, v1.Clock.MODE_REALTIME)
        network._schema = SCHEMA
        yield network, simulation


def counting(received):
    def feed(requests, context):
        context.send_initial_metadata(())
        received.extend(requests)
        frames = len(received) - 1
        return v1.FeedResponse(
            cursor=v1.Cursor(step=9),
            received=frames,
            applied=frames,
            first_applied=v1.Cursor(step=2),
        )

    return feed


def test_frames_go_out_with_their_stamps_and_the_summary_comes_back(fake):
    network, simulation = fake
    received = []
    simulation.feed = counting(received)
    with network.feed("input", between="linear", late="apply", max_age=0.5) as feed:
        feed.push(1.0)
        feed.push([[2.0]], at_step=7)
        feed.push(np.float32(3.0), captured_at=1700000000.25)
        assert feed.summary is None
    open = received[0].open
    assert (open.network, open.input) == ("networks/a", "input")
    assert open.between == v1.FeedOpen.BETWEEN_LINEAR and open.late == v1.FeedOpen.LATE_APPLY
    assert open.max_age.nanos == 500_000_000
    frames = [request.frame for request in received[1:]]
    assert [np.frombuffer(f.data).item() for f in frames] == [1.0, 2.0, 3.0]
    assert [f.HasField("at_step") for f in frames] == [False, True, False]
    assert frames[1].at_step == 7
    assert (frames[2].captured_at.seconds, frames[2].captured_at.nanos) == (1700000000, 250000000)
    assert feed.summary.received == 3 and feed.summary.first_applied == (0, 2)
    assert feed.summary.last_applied is None and feed.close() == feed.summary


def test_a_wrong_frame_is_refused_before_it_is_sent(fake):
    network, simulation = fake
    received = []
    simulation.feed = counting(received)
    with network.feed("input") as feed:
        for bad in ([1.0, 2.0], "one", np.ones((1, 1, 1))):
            with pytest.raises(prospero.InvalidArgument):
                feed.push(bad)
    assert feed.summary.received == 0
    with pytest.raises(prospero.InvalidArgument, match="no input 'nothing'"):
        network.feed("nothing")
    with pytest.raises(prospero.InvalidArgument, match="queue"):
        network.feed("input", queue=0)


def refusing(reason):
    def feed(requests, context):
        abort(context, grpc.StatusCode.FAILED_PRECONDITION, reason)

    return feed


def test_a_feed_that_is_refused_raises_on_opening(fake):
    network, simulation = fake
    for reason, kind in [
        ("INPUT_FED", prospero.InputFed),
        ("CLOCK_MISMATCH", prospero.ClockMismatch),
    ]:
        simulation.feed = refusing(reason)
        with pytest.raises(kind):
            network.feed("input").open()


def ending(requests, context):
    context.send_initial_metadata(())
    next(requests)
    next(requests)
    abort(context, grpc.StatusCode.ABORTED, "FEED_TAKEN")


def test_a_feed_that_the_server_ends_raises_its_reason(fake):
    network, simulation = fake
    simulation.feed = ending
    feed = network.feed("input").open()
    assert not feed.wait(0.01)
    feed.push(1.0)
    assert feed.wait(10)
    with pytest.raises(prospero.FeedTaken):
        feed.push(2.0)
    with pytest.raises(prospero.Cancelled):
        feed.push(3.0)


def test_a_server_that_does_not_open_it_meets_the_deadline():
    silence = threading.Event()

    def feed(requests, context):
        context.add_callback(silence.set)
        silence.wait()

    with fake_server() as (target, _, simulation):
        simulation.feed = feed
        with prospero.Client(target, timeout=0.2) as client:
            network = network_of(client)
            network._schema = SCHEMA
            with pytest.raises(prospero.DeadlineExceeded):
                network.feed("input").open()
    assert silence.is_set()


def stalled(release, received):
    """Takes the open, and nothing more until it is told."""

    def feed(requests, context):
        context.send_initial_metadata(())
        received.append(next(requests))
        release.wait()
        received.extend(requests)
        return v1.FeedResponse(received=len(received) - 1)

    return feed


def test_a_push_never_waits_and_the_oldest_frames_give_way():
    """More than any buffer of the transport holds, against a server that takes nothing."""
    release, received = threading.Event(), []
    wide = v1.VariableSchema()
    wide.CopyFrom(SCALAR)
    wide.shape[:] = [1, 100_000]
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.feed = stalled(release, received)
        network = network_of(client)
        network._schema = prospero.Schema({"input.r": variable_from(wide)})
        with network.feed("input", queue=4) as feed:
            for number in range(200):
                feed.push(np.full(100_000, number))
            assert feed.dropped > 0
            release.set()
    numbers = [np.frombuffer(request.frame.data)[0] for request in received[1:]]
    assert numbers == sorted(numbers) and numbers[-1] == 199
    assert len(numbers) + feed.summary.dropped == 200


def test_an_asynchronous_feed_sends_while_its_loop_is_blocked():
    received = []

    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            network = network_of(client)
            network._schema = SCHEMA
            async with network.feed("input", late="refuse") as feed:
                feed.push(1.0)
                while len(received) < 2:
                    time.sleep(0.01)
                feed.push(2.0)
            assert feed.summary.received == 2 and feed.dropped == 0

    def feed(requests, context):
        context.send_initial_metadata(())
        for request in requests:
            received.append(request)
        return v1.FeedResponse(received=len(received) - 1)

    with fake_server() as (target, _, simulation):
        simulation.feed = feed
        asyncio.run(scenario(target))
    assert received[0].open.late == v1.FeedOpen.LATE_REFUSE
