"""A wall clock that jumps by a day, back and forth, while a server runs and while it is down:
nobody waits for it, nothing is deleted too early, and what was newest is still the newest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration

import nets
from hosting import Prosperod, await_true
from prospero import v1
from shim import Shim, why_not
from wire import Wire

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

DAY = 86400.0  # [s]
JUMPS = (-DAY, 0.0, DAY, -2 * DAY, 0.0)  # where the clock is, beside the true time
TIMED = v1.Clock(mode=v1.Clock.MODE_REALTIME, overrun=v1.Clock.OVERRUN_SLOW_DOWN)


@pytest.fixture
def shim(tmp_path: Path) -> Shim:
    return Shim(tmp_path, tmp_path / "data")


@pytest.fixture
def server(tmp_path: Path, shim: Shim) -> Iterator[Prosperod]:
    flags = ("--data-dir", str(tmp_path / "data"))
    with Prosperod(tmp_path / "server", *flags, environment=shim.environment) as server:
        yield server


@pytest.fixture
def wire(server: Prosperod) -> Iterator[Wire]:
    with Wire(server.target) as wire:
        yield wire


def start(wire: Wire, id: str) -> None:
    wire.call(wire.networks.StartNetwork, v1.StartNetworkRequest(name=f"networks/{id}"))


def snapshot(wire: Wire, id: str, ttl: Duration | None = None) -> None:
    request = v1.CreateSnapshotRequest(network="networks/net", snapshot_id=id, ttl=ttl)
    wire.call(wire.states.CreateSnapshot, request)


def test_nobody_waits_for_the_wall_clock(server, wire, shim):
    wire.create("timed", v1.Network(spec=nets.small(), clock=TIMED))
    start(wire, "timed")
    for durability in (v1.DURABILITY_SYNC, v1.DURABILITY_ASYNC):
        wire.create(f"net{durability}", v1.Network(spec=nets.small(), durability=durability))
    for offset in JUMPS:
        shim.shift_clock(offset)
        for durability in (v1.DURABILITY_SYNC, v1.DURABILITY_ASYNC):
            for _ in range(5):
                wire.step(f"net{durability}")
        seen = wire.get("timed").cursor.step
        await_true(lambda seen=seen: wire.get("timed").cursor.step > seen + 100, "a hundred steps")
    assert shim.count("looks") > 0, "it looks at that clock"
    # A clock with another sense of time would have made millions of steps for each day.
    assert wire.get("timed").cursor.step < 100_000
    shim.shift_clock(-DAY)
    assert server.terminate() == 0


def test_a_repeated_request_has_its_first_answer_wherever_the_clock_is(server, wire, shim):
    request = v1.CreateNetworkRequest(network=v1.Network(spec=nets.small()), request_id="once")
    first = wire.call(wire.networks.CreateNetwork, request)
    for offset in JUMPS:
        shim.shift_clock(offset)
        assert wire.call(wire.networks.CreateNetwork, request) == first
    shim.shift_clock(-DAY)
    server.kill()
    server.start()
    with Wire(server.target) as again:
        assert again.call(again.networks.CreateNetwork, request) == first
        assert len(again.all()) == 1


def test_snapshots_are_listed_in_the_order_in_which_they_were_taken(server, wire, shim):
    wire.create("net", v1.Network(spec=nets.small()))
    for k, offset in enumerate(JUMPS):
        shim.shift_clock(offset)
        wire.step("net")
        snapshot(wire, f"s{k}")
    newest_first = [f"s{k}" for k in reversed(range(len(JUMPS)))]
    assert wire.snapshots("net") == newest_first
    server.kill()
    shim.shift_clock(-DAY)
    server.start()
    with Wire(server.target) as again:
        assert again.snapshots("net") == newest_first


def test_a_policy_goes_on_and_keeps_its_newest_and_what_is_not_its_own(server, wire, shim):
    policy = v1.SnapshotPolicy(every=Duration(seconds=1), keep=2)
    network = v1.Network(spec=nets.small(), clock=TIMED, snapshot_policy=policy)
    wire.create("net", network)
    snapshot(wire, "mine")
    start(wire, "net")

    def of_policy() -> list[str]:
        return [id for id in wire.snapshots("net") if id != "mine"]

    await_true(lambda: len(of_policy()) == 2, "two snapshots")
    for offset in (-DAY, DAY, 0.0):
        seen = of_policy()[0]
        shim.shift_clock(offset)
        await_true(lambda seen=seen: of_policy()[0] != seen, "a snapshot after a jump")
    await_true(lambda: len(of_policy()) == 2, "the end of the oldest")
    assert "mine" in wire.snapshots("net")


def test_a_snapshot_lives_as_long_as_it_should_when_the_clock_is_put_back(server, wire, shim):
    wire.create("net", v1.Network(spec=nets.small()))
    snapshot(wire, "an-hour", ttl=Duration(seconds=3600))
    for offset in (DAY, -DAY):
        shim.shift_clock(offset)
        wire.step("net")
        assert wire.snapshots("net") == ["an-hour"]
    server.kill()
    server.start()
    with Wire(server.target) as again:
        assert again.snapshots("net") == ["an-hour"]
    server.kill()
    shim.shift_clock(2 * 3600)
    server.start()
    with Wire(server.target) as at_last:
        await_true(lambda: at_last.snapshots("net") == [], "the end of a snapshot's time")


def test_networks_come_back_whatever_the_clock_says(server, wire, shim):
    for id in ("one", "two"):
        wire.create(id, v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
    there = {}
    for offset in (-DAY, DAY):
        with Wire(server.target) as before:
            for id in ("one", "two"):
                before.step(id, 5)
                there[id] = before.state(id)
        shim.shift_clock(offset)
        server.kill()
        server.start()
        with Wire(server.target) as after:
            for id in ("one", "two"):
                after.await_back(id)
                assert after.state(id).differences(there[id]) == []
