"""How a server begins and ends on its data directory, and what its clients see meanwhile."""

from __future__ import annotations

import queue
import re
import shutil
from pathlib import Path

import nets
from disks import mounted, read_only
from hosting import Prosperod, await_true
from prospero import v1
from wire import NOT_SERVING, SERVING, Wire, attach

RECOVERING = v1.Network.STATE_RECOVERING


def data_in(folder: Path) -> tuple[str, str]:
    return "--data-dir", str(folder / "data")


def test_a_second_server_on_a_directory_refuses_and_does_no_harm(tmp_path):
    with Prosperod(tmp_path / "first", *data_in(tmp_path)) as first:
        assert first.process is not None
        with Wire(first.target) as wire:
            wire.create("net", v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
            wire.step("net", 3)
            said = Prosperod(tmp_path / "second", *data_in(tmp_path)).refuses_to_start()
            assert str(tmp_path / "data") in said
            assert str(first.process.pid) in said
            wire.step("net", 3)
            there = wire.state("net")
        first.kill()
        # A lock that outlives its owner would keep this one out.
        with Prosperod(tmp_path / "third", *data_in(tmp_path)) as third, Wire(third.target) as wire:
            wire.await_back("net")
            assert wire.state("net").differences(there) == []


def test_an_ephemeral_server_leaves_nothing_behind(tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    folder = tmp_path / "server"
    server = Prosperod(folder, "--ephemeral", environment={"TMPDIR": str(temporary)})
    with server, Wire(server.target) as wire:
        wire.create("net", v1.Network(spec=nets.small()))
        wire.step("net", 3)
        assert wire.get("net").durability == v1.DURABILITY_NONE
        assert wire.get("net").storage.state == v1.Storage.STATE_EPHEMERAL
        assert wire.state("net").step == 3
        assert server.terminate() == 0
    assert list(temporary.iterdir()) == []
    assert {path.name for path in folder.iterdir()} == {"log", "port"}


def test_without_a_flag_the_directory_is_below_the_working_one(tmp_path):
    server = Prosperod(tmp_path)
    with server:
        folder = tmp_path / "prospero-data"
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0, "it is nobody else's"


def test_a_directory_that_cannot_be_used_is_refused(tmp_path):
    beside = tmp_path / "file"
    beside.write_text("no directory")
    for path in (beside, beside / "below", Path("/proc/prospero")):
        said = Prosperod(tmp_path / "server", "--data-dir", str(path)).refuses_to_start()
        assert str(path) in said


def test_a_directory_that_cannot_be_written_is_refused(tmp_path):
    with Prosperod(tmp_path / "server", *data_in(tmp_path)) as server:
        assert server.terminate() == 0
    with mounted(tmp_path / "mount", "size=8m") as mount:
        shutil.copytree(tmp_path / "data", mount / "data")
        with read_only(mount):
            server = Prosperod(tmp_path / "server", "--data-dir", str(mount / "data"))
            assert str(mount / "data") in server.refuses_to_start()


def test_calls_wait_for_a_network_that_is_on_its_way_back(tmp_path):
    with Prosperod(tmp_path / "server", *data_in(tmp_path)) as server:
        there = long_journal(server, "long")
        server.kill()
        server.start()
        with Wire(server.target) as wire:
            listed = wire.get("long")
            assert listed.state == RECOVERING, "there is much to replay"
            assert wire.health("networks/long") == NOT_SERVING
            assert [network.state for network in wire.all()] == [RECOVERING]
            requests: queue.SimpleQueue[v1.DriveRequest | None] = queue.SimpleQueue()
            requests.put(attach("long", [], []))
            answers = wire.simulation.Drive(iter(requests.get, None))
            seen = progress(wire, "long")
            attached = next(answers).attached
            assert attached.cursor.step == there
            requests.put(None)
            assert list(answers) == []
            assert seen == sorted(seen)
            # Of a machine that is slow the server took a checkpoint meanwhile: less is replayed.
            complete, replayed = seen[-1]
            assert complete == 1.0 and 0 < replayed <= there
            assert wire.health("networks/long") == SERVING
            info = wire.call(wire.server.GetServerInfo, v1.GetServerInfoRequest())
            assert info.storage.networks_found == info.storage.networks_recovered == 1
            assert wire.step("long", 2).cursor.step == there + 2


def progress(wire: Wire, id: str) -> list[tuple[float, int]]:
    """How much of the journal and how many steps were replayed, each time one has looked."""
    seen = []

    def is_back() -> bool:
        network = wire.get(id)
        seen.append((network.recovery.progress, network.recovery.steps))
        return network.state != RECOVERING

    await_true(is_back, f"the return of {id}")
    return seen


def long_journal(server: Prosperod, id: str) -> int:
    """Makes a network that takes a second or two to bring back; where it stands."""
    with Wire(server.target) as wire:
        wire.create(id, v1.Network(spec=nets.large(), durability=v1.DURABILITY_SYNC))
        for _ in range(20):
            cursor = wire.step(id, 1500).cursor
    return cursor.step


def test_the_most_recently_used_network_comes_back_first(tmp_path):
    flags = (*data_in(tmp_path), "--recovery-threads", "1")
    ids = ["c", "a", "d", "b"]
    with Prosperod(tmp_path / "server", *flags) as server:
        with Wire(server.target) as wire:
            for id in sorted(ids):
                wire.create(id, v1.Network(spec=nets.small(), durability=v1.DURABILITY_SYNC))
            for id in ids:
                wire.step(id, 5)
                wire.relabel(id, {"used": "now"})
        server.kill()
        before = len(server.log)
        server.start()
        with Wire(server.target) as wire:
            for id in ids:
                assert wire.await_back(id).cursor.step == 5
        said = re.findall(r"recovered network=networks/(\w+)", server.log[before:])
        assert said == list(reversed(ids))


def test_a_server_that_is_stopped_while_it_brings_networks_back_loses_nothing(tmp_path):
    with Prosperod(tmp_path / "server", *data_in(tmp_path)) as server:
        there = long_journal(server, "long")
        server.kill()
        server.start()
        with Wire(server.target) as wire:
            assert wire.get("long").state == RECOVERING
        assert server.terminate() == 0
        server.start()
        with Wire(server.target) as wire:
            network = wire.await_back("long")
            assert network.cursor.step == there
            assert not network.recovery.HasField("loss")


def test_a_network_that_ran_by_itself_goes_on_by_itself(tmp_path):
    with Prosperod(tmp_path / "server", *data_in(tmp_path)) as server:
        clock = v1.Clock(mode=v1.Clock.MODE_REALTIME, overrun=v1.Clock.OVERRUN_SLOW_DOWN)
        with Wire(server.target) as wire:
            wire.create("timed", v1.Network(spec=nets.small(), clock=clock))
            wire.create("paused", v1.Network(spec=nets.small(), clock=clock))
            request = v1.StartNetworkRequest(name="networks/timed")
            wire.call(wire.networks.StartNetwork, request)
            await_true(lambda: wire.get("timed").cursor.step > 10, "ten steps")
        server.kill()
        server.start()
        with Wire(server.target) as wire:
            back = wire.await_back("timed")
            assert back.state == v1.Network.STATE_RUNNING
            await_true(lambda: wire.get("timed").cursor.step > back.cursor.step, "a step")
            assert wire.await_back("paused").state == v1.Network.STATE_PAUSED
