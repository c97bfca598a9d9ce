"""Rows of the database that are damaged while no server looks: what else has the same is used, and
what may be all that is left of a network stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import nets
import prospero
from damage import rows
from hosting import Prosperod
from prospero import v1
from wire import Wire, reason_in

ID = "adam"


@pytest.fixture
def server(tmp_path) -> Iterator[Prosperod]:
    with Prosperod(tmp_path, "--data-dir", "data") as server:
        yield server


def live(server: Prosperod, id: str = ID) -> v1.Network:
    """Makes a network that learns."""
    with Wire(server.target) as wire:
        spec = nets.specs()[id]
        network = wire.create(id, v1.Network(spec=spec, durability=v1.DURABILITY_SYNC))
        step(wire, id)
    return network


def step(wire: Wire, id: str = ID) -> None:
    wire.step(id, 20, {"input.r": np.linspace(-1, 1, 4, dtype=np.float32)[None]})


def damage_row(server: Prosperod, table: str, uid: str) -> None:
    data = server.folder / "data"
    (row,) = (row for row in rows(data) if (row.table, row.uid) == (table, uid))
    row.do(data)


def files_of(server: Prosperod, uid: str) -> list[str]:
    return sorted(str(path) for path in (server.folder / "data" / "blobs").rglob(f"*{uid}*/*"))


@pytest.mark.parametrize("kept_in", ["a checkpoint", "a snapshot"])
def test_a_spec_that_is_lost_is_taken_from_a_file(server, kept_in):
    uid = live(server).uid
    with Wire(server.target) as wire:
        if kept_in == "a snapshot":
            request = v1.CreateSnapshotRequest(network=f"networks/{ID}")
            wire.call(wire.states.CreateSnapshot, request)
            step(wire)
        state = wire.values(ID)
    if kept_in == "a checkpoint":
        assert server.terminate() == 0
    else:
        server.kill()
    damage_row(server, "specs", uid)
    for says in (True, False):
        server.start()
        with Wire(server.target) as wire:
            network = wire.await_back(ID)
            assert network.state == v1.Network.STATE_RUNNING
            assert not network.recovery.HasField("loss")
            assert wire.values(ID) == state
        assert ("the spec of the network" in server.log) is says
        assert server.terminate() == 0
        (server.folder / "log").unlink()


def test_a_network_whose_spec_is_nowhere_says_that_it_is_damaged(server):
    uid = live(server).uid
    server.kill()
    damage_row(server, "specs", uid)
    server.start()
    with Wire(server.target) as wire:
        network = wire.await_back(ID)
        assert network.state == v1.Network.STATE_DAMAGED
        assert reason_in(network.failure) == "NETWORK_DAMAGED"
        assert "spec" in network.failure.message


def test_files_of_a_network_that_is_lost_stay_and_can_be_imported(server):
    uid = live(server).uid
    live(server, "layers")
    with Wire(server.target) as wire:
        state = wire.values(ID)
    assert server.terminate() == 0
    damage_row(server, "networks", uid)
    for _ in range(2):  # The second start finds nothing wrong any more.
        server.start()
        with Wire(server.target) as wire:
            wire.await_back("layers")
            assert [network.name for network in wire.all()] == ["networks/layers"]
        assert server.terminate() == 0
    (checkpoint,) = files_of(server, uid)

    server.start()
    with prospero.Client(server.target) as client, Wire(server.target) as wire:
        network = client.create_network(nets.specs()[ID], ID)
        network.restore(network.import_snapshot(checkpoint))
        assert wire.values(ID) == state
    assert server.terminate() == 0

    for damaged in (server.folder / "data").glob("prospero.db.damaged-*"):
        damaged.unlink()
    server.start()
    with Wire(server.target) as wire:
        wire.await_back("layers")
    assert files_of(server, uid) == []
