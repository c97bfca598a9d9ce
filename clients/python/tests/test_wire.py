"""What the clients make of answers that a healthy server seldom gives."""

import asyncio
import threading

import grpc
import numpy as np
import pytest
from fake import (
    abort,
    attached,
    echo,
    fake_server,
    gap,
    network_of,
    opened,
    refusal,
    samples,
)

import prospero
from prospero import v1

SPEC = prospero.gle.chain([1, 1], dt_ms=1, tau_m=10)


@pytest.fixture
def fake():
    with fake_server() as (target, networks, simulation):
        with prospero.Client(target, timeout=10) as client:
            yield client, networks, simulation


def test_a_call_is_repeated_with_the_same_request_id_while_unavailable(fake):
    client, networks, _ = fake
    networks.failures = 2
    assert client.create_network(SPEC, "a").name == "networks/a"
    assert len(networks.request_ids) == 3 and len(set(networks.request_ids)) == 1


def test_a_call_gives_up_after_four_times(fake):
    client, networks, _ = fake
    networks.failures = 10
    with pytest.raises(prospero.Unavailable):
        client.create_network(SPEC, "a")
    assert len(networks.request_ids) == 4


def test_an_asynchronous_call_is_repeated_too():
    async def scenario(target, networks):
        async with prospero.aio.Client(target) as client:
            networks.failures = 2
            assert (await client.create_network(SPEC, "a")).id == "a"
            assert len(networks.request_ids) == 3 and len(set(networks.request_ids)) == 1

    with fake_server() as (target, networks, _):
        asyncio.run(scenario(target, networks))


STRANGE = v1.Warning(
    reason="LOOP_GAIN", field="spec.microcircuit.layers[1]", message="a loop gain of 3 grows"
)


def test_what_looks_wrong_is_warned_of_where_the_network_is_made(fake):
    client, networks, _ = fake
    networks.warnings = [STRANGE]
    with pytest.warns(prospero.ProsperoWarning, match="LOOP_GAIN .* a loop gain of 3") as told:
        network = client.create_network(SPEC, "a")
    assert told[0].filename == __file__
    assert told[0].message.reason == "LOOP_GAIN"
    assert told[0].message.field == "spec.microcircuit.layers[1]"
    assert network.warnings == (
        prospero.NetworkWarning(
            "LOOP_GAIN", "spec.microcircuit.layers[1]", "a loop gain of 3 grows"
        ),
    )
    with pytest.warns(prospero.ProsperoWarning):
        client.validate_network(SPEC, "a")


def test_a_network_that_looks_right_has_no_warnings(fake):
    client, _, _ = fake
    assert client.create_network(SPEC, "a").warnings == ()


def test_an_asynchronous_client_warns_too():
    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            with pytest.warns(prospero.ProsperoWarning, match="LOOP_GAIN") as told:
                network = await client.create_network(SPEC, "a")
            assert told[0].filename == __file__
            assert [warning.reason for warning in network.warnings] == ["LOOP_GAIN"]
            with pytest.warns(prospero.ProsperoWarning):
                await client.validate_network(SPEC, "a")

    with fake_server() as (target, networks, _):
        networks.warnings = [STRANGE]
        asyncio.run(scenario(target))


def test_a_step_is_never_repeated(fake):
    client, _, simulation = fake
    network = network_of(client)
    network._schema = prospero.Schema({})
    with pytest.raises(prospero.Unavailable):
        network.step()
    assert simulation.steps == 1


def drive_with_a_refusal_of(bad):
    """Echoes; refuses frames that hold the value `bad`, and those of another step."""

    def drive(requests, context):
        step = 0
        for request in requests:
            if request.HasField("attach"):
                yield attached()
                continue
            advance = request.advance
            wrong = None
            if advance.HasField("at_step") and advance.at_step != step:
                wrong = refusal(grpc.StatusCode.OUT_OF_RANGE, "STEP_MISMATCH")
            elif bad in np.frombuffer(advance.inputs[0].data):
                wrong = refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
            if wrong is not None:
                cursor = v1.Cursor(step=step)
                error = v1.DriveError(tag=advance.tag, cursor=cursor, status=wrong)
                yield v1.DriveResponse(error=error)
                continue
            yield echo(request, step)
            step += advance.steps

    return drive


