"""A server that is killed again and again loses nothing that it has acknowledged, and every network
is, bit for bit, what it is on a server that nobody has disturbed.

PROSPERO_KILLS says how often; PROSPERO_KILL_SEED draws other deeds and moments.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import nets
import runner
from deeds import Deed, Done, Frames, Maker, Twin
from hosting import Prosperod
from prospero import v1
from runner import Runner
from wire import Wire
from workers import Registrar, Trainer, run_until

KILLS = int(os.environ.get("PROSPERO_KILLS", "12"))
SEED = os.environ.get("PROSPERO_KILL_SEED", "1")

# Networks that run by themselves: their clock, the steps between sending and taking effect, and
# whether a sensor feeds them.
RUNNERS = {
    "timed": (v1.Clock(mode=v1.Clock.MODE_REALTIME, overrun=v1.Clock.OVERRUN_SLOW_DOWN), 200, True),
    "free": (v1.Clock(mode=v1.Clock.MODE_FREE), 4000, False),
}


class Scene:
    """The server that is killed, the one that is not, and the same networks on both."""

    def __init__(self, folder: Path, durability: v1.Durability, runners: bool = True) -> None:
        self.server = Prosperod(folder / "killed", "--data-dir", "data", "--max-snapshots", "1000")
        self.twin = Prosperod(folder / "twin", "--ephemeral", "--max-snapshots", "1000")
        self.durability = durability
        self.chance = random.Random(f"{SEED} {durability}")
        self.makers: dict[str, Maker] = {}
        self.runner_ids = list(RUNNERS) if runners else []
        self.counts = {"deeds": 0, "in flight": 0, "of them kept": 0}

    def __enter__(self) -> Scene:
        self.server.start()
        self.twin.start()
        self.twin_wire = Wire(self.twin.target)
        specs = nets.specs()
        specs |= {"timed": nets.small(), "free": nets.large()}
        with Wire(self.server.target) as wire:
            for id, spec in specs.items():
                if id in RUNNERS and id not in self.runner_ids:
                    continue
                clock = RUNNERS[id][0] if id in RUNNERS else None
                wire.create(id, v1.Network(spec=spec, clock=clock, durability=self.durability))
                self.twin_wire.create(id, v1.Network(spec=spec))
                self.makers[id] = Maker(id, wire.schema(id), f"{SEED} {id}")
        return self

    def __exit__(self, *error: object) -> None:
        self.twin_wire.close()
        self.twin.__exit__(None, None, None)
        self.server.__exit__(None, None, None)

    @property
    def trained(self) -> list[str]:
        return [id for id in self.makers if id not in RUNNERS]

    def work(self, number: int) -> tuple[list[Trainer], list[Runner], Registrar]:
        """Everybody works until the server is gone."""
        target, may_fail = self.server.target, threading.Event()
        trainers = [Trainer(target, may_fail, id, self.makers[id]) for id in self.trained]
        runners = [
            Runner(target, may_fail, id, self.makers[id], *RUNNERS[id][1:])
            for id in self.runner_ids
        ]
        registrar = Registrar(target, may_fail, nets.small(), f"round-{number}")
        moment = self.chance.uniform(0.05, 1.0)
        in_shutdown = self.chance.random() < 0.25
        self.is_new_epoch = not in_shutdown  # a shutdown may be complete before the kill

        def end() -> None:
            time.sleep(moment)
            may_fail.set()
            if in_shutdown:
                self.server.signal(signal.SIGTERM)
                time.sleep(self.chance.uniform(0.0, 0.15))
            self.server.kill()

        run_until([*trainers, *runners, registrar], end)
        return trainers, runners, registrar

    def restart(self) -> None:
        """Sometimes it is killed again before it has brought everything back."""
        while self.chance.random() < 0.3:
            self.server.launch()
            time.sleep(self.chance.uniform(0.0, 0.3))
            self.server.kill()
        self.server.start()

    def check_trained(self, wire: Wire, worker: Trainer) -> None:
        id, twin = worker.id, Twin(self.twin_wire, worker.id)
        network = wire.await_back(id)
        assert not network.recovery.HasField("loss"), network.recovery.loss.message
        assert network.cursor.epoch >= worker.epoch + self.is_new_epoch, "a kill can be seen"
        self.repeat(wire, worker)
        done = [each.deed for each in worker.done]
        waiting = list(worker.pending)
        there = wire.state(id)
        if self.durability == v1.DURABILITY_SYNC:
            twin.follow(worker.done)
            kept = twin.catch_up(waiting, there)
        else:
            wish = there.values["learning"]
            kept = twin.catch_up(done + waiting, there, but="learning")
            # Of a NONE network the wish is kept, and may be newer than the rest.
            twin.wish_learning(wish != bytes(len(wish)))
            assert twin.state().differences(there) == []
        self.counts["deeds"] += len(done)
        self.counts["in flight"] += len(waiting)
        self.counts["of them kept"] += kept
        if self.durability == v1.DURABILITY_SYNC:
            self.check_snapshots(wire, worker)
            self.check_clones(wire, worker)
            network = wire.get(id)
            check_wishes(network, twin.described(), waiting)
            self.twin_wire.relabel(id, network.labels)

    def repeat(self, wire: Wire, worker: Trainer) -> None:
        """Of a call that was not answered one can only know by repeating it: then it has happened
        once, and answers twice the same."""
        if not worker.pending or isinstance(order := worker.pending[0], Frames):
            return
        if self.durability != v1.DURABILITY_SYNC or self.chance.random() < 0.5:
            return
        worker.pending.popleft()
        answer = order.do(wire, worker.id)
        assert order.do(wire, worker.id) == answer
        if order.method == "CreateSnapshot":
            self.makers[worker.id].snapshots.append(order.request.snapshot_id)
        elif order.method == "CloneNetwork":
            worker.clones.append(order.request.network_id)
        worker.done.append(Done(order, answer))

    def check_snapshots(self, wire: Wire, worker: Trainer) -> None:
        """Those that were answered are there, and what they were; the oldest are deleted."""
        name, ids = f"networks/{worker.id}", self.makers[worker.id].snapshots
        listed = wire.snapshots(worker.id)
        assert set(ids) <= set(listed)
        for id in set(listed) - set(ids[-2:]):
            request = v1.DeleteSnapshotRequest(name=f"{name}/snapshots/{id}")
            wire.call(wire.states.DeleteSnapshot, request)
        del ids[:-2]
        for id in ids[-1:]:
            snapshot = f"{name}/snapshots/{id}"
            there, here = (each.exported(snapshot) for each in (wire, self.twin_wire))
            assert there.differences(here) == []

    def check_clones(self, wire: Wire, worker: Trainer) -> None:
        """Those that were answered are there, and what they were; all of them are deleted."""
        for id in worker.clones:
            assert wire.state(id).differences(self.twin_wire.state(id)) == []
        for each in (wire, self.twin_wire):
            for id in [network.name.removeprefix("networks/") for network in each.all()]:
                if id.startswith(f"{worker.id}-"):
                    each.delete(id)

    def check_running(self, wire: Wire, worker: Runner) -> None:
        request = v1.PauseNetworkRequest(name=f"networks/{worker.id}")
        network = wire.call(wire.networks.PauseNetwork, request).network
        assert not network.recovery.HasField("loss"), network.recovery.loss.message
        assert network.clock.mode == RUNNERS[worker.id][0].mode
        assert network.clock.speed in worker.speeds
        runner.catch_up(self.twin_wire, worker, wire.state(worker.id))

    def go_on(self) -> None:
        """Further frames have the same answers on both sides."""
        with Wire(self.server.target) as wire:
            for id in self.trained:
                for _ in range(5):
                    frames = self.makers[id].frames()
                    assert frames.do(wire, id) == frames.do(self.twin_wire, id)


def check_wishes(network: v1.Network, twin: v1.Network, waiting: Sequence[Deed]) -> None:
    """What is wished of a network is as it was answered, or as a call on its way wishes it."""
    wishes = [twin]
    for deed in waiting:
        if not isinstance(deed, Frames) and deed.method == "UpdateNetwork":
            wishes.append(deed.request.network)
    assert network.labels in [wish.labels for wish in wishes]
    assert network.learning in [wish.learning for wish in wishes]


@pytest.fixture
def sync(tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path, v1.DURABILITY_SYNC) as scene:
        yield scene


@pytest.mark.timeout(60 + 20 * KILLS)
def test_nothing_that_was_acknowledged_is_lost_by_kills(sync):
    for number in range(KILLS):
        trainers, runners, registrar = sync.work(number)
        sync.restart()
        with Wire(sync.server.target) as wire:
            for trainer in trainers:
                sync.check_trained(wire, trainer)
            for one in runners:
                sync.check_running(wire, one)
            registrar.check(wire)
        sync.go_on()
    for what, count in sync.counts.items():
        print(what, count)
    assert sync.counts["deeds"] > KILLS


@pytest.mark.parametrize("durability", [v1.DURABILITY_ASYNC, v1.DURABILITY_NONE])
@pytest.mark.timeout(60 + 10 * KILLS)
def test_what_is_left_by_a_kill_was_so_at_some_time_before(tmp_path, durability):
    for number in range(max(2, KILLS // 4)):
        with Scene(tmp_path / f"{number}", durability, runners=False) as scene:
            scene.chance.seed(f"{SEED} {durability} {number}")
            trainers, _, _ = scene.work(number)
            scene.restart()
            with Wire(scene.server.target) as wire:
                for trainer in trainers:
                    scene.check_trained(wire, trainer)
            scene.go_on()


def test_a_shutdown_keeps_every_step_of_every_network(tmp_path):
    with Scene(tmp_path, v1.DURABILITY_NONE, runners=False) as scene:
        with Wire(scene.server.target) as wire:
            for id in scene.trained:
                for _ in range(10):
                    frames = scene.makers[id].frames()
                    assert frames.do(wire, id) == frames.do(scene.twin_wire, id)
            epochs = {id: wire.get(id).cursor.epoch for id in scene.trained}
        assert scene.server.terminate() == 0
        scene.server.start()
        with Wire(scene.server.target) as wire:
            for id in scene.trained:
                network = wire.await_back(id)
                assert network.cursor.epoch == epochs[id], "nobody can have seen another state"
                assert wire.state(id).differences(scene.twin_wire.state(id)) == []
        scene.go_on()
