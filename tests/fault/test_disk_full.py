"""A disk that is full or fails: it is said, nothing that was acknowledged is lost, and all goes on
by itself when the disk works again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

import nets
from deeds import Done, Frames, Maker, Twin
from disks import KINDS, Disk, Spoilt, disk
from hosting import PATIENCE, Prosperod, await_true
from prospero import v1
from wire import Wire, reason_of

FREE = v1.Clock(mode=v1.Clock.MODE_FREE)
DURABILITIES = {
    "sync": v1.DURABILITY_SYNC,
    "async": v1.DURABILITY_ASYNC,
    "none": v1.DURABILITY_NONE,
}
INPUTS = 1 << 16  # of a network whose frames are large
KEPT, DEGRADED = v1.Storage.STATE_KEPT, v1.Storage.STATE_DEGRADED


class Loop:
    """Frames for one network: `done` are those that have moved it, in their order."""

    def __init__(self, wire: Wire, id: str) -> None:
        self.id = id
        self.done: list[Done] = []
        self.unsure: list[Frames] = []  # behind `done`: were refused and have moved it all the same
        self._maker = Maker(id, wire.schema(id), id)

    def step(self, wire: Wire) -> str:
        """One more; the reason why it was refused, or ""."""
        frames = self._maker.frames()
        before = wire.get(self.id).cursor.step
        try:
            answer = frames.do(wire, self.id)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            if wire.get(self.id).cursor.step != before:
                self.unsure.append(frames)
            return reason_of(error)
        # What was acknowledged is there together with all that came before.
        self.done += [Done(each, None) for each in self.unsure]
        self.unsure.clear()
        self.done.append(Done(frames, answer))
        return ""

    def until_refused(self, wire: Wire) -> None:
        """The disk may have some place left."""
        reason = await_true(lambda: self.step(wire), f"the refusal of a frame of {self.id}")
        assert reason == "STORAGE_DEGRADED"


def refusal(make, *arguments) -> str:
    """The reason why a call is refused, UNAVAILABLE."""
    with pytest.raises(grpc.RpcError) as raised:
        make(*arguments)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    return reason_of(raised.value)


def storage(wire: Wire, id: str) -> int:
    return wire.get(id).storage.state


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[Wire]:
    with Prosperod(tmp_path / "twin", "--ephemeral") as server, Wire(server.target) as wire:
        yield wire


def serve(tmp_path: Path, spoilt: Disk) -> Prosperod:
    flags = ("--data-dir", str(spoilt.folder))
    return Prosperod(tmp_path / "server", *flags, environment=spoilt.environment)


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_refuses_degrades_what_it_keeps_until_it_takes_again(tmp_path, twin, kind):
    with disk(kind, tmp_path) as bad, serve(tmp_path, bad) as server:
        with Wire(server.target) as wire:
            for id, durability in DURABILITIES.items():
                wire.create(id, v1.Network(spec=nets.small(), durability=durability))
                twin.create(id, v1.Network(spec=nets.small()))
            loops = {id: Loop(wire, id) for id in DURABILITIES}
            for loop in loops.values():
                assert [loop.step(wire) for _ in range(10)] == [""] * 10

            bad.spoil()
            for id in ("sync", "async"):
                loops[id].until_refused(wire)
                assert storage(wire, id) == DEGRADED
                assert wire.get(id).storage.error.message
                before = wire.get(id).cursor
                assert loops[id].step(wire) == "STORAGE_DEGRADED"
                assert wire.get(id).cursor == before, "what is refused changes nothing"
            info = wire.call(wire.server.GetServerInfo, v1.GetServerInfoRequest())
            assert info.storage.degraded
            assert [loops["none"].step(wire) for _ in range(20)] == [""] * 20
            for id in DURABILITIES:
                assert wire.values(id).values, "reading goes on"
            assert refuses_changes(wire) == {"STORAGE_DEGRADED"}
            assert [network.name for network in wire.all()] == [
                f"networks/{id}" for id in sorted(DURABILITIES)
            ]

            bad.mend()
            for id in DURABILITIES:
                await_true(lambda id=id: storage(wire, id) == KEPT, f"the return of {id}")
            for loop in loops.values():
                await_true(lambda loop=loop: loop.step(wire) == "", f"a frame of {loop.id}")
                assert [loop.step(wire) for _ in range(10)] == [""] * 10
            # Whoever has this answer knows that all that came before is on disk.
            wire.relabel("async", {"a": "b"})

            server.kill()
            server.start()
        with Wire(server.target) as wire:
            for id in ("sync", "async"):
                assert not wire.await_back(id).recovery.HasField("loss")
                Twin(twin, id).follow(loops[id].done)
                assert wire.state(id).differences(twin.state(id)) == []
            assert wire.await_back("none").cursor.step == 0
            assert wire.snapshots("sync") == []


def refuses_changes(wire: Wire) -> set[str]:
    """Why calls that change something are refused."""
    learning = v1.UpdateNetworkRequest(network=v1.Network(name="networks/sync", learning=False))
    learning.update_mask.paths.append("learning")
    return {
        refusal(wire.create, "late", v1.Network(spec=nets.small())),
        refusal(wire.call, wire.networks.UpdateNetwork, learning),
        refusal(wire.relabel, "sync", {"a": "b"}),
        refusal(
            wire.call, wire.networks.ResetNetwork, v1.ResetNetworkRequest(name="networks/sync")
        ),
        refusal(
            wire.call,
            wire.states.CreateSnapshot,
            v1.CreateSnapshotRequest(network="networks/sync"),
        ),
        refusal(wire.delete, "async"),
    }


def test_of_those_that_run_by_themselves_only_sync_stands_still(tmp_path):
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        with Wire(server.target) as wire:
            for id, durability in DURABILITIES.items():
                wire.create(id, v1.Network(spec=nets.large(), clock=FREE, durability=durability))
                request = v1.StartNetworkRequest(name=f"networks/{id}")
                wire.call(wire.networks.StartNetwork, request)

            def step(id: str) -> int:
                return wire.get(id).cursor.step

            def moves(id: str) -> None:
                before = step(id)
                await_true(lambda: step(id) > before, f"a step of {id}")

            for id in DURABILITIES:
                moves(id)
            bad.spoil()
            for id in ("sync", "async"):
                await_true(lambda id=id: storage(wire, id) == DEGRADED, f"the trouble of {id}")

            def stands() -> bool:
                there = step("sync")
                time.sleep(0.2)  # The slice that it is in comes to its end.
                return step("sync") == there

            await_true(stands, "that sync stands still")
            there = step("sync")
            for id in ("async", "none"):
                moves(id)
            assert step("sync") == there
            bad.mend()
            for id in DURABILITIES:
                moves(id)


def test_a_backlog_that_grows_too_long_gives_way_to_a_checkpoint(tmp_path):
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        with Wire(server.target) as wire:
            wire.create("eye", v1.Network(spec=nets.wide(INPUTS), clock=FREE))
            wire.call(wire.networks.StartNetwork, v1.StartNetworkRequest(name="networks/eye"))
            bad.spoil()
            await_true(lambda: storage(wire, "eye") == DEGRADED, "the trouble")
            fed = feed_bytes(wire, "eye", 200 << 20)
            assert fed.applied * 4 * INPUTS > 64 << 20, "more than is kept for later"
            bad.mend()
            await_true(lambda: storage(wire, "eye") == KEPT, "the return of the disk")

            def is_mended() -> bool:
                return wire.get("eye").storage.checkpoint_step > fed.last_applied.step

            await_true(is_mended, "a checkpoint")
            # The answer says that all that came before is on disk.
            wire.call(wire.networks.PauseNetwork, v1.PauseNetworkRequest(name="networks/eye"))
            there = wire.values("eye")
            server.kill()
            server.start()
        with Wire(server.target) as wire:
            assert not wire.await_back("eye").recovery.HasField("loss")
            assert wire.values("eye").differences(there) == []


def feed_bytes(wire: Wire, id: str, count: int) -> v1.FeedResponse:
    """Feeds the input so many bytes, in frames that differ."""
    numbers = np.random.default_rng(1)
    values = numbers.uniform(0.0, 0.1, INPUTS).astype(np.float32)

    def requests() -> Iterator[v1.FeedRequest]:
        yield v1.FeedRequest(open=v1.FeedOpen(network=f"networks/{id}", input="input.r"))
        for _ in range(count // values.nbytes):
            numbers.shuffle(values)
            yield v1.FeedRequest(frame=v1.FeedFrame(data=values.tobytes()))

    return wire.simulation.Feed(requests(), timeout=PATIENCE)


def test_a_snapshot_that_does_not_fit_leaves_nothing_behind(tmp_path):
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        assert isinstance(bad, Spoilt)
        with Wire(server.target) as wire:
            wire.create("net", v1.Network(spec=nets.large(), durability=v1.DURABILITY_SYNC))
            wire.step("net", 10)
            before = files(bad.folder)
            request = v1.CreateSnapshotRequest(network="networks/net")
            for space in (0, 100, 5_000, 20_000, 60_000):
                bad.shim.fill(space)
                with pytest.raises(grpc.RpcError) as raised:
                    wire.call(wire.states.CreateSnapshot, request)
                assert reason_of(raised.value) == "STORAGE_DEGRADED"
                assert wire.snapshots("net") == []
                assert files(bad.folder) == before
            bad.mend()
            await_true(lambda: storage(wire, "net") == KEPT, "the return of the disk")
            there = wire.state("net")
            assert there.differences(wire.state("net")) == []


def files(folder: Path) -> set[Path]:
    """Files that hold states of networks."""
    return {path for path in folder.rglob("*") if path.is_file() and path.parent != folder}


def test_a_disk_that_takes_writes_in_parts_keeps_everything(tmp_path, twin):
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        assert isinstance(bad, Spoilt)
        bad.shim.write_in_parts()
        with Wire(server.target) as wire:
            wire.create("net", v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
            twin.create("net", v1.Network(spec=nets.small()))
            loop = Loop(wire, "net")
            assert [loop.step(wire) for _ in range(50)] == [""] * 50
            assert wire.state("net").step == wire.get("net").cursor.step
            server.kill()
            server.start()
        with Wire(server.target) as wire:
            wire.await_back("net")
            Twin(twin, "net").follow(loop.done)
            assert wire.state("net").differences(twin.state("net")) == []


def test_a_frame_of_a_sync_network_is_answered_only_after_a_sync(tmp_path):
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        assert isinstance(bad, Spoilt)
        with Wire(server.target) as wire:
            wire.create("net", v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
            for _ in range(50):
                before = bad.shim.count("syncs")
                wire.step("net")
                assert bad.shim.count("syncs") > before


def test_networks_that_wait_for_the_disk_share_its_syncs(tmp_path):
    networks, frames = 16, 20
    with disk("full", tmp_path) as bad, serve(tmp_path, bad) as server:
        assert isinstance(bad, Spoilt)
        with Wire(server.target) as wire:
            for k in range(networks):
                wire.create(f"n{k}", v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
            bad.shim.slow_syncs(0.02)
            before = bad.shim.count("syncs")

            def drive(k: int) -> None:
                for _ in range(frames):
                    wire.step(f"n{k}")

            drivers = [threading.Thread(target=drive, args=(k,)) for k in range(networks)]
            for driver in drivers:
                driver.start()
            for driver in drivers:
                driver.join()
            assert bad.shim.count("syncs") - before < networks * frames / 2