def test_a_refused_frame_raises_and_the_drive_goes_on(fake):
    client, _, simulation = fake
    simulation.drive = drive_with_a_refusal_of(13.0)
    with network_of(client).drive() as drive:
        assert drive.advance({"input": 1.0})["output.r"] == 1.0
        with pytest.raises(prospero.InvalidArgument):
            drive.advance({"input": 13.0})
        assert drive.advance({"input": 2.0})["output.r"] == 2.0
        assert drive.cursor == (0, 2)


def test_a_refused_chunk_ends_a_run_and_no_later_chunk_is_taken(fake):
    client, _, simulation = fake
    simulation.drive = drive_with_a_refusal_of(13.0)
    with network_of(client).drive() as drive:
        with pytest.raises(prospero.InvalidArgument):
            drive.run({"input": np.arange(100.0)}, chunk=5)
        assert drive.cursor.step == 10
        assert drive.advance({"input": 7.0})["output.r"] == 7.0


def test_a_run_gives_the_rows_of_one_long_advance(fake):
    client, _, simulation = fake
    simulation.drive = drive_with_a_refusal_of(-1.0)
    with network_of(client).drive() as drive:
        run = drive.run({"input": np.arange(1003.0)}, chunk=10)
    assert np.array_equal(run["output.r"].ravel(), np.arange(1003.0))
    assert run.steps == 1003 and np.isnan(run.loss).all()


def test_a_stream_that_is_left_early_does_not_confuse_the_next_advance(fake):
    client, _, simulation = fake
    simulation.drive = drive_with_a_refusal_of(-1.0)
    with network_of(client).drive() as drive:
        stream = drive.stream({"input": np.arange(100.0)}, chunk=5)
        assert next(stream).cursor.step == 5
        stream.close()
        assert drive.advance({"input": 3.5})["output.r"] == 3.5


def test_an_asynchronous_drive_answers_alike():
    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            async with network_of(client).drive() as drive:
                with pytest.raises(prospero.InvalidArgument):
                    await drive.advance({"input": 13.0})
                with pytest.raises(prospero.InvalidArgument):
                    await drive.run({"input": np.arange(100.0)}, chunk=5)
                assert drive.cursor.step == 10
                run = await drive.run({"input": np.arange(20.0, 120.0)}, chunk=7)
                assert np.array_equal(run["output.r"].ravel(), np.arange(20.0, 120.0))

    with fake_server() as (target, _, simulation):
        simulation.drive = drive_with_a_refusal_of(13.0)
        asyncio.run(scenario(target))


def drive_that_ends(requests, context):
    next(requests)
    yield attached()
    next(requests)
    notice = v1.Notice(kind=v1.Notice.KIND_LEASE_LOST, message="taken")
    yield v1.DriveResponse(notice=notice)
    abort(context, grpc.StatusCode.ABORTED, "LEASE_LOST")


def test_a_drive_that_the_server_ends_raises_its_reason_and_stays_closed(fake):
    client, _, simulation = fake
    simulation.drive = drive_that_ends
    with network_of(client).drive() as drive:
        with pytest.raises(prospero.LeaseLost):
            drive.advance({"input": 1.0})
        assert [notice.kind for notice in drive.notices] == ["lease_lost"]
        with pytest.raises(prospero.Cancelled):
            drive.advance({"input": 1.0})


def test_an_asynchronous_drive_that_the_server_ends_raises_its_reason():
    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            async with network_of(client).drive() as drive:
                with pytest.raises(prospero.LeaseLost):
                    await drive.advance({"input": 1.0})
                with pytest.raises(prospero.Cancelled):
                    await drive.advance({"input": 1.0})

    with fake_server() as (target, _, simulation):
        simulation.drive = drive_that_ends
        asyncio.run(scenario(target))


def test_a_server_that_does_not_answer_an_attach_meets_the_deadline():
    silence = threading.Event()

    def drive(requests, context):
        context.add_callback(silence.set)
        silence.wait()
        yield from ()

    with fake_server() as (target, _, simulation):
        simulation.drive = drive
        with prospero.Client(target, timeout=0.2) as client:
            with pytest.raises(prospero.DeadlineExceeded):
                network_of(client).drive().open()
    assert silence.is_set()


def test_no_server_is_unavailable():
    with prospero.Client("127.0.0.1:1", timeout=5) as client:
        with pytest.raises(prospero.Unavailable):
            client.get_network("a")
        with pytest.raises(prospero.DeadlineExceeded, match="127.0.0.1:1"):
            client.wait_ready(0.1)


