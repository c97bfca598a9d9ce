"""How a subscription goes on after its connection broke."""

import asyncio
import threading

import grpc
import numpy as np
import pytest
from fake import abort, fake_server, gap, network_of, opened, samples
from relay import Relay

import prospero
from prospero import v1
from prospero._resume import Backoff, Position, is_broken
from prospero.values import Cursor, Gap, Heartbeat, Sample


def sample(step, selection=0, epoch=0):
    return Sample(Cursor(epoch, step), {}, selection)


def position(selections=1, **fields):
    return Position(v1.Subscription(selections=[v1.Selection()] * selections, **fields))


def test_it_goes_on_behind_the_last_sample():
    place = position()
    place.opened(Cursor(0, 3))
    assert place.cursor == (0, 3)
    assert place.take(sample(10)) and place.cursor == (0, 10)
    asked = place.subscription()
    assert asked.start == v1.Subscription.START_CURSOR and asked.cursor.step == 10


def test_heartbeats_and_gaps_are_progress():
    place = position()
    place.take(Heartbeat(Cursor(0, 20)))
    assert place.cursor == (0, 20)
    place.take(Gap(Cursor(0, 21), Cursor(0, 30), 10, "slow_reader"))
    assert place.cursor == (0, 30)


def test_a_snapshot_that_did_not_come_is_asked_for_again():
    place = position(start=v1.Subscription.START_SNAPSHOT)
    place.opened(Cursor(0, 3))
    assert place.subscription().start == v1.Subscription.START_SNAPSHOT


def test_a_step_that_was_cut_in_two_is_asked_for_again_without_what_had_come():
    place = position(selections=2)
    assert place.take(sample(5, 0)) and place.take(sample(5, 1)) and place.cursor == (0, 5)
    assert place.take(sample(6, 0)) and place.cursor == (0, 5)
    assert not place.take(sample(6, 0)) and place.take(sample(6, 1)) and place.cursor == (0, 6)


def test_an_epoch_that_has_grown_is_later_than_any_step():
    place = position()
    place.take(sample(100))
    place.take(sample(1, epoch=1))
    assert place.cursor == (1, 1)


def test_only_what_says_that_the_line_is_broken_is_tried_again():
    assert is_broken(prospero.Unavailable("gone")) and is_broken(prospero.Draining("bye"))
    assert is_broken(prospero.Internal("Received RST_STREAM"))
    assert not is_broken(prospero.Internal("bug", reason="INTERNAL"))
    assert not is_broken(prospero.HeartbeatMissed("late", reason="HEARTBEAT_MISSED"))
    assert not is_broken(prospero.NotFound("no"))


def test_pauses_grow_to_five_seconds():
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(12)]
    assert 0.08 <= pauses[0] <= 0.12 and 4.0 <= pauses[-1] <= 6.0


def breaking(asked, *scripts):
    """Plays one script for each stream; all but the last one break."""

    def watch(request, context):
        asked.append(request.subscription)
        script = scripts[min(len(asked), len(scripts)) - 1]
        yield from script
        if len(asked) < len(scripts):
            context.abort(grpc.StatusCode.UNAVAILABLE, "cut")

    return watch


SCRIPTS = (
    [opened(), samples(1, 2)],
    [],
    [opened(7), gap(3, 4), samples(5)],
)


def check(asked, events):
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["Sample", "Sample", "Notice", "Gap", "Sample"]
    assert [e.step for e in events if isinstance(e, Sample)] == [1, 2, 5]
    assert events[2].kind == "reconnected" and "cut" in events[2].message
    assert events[4].gap == events[3]
    assert [s.start for s in asked] == [v1.Subscription.START_NOW] + 2 * [
        v1.Subscription.START_CURSOR
    ]
    assert [s.cursor.step for s in asked] == [0, 2, 2]
    assert all(s.delivery == v1.Subscription.DELIVERY_RELIABLE for s in asked)


def test_a_broken_stream_goes_on_with_its_gaps_and_a_notice():
    asked = []
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.watch = breaking(asked, *SCRIPTS)
        stream = network_of(client).watch("output.r", delivery="reliable", reconnect=True)
        check(asked, list(stream.events()))
        assert stream.position == (0, 5)
        assert [n.kind for n in stream.notices] == ["reconnected"]


