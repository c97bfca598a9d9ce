"""Files that are damaged while no server looks: what comes back is the same state, or an earlier
one, or none, and then it is said. Never is it another one.

PROSPERO_DAMAGE=all damages every region of every file and every row, not only one of each kind.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

import nets
from damage import Damage, RowDamage, damages, rows, some
from deeds import Maker
from hosting import PATIENCE, Prosperod
from prospero import v1
from wire import State, Wire, reason_in, reason_of

ALL = os.environ.get("PROSPERO_DAMAGE") == "all"
IDS = ("adam", "layers")


@dataclass
class History:
    """A data directory, and all states that its networks were in; the last is what is kept."""

    folder: Path
    states: dict[str, list[State]]
    snapshots: dict[str, bytes]  # by name


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> History:
    """Of a server that was shut down twice, so that there are two checkpoints, and then killed."""
    folder = tmp_path_factory.mktemp("history")
    states: dict[str, list[State]] = {id: [] for id in IDS}
    snapshots: dict[str, bytes] = {}
    server = Prosperod(folder, "--data-dir", "data")
    twin = Prosperod(folder / "twin", "--ephemeral")
    with server, twin, Wire(twin.target) as twin_wire:
        makers: dict[str, Maker] = {}
        for _ in range(3):
            with Wire(server.target) as wire:
                for id in IDS:
                    if id not in makers:
                        network = v1.Network(spec=nets.specs()[id])
                        twin_wire.create(id, network)
                        network.durability = v1.DURABILITY_SYNC
                        wire.create(id, network)
                        makers[id] = Maker(id, wire.schema(id), id)
                        states[id].append(twin_wire.values(id))
                    _live(wire, twin_wire, id, makers[id], states[id])
                    request = v1.CreateSnapshotRequest(network=f"networks/{id}")
                    name = wire.call(wire.states.CreateSnapshot, request).snapshot.name
                    snapshots[name] = wire.export(name)
                    _live(wire, twin_wire, id, makers[id], states[id])
            if len(snapshots) < 3 * len(IDS):
                assert server.terminate() == 0
                server.start()
        server.kill()
    return History(folder / "data", states, snapshots)


def _live(wire: Wire, twin: Wire, id: str, maker: Maker, states: list[State]) -> None:
    """Some frames and orders, on both."""
    for _ in range(6):
        frames = maker.frames()
        for step in range(frames.steps):
            one = frames.part(step, step + 1)
            assert one.do(wire, id) == one.do(twin, id)
            states.append(twin.values(id))
        order = maker.parameter()
        for each in (wire, twin):
            order.do(each, id)
        states.append(twin.values(id))


class Trial:
    """A server on a damaged copy."""

    def __init__(self, history: History, folder: Path, number: int) -> None:
        self.history = history
        self.server = Prosperod(folder / f"{number}", "--data-dir", "data")
        shutil.copytree(history.folder, self.server.folder / "data")

    def findings(self, damage: Damage | RowDamage) -> list[str]:
        """What is wrong with the way in which the server takes it."""
        damage.do(self.server.folder / "data")
        self.server.launch()
        try:
            self.server.await_start()
        except AssertionError:
            assert self.server.process is not None
            if self.server.process.wait(PATIENCE) == 1 and " error " in self.server.log:
                return []
            return [f"died: {self.server.log[-300:]}"]
        try:
            with Wire(self.server.target) as wire:
                found = self._look(wire)
            status = self.server.terminate()
            return found if status == 0 else [*found, f"ended with {status}"]
        finally:
            if self.server.runs():
                self.server.kill()
            shutil.rmtree(self.server.folder / "data")

    def _look(self, wire: Wire) -> list[str]:
        there = {network.name: network for network in wire.all()}
        found = []
        for id in IDS:
            if f"networks/{id}" in there:
                found += self._look_at(wire, id)
            elif not self._is_said():
                found.append(f"{id} is not there, and nothing is said")
        for name, file in self.history.snapshots.items():
            found += self._look_at_snapshot(wire, name, file, there)
        return found

    def _look_at(self, wire: Wire, id: str) -> list[str]:
        network = wire.await_back(id)
        if network.state == v1.Network.STATE_DAMAGED:
            reason = reason_in(network.failure)
            return [] if reason == "NETWORK_DAMAGED" else [f"{id} failed with {reason!r}"]
        states = self.history.states[id]
        state = wire.values(id)
        if state == states[-1]:
            return []
        if state not in states:
            return [f"{id} is in a state in which it never was, at step {state.step}"]
        if network.recovery.HasField("loss") or self._is_said():
            return []
        return [f"{id} is in an earlier state, at step {state.step}, and nothing is said"]

    def _look_at_snapshot(
        self, wire: Wire, name: str, file: bytes, there: dict[str, v1.Network]
    ) -> list[str]:
        if name.partition("/snapshots/")[0] not in there:
            return []
        request = v1.GetSnapshotRequest(name=name, verify=True)
        try:
            snapshot = wire.call(wire.states.GetSnapshot, request).snapshot
        except grpc.RpcError as error:
            reason = reason_of(error)
            if reason in ("NETWORK_DAMAGED", "SNAPSHOT_DAMAGED"):
                return []
            if reason == "SNAPSHOT_NOT_FOUND" and self._is_said():
                return []
            return [f"{name} is not there ({reason}), and nothing is said"]
        if snapshot.HasField("damage") or wire.export(name) == file:
            return []
        return [f"{name} is another file, and nothing is said"]

    def _is_said(self) -> bool:
        """In the log, for the operator."""
        return " warning " in self.server.log or " error " in self.server.log


def trouble(
    history: History, folder: Path, places: Iterable[Damage | RowDamage]
) -> list[str]:
    """Each damage, on a copy of its own, with what is wrong then."""
    found = []
    for number, damage in enumerate(places):
        found += [f"{damage}: {what}" for what in Trial(history, folder, number).findings(damage)]
    return found


def test_without_damage_all_is_there_and_nothing_is_said(history, tmp_path):
    trial = Trial(history, tmp_path, 0)
    (trial.server.folder / "data" / "beside").write_text("nobody's")
    assert trial.findings(Damage("beside", "all of it", "remove")) == []
    assert " warning " not in trial.server.log and " error " not in trial.server.log


@pytest.mark.parametrize("what", ["prospero.db", "prospero.db-wal", "safetensors", "other"])
@pytest.mark.timeout(3600 if ALL else 300)
def test_no_damage_makes_a_state_that_never_was(history, tmp_path, what):
    chance = random.Random(what)
    files = ("prospero.db", "prospero.db-wal", "safetensors")

    def kind(damage: Damage) -> str:
        return next((each for each in reversed(files) if damage.file.endswith(each)), "other")

    places = [each for each in damages(history.folder, chance) if kind(each) == what]
    assert places or what == "other"
    assert trouble(history, tmp_path, places if ALL else some(places, 12, chance)) == []


@pytest.mark.timeout(3600 if ALL else 300)
def test_no_damaged_row_makes_a_state_that_never_was(history, tmp_path):
    copy = tmp_path / "copy"  # whoever opens a database changes its files
    shutil.copytree(history.folder, copy)
    places = rows(copy)
    if not ALL:
        random.Random(1).shuffle(places)
        places = list({row.table: row for row in places}.values())
    assert trouble(history, tmp_path, places) == []