def test_a_gap_is_told_with_the_sample_after_it(fake):
    client, _, simulation = fake
    simulation.subscribe = lambda requests, context: [
        opened(),
        samples(1, 2),
        gap(3, 7),
        samples(8),
    ]
    with network_of(client).subscribe("output.r") as stream:
        taken = list(stream)
    assert [s.step for s in taken] == [1, 2, 8]
    assert [s.gap for s in taken[:2]] == [None, None]
    assert (taken[2].gap.first.step, taken[2].gap.last.step, taken[2].gap.count) == (3, 7, 5)
    assert taken[2].gap.reason == "slow_reader"


def test_events_tell_everything_in_order(fake):
    client, _, simulation = fake
    notice = v1.SubscriptionEvent(notice=v1.Notice(kind=v1.Notice.KIND_PAUSED))
    beat = v1.SubscriptionEvent(heartbeat=v1.SubscriptionEvent.Heartbeat())
    simulation.watch = lambda request, context: [opened(), samples(1), gap(2, 3), notice, beat]
    with network_of(client).watch("output.r") as stream:
        kinds = [type(event).__name__ for event in stream.events()]
    assert kinds == ["Sample", "Gap", "Notice", "Heartbeat"]
    assert [n.kind for n in stream.notices] == ["paused"]


def counting_credits(granted):
    """Sends one sample for each credit, and ends after 100."""

    def subscribe(requests, context):
        step = 0
        for request in requests:
            if request.HasField("subscription"):
                yield opened()
                continue
            granted.append(request.credit)
            for _ in range(request.credit):
                step += 1
                yield samples(step)
                if step == 100:
                    # The credits of the last samples: who grants them must not find the
                    # stream ended.
                    granted.extend(next(requests).credit for _ in range(2))
                    return

    return subscribe


def test_credits_are_granted_as_samples_are_taken(fake):
    client, _, simulation = fake
    granted = []
    simulation.subscribe = counting_credits(granted)
    with network_of(client).subscribe("output.r", credits=8) as stream:
        assert [s.step for s in stream] == list(range(1, 101))
    assert granted[0] == 8 and set(granted[1:]) == {4} and sum(granted) >= 100


def test_an_asynchronous_subscription_grants_credits_and_ends():
    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            stream = network_of(client).subscribe("output.r", credits=8)
            assert [s.step async for s in stream] == list(range(1, 101))

    granted = []
    with fake_server() as (target, _, simulation):
        simulation.subscribe = counting_credits(granted)
        asyncio.run(scenario(target))
    assert granted[0] == 8 and set(granted[1:]) == {4}


def test_a_caller_may_give_up_waiting_for_a_sample_and_come_back():
    release = threading.Event()

    def watch(request, context):
        yield opened()
        release.wait()
        yield samples(1)

    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            async with network_of(client).watch("output.r") as stream:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(stream.__anext__(), 0.05)
                release.set()
                assert (await stream.__anext__()).step == 1

    with fake_server() as (target, _, simulation):
        simulation.watch = watch
        asyncio.run(scenario(target))


def forever(closed):
    def subscribe(requests, context):
        context.add_callback(closed.set)
        next(requests)
        yield opened()
        closed.wait()

    return subscribe


def test_closing_a_subscription_stops_its_iterator_and_the_stream(fake):
    client, _, simulation = fake
    closed = threading.Event()
    simulation.subscribe = forever(closed)
    stream = network_of(client).subscribe("output.r")
    threading.Timer(0.05, stream.close).start()
    assert list(stream) == []
    assert closed.wait(10)


def test_closing_an_asynchronous_subscription_stops_its_iterator():
    closed = threading.Event()

    async def scenario(target):
        async with prospero.aio.Client(target) as client:
            stream = await network_of(client).subscribe("output.r").open()
            asyncio.get_running_loop().call_later(
                0.05, lambda: asyncio.ensure_future(stream.close())
            )
            assert [s async for s in stream] == []

    with fake_server() as (target, _, simulation):
        simulation.subscribe = forever(closed)
        asyncio.run(scenario(target))
        assert closed.wait(10)


def test_a_stream_that_fails_raises_its_reason(fake):
    client, _, simulation = fake

    def subscribe(requests, context):
        yield opened()
        abort(context, grpc.StatusCode.ABORTED, "NETWORK_DELETED")

    simulation.subscribe = subscribe
    with pytest.raises(prospero.NetworkDeleted):
        list(network_of(client).subscribe("output.r"))