def test_an_asynchronous_one_too():
    asked = []

    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            network = network_of(client)
            stream = network.watch("output.r", delivery="reliable", reconnect=True)
            check(asked, [event async for event in stream.events()])

    with fake_server() as (target, _, simulation):
        simulation.watch = breaking(asked, *SCRIPTS)
        asyncio.run(scenario(target))


def test_without_reconnect_a_broken_stream_raises():
    asked = []
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.watch = breaking(asked, *SCRIPTS)
        stream = network_of(client).watch("output.r")
        assert next(stream).step == 1 and next(stream).step == 2
        with pytest.raises(prospero.Unavailable):
            next(stream)
    assert len(asked) == 1


def test_another_network_of_the_same_name_is_not_taken_for_the_first():
    asked = []
    with fake_server() as (target, networks, simulation), prospero.Client(target) as client:
        simulation.watch = breaking(asked, *SCRIPTS)
        networks.network.uid = "2"
        stream = network_of(client).watch("output.r", reconnect=True)
        with pytest.raises(prospero.NetworkDeleted, match="another one has its name"):
            list(stream)


def test_what_the_server_means_is_not_tried_again():
    def watch(request, context):
        yield opened()
        abort(context, grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EVICTED")

    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.watch = watch
        with pytest.raises(prospero.CursorEvicted):
            list(network_of(client).watch("output.r", reconnect=True))


def never_again(broken):
    def watch(request, context):
        if not broken.is_set():
            yield opened()
            broken.set()
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    return watch


def test_closing_ends_the_attempts():
    broken = threading.Event()
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.watch = never_again(broken)
        stream = network_of(client).watch("output.r", reconnect=True)
        closer = threading.Thread(target=lambda: (broken.wait(), stream.close()))
        closer.start()
        assert list(stream) == []
        closer.join()


def test_closing_ends_the_attempts_of_an_asynchronous_one():
    broken = threading.Event()

    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            stream = await network_of(client).watch("output.r", reconnect=True).open()

            async def close():
                await asyncio.to_thread(broken.wait)
                await stream.close()

            closing = asyncio.create_task(close())
            assert [s async for s in stream] == []
            await closing

    with fake_server() as (target, _, simulation):
        simulation.watch = never_again(broken)
        asyncio.run(scenario(target))


def test_a_line_that_is_cut_loses_and_repeats_nothing(server, client, make, chain):
    network, relay = make(chain()), Relay(server.target)
    steps = []
    try:
        with prospero.Client(relay.target) as far:
            watched = far.get_network(network.id)
            stream = watched.subscribe(
                prospero.Selection("output.r"),
                prospero.Selection("loss", every=3),
                delivery="reliable",
                reconnect=True,
                credits=16,
            )
            for round in range(4):
                network.step({"input": np.ones((100, 2))})
                if round in (1, 2):
                    relay.cut()
                    network.step({"input": np.ones((50, 2))})
                    relay.mend()
                wanted = network.refresh().cursor.step
                while not steps or steps[-1] != (wanted, 0):
                    sample = next(stream)
                    assert sample.gap is None
                    steps.append((sample.step, sample.selection))
            assert [n.kind for n in stream.notices].count("reconnected") >= 1
            stream.close()
    finally:
        relay.close()
    every = [(step, 0) for step in range(1, 501)]
    assert [s for s in steps if s[1] == 0] == every
    thirds = [step for step, selection in steps if selection == 1]
    assert thirds == list(range(3, 3 * len(thirds) + 1, 3))


def test_a_reader_who_was_away_for_too_long_is_told(server, make, chain):
    network, relay = make(chain((2, 100, 1))), Relay(server.target)
    try:
        with prospero.Client(relay.target) as far:
            stream = far.get_network(network.id).subscribe(
                "hidden.r", delivery="reliable", reconnect=True, retained_bytes=10_000
            )
            network.step({"input": np.ones((10, 2))})
            assert [next(stream).step for _ in range(10)] == list(range(1, 11))
            relay.cut()
            network.step({"input": np.ones((5000, 2))})
            relay.mend()
            with pytest.raises(prospero.CursorEvicted) as error:
                list(stream)
            assert int(error.value.metadata["oldest_step"]) > 11
            oldest = prospero.Cursor(
                int(error.value.metadata["oldest_epoch"]), int(error.value.metadata["oldest_step"])
            )
            with network.subscribe("hidden.r", delivery="reliable", start=oldest) as again:
                assert next(again).step == oldest.step + 1
    finally:
        relay.close()
