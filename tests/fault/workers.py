"""Those who work with a server until it is gone, and remember what it has answered."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import grpc

from deeds import Deed, Done, Frames, Maker
from prospero import v1
from wire import Wire, attach, reason_in


class Ended(Exception):
    """The server has refused a frame or ended a stream."""


class Worker(threading.Thread):
    """Does things until `stop`, or until the server ends; an error before `may_fail` is set is
    found by `finish`."""

    def __init__(self, target: str, may_fail: threading.Event) -> None:
        super().__init__(daemon=True)
        self.wire = Wire(target)
        self._may_fail = may_fail
        self._enough = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                self.work()
        except (grpc.RpcError, Ended) as error:
            if not self._may_fail.is_set():
                self._error = error
        except BaseException as error:
            self._error = error
        finally:
            self.wire.close()

    def work(self) -> None:
        """A little of it."""
        raise NotImplementedError

    def finish(self) -> None:
        """Waits for its end, at the next occasion. Raises what went wrong."""
        self._enough.set()
        self.join()
        if self._error is not None:
            raise self._error


class Trainer(Worker):
    """Drives one LOCKSTEP network and gives it orders, one after the other: `done` in the order of
    their effect, and then, not answered yet, `pending`."""

    def __init__(self, target: str, may_fail: threading.Event, id: str, maker: Maker) -> None:
        super().__init__(target, may_fail)
        self.id = id
        self.done: list[Done] = []
        self.pending: deque[Deed] = deque()
        self.clones: list[str] = []  # ids; those that were answered
        self.epoch = 0  # the last that was answered
        self._maker = maker

    def work(self) -> None:
        if self._maker.pick(10) < 6:
            self._drive(count=1 + self._maker.pick(20), ahead=1 + self._maker.pick(4))
            return
        order = self._maker.order()
        self.pending.append(order)
        answer = order.do(self.wire, self.id)
        self._answered(answer)
        if order.method == "CreateSnapshot":
            self._maker.snapshots.append(order.request.snapshot_id)
        elif order.method == "CloneNetwork":
            self.clones.append(order.request.network_id)
        else:
            self.epoch = answer.network.cursor.epoch

    def _answered(self, answer: Any) -> None:
        self.done.append(Done(self.pending.popleft(), answer))

    def _drive(self, count: int, ahead: int) -> None:
        with Driver(self.wire, self.id) as driver:
            for _ in range(count):
                frames = self._maker.frames()
                self.pending.append(frames)
                driver.send(frames)
                if len(self.pending) >= ahead:
                    self._take(driver)
            while self.pending:
                self._take(driver)

    def _take(self, driver: Driver) -> None:
        advanced = driver.take()
        self.epoch = advanced.cursor.epoch
        self._answered([block.data for block in advanced.outputs])


class Driver:
    """The closed loop with a network; frames go out and answers come when the caller says."""

    def __init__(self, wire: Wire, id: str, inputs: Iterable[str] = ()) -> None:
        self._requests: queue.SimpleQueue[v1.DriveRequest | None] = queue.SimpleQueue()
        self._requests.put(attach(id, inputs, []))
        self._answers = wire.simulation.Drive(iter(self._requests.get, None))
        self._uids: dict[str, int] = {}

    def __enter__(self) -> Driver:
        attached = self.answer().attached
        self._uids = {variable.name: variable.uid for variable in attached.inputs}
        self.cursor = attached.cursor
        return self

    def send(self, frames: Frames, at_step: int | None = None) -> None:
        advance = v1.DriveAdvance(steps=frames.steps, at_step=at_step)
        for name, rows in frames.rows.items():
            advance.inputs.add(uid=self._uids[name], data=rows.tobytes())
        self._requests.put(v1.DriveRequest(advance=advance))

    def take(self) -> v1.DriveAdvanced:
        """The next answer. Raises Ended for one that refuses."""
        response = self.answer()
        if response.WhichOneof("message") == "error":
            raise Ended(f"{reason_in(response.error.status)}: {response.error.status.message}")
        return response.advanced

    def answer(self) -> v1.DriveResponse:
        """The next one, also when it is an error."""
        for response in self._answers:
            if response.WhichOneof("message") != "notice":
                return response
        raise Ended("the stream has ended")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._requests.put(None)
        if error is not None:
            self._answers.cancel()
            return
        for _ in self._answers:
            pass


class Registrar(Worker):
    """Makes networks and deletes them, by calls that can be repeated. A network's id is the
    server's choice, so only its label tells which call has made it."""

    def __init__(
        self, target: str, may_fail: threading.Event, spec: v1.NetworkSpec, name: str
    ) -> None:
        super().__init__(target, may_fail)
        self.made: dict[str, tuple[v1.CreateNetworkRequest, v1.CreateNetworkResponse | None]] = {}
        self.deleted: set[str] = set()  # labels whose deletion was answered
        self.deleting: str | None = None
        self._alive: deque[tuple[str, str]] = deque()  # label and id, the oldest first
        self._spec = spec
        self._name = name

    def work(self) -> None:
        label = f"{self._name}-{len(self.made)}"
        request = v1.CreateNetworkRequest(
            network=v1.Network(spec=self._spec, labels={"by": label}), request_id=label
        )
        self.made[label] = (request, None)
        answer = self.wire.call(self.wire.networks.CreateNetwork, request)
        self.made[label] = (request, answer)
        self._alive.append((label, answer.network.name.removeprefix("networks/")))
        if len(self._alive) > 8:
            self.deleting, id = self._alive.popleft()
            self.wire.delete(id)
            self.deleted.add(self.deleting)
            self.deleting = None

    def check(self, wire: Wire) -> None:
        """After a restart: what was answered has happened, what was not has happened wholly or not
        at all, and repeated it has happened once. All of them are deleted."""
        before = _by_label(wire)
        for label, (request, answer) in self.made.items():
            gone = label in self.deleted
            if answer is not None and label != self.deleting:
                assert (label in before) != gone, f"{label} was {'deleted' if gone else 'made'}"
            if gone or label == self.deleting:
                continue
            again = [wire.call(wire.networks.CreateNetwork, request) for _ in range(2)]
            assert again[0].network.uid == again[1].network.uid
            if answer is not None:
                assert again[0] == answer, "the first answer comes again"
        after = _by_label(wire)
        for label in self.made:
            assert len(after.get(label, [])) <= 1, f"{label} has happened twice"
            for id in after.get(label, []):
                wire.delete(id)


def _by_label(wire: Wire) -> dict[str, list[str]]:
    """Ids of networks by the label that says who made them."""
    found: dict[str, list[str]] = {}
    for network in wire.all():
        if label := network.labels.get("by"):
            found.setdefault(label, []).append(network.name.removeprefix("networks/"))
    return found


def run_until(workers: Sequence[Worker], end: Callable[[], None]) -> None:
    """Lets them work until `end` has ended the server."""
    for worker in workers:
        worker.start()
    end()
    for worker in workers:
        worker.finish()
