"""A network that runs by itself, with a driver and a sensor who say in which step their frames take
effect; so a twin in LOCKSTEP can make the same steps afterwards."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field, replace

import grpc
import numpy as np

from deeds import Frames, Maker, Order
from prospero import v1
from wire import State, Wire, info_of, reason_in
from workers import Driver, Ended, Worker

INPUT, TARGET = "input.r", "output.target"


@dataclass
class Run:
    """From one start to the next pause: what was sent, by the step that it is for."""

    begin: int
    targets: dict[int, Frames] = field(default_factory=dict)
    inputs: dict[int, np.ndarray] = field(default_factory=dict)  # each holds until the next
    answered: int = -1  # all before this step is answered
    end: int | None = None  # where it was paused

    def cut(self, step: int) -> Run:
        """Of what was sent, only what is for earlier steps."""
        targets = {
            at: frames.part(0, min(frames.steps, step - at))
            for at, frames in self.targets.items()
            if at < step
        }
        inputs = {at: values for at, values in self.inputs.items() if at < step}
        return replace(self, targets=targets, inputs=inputs)

    def cuts(self) -> list[int]:
        """The steps from the last answer on at which another cut makes another run."""
        steps = {at + k for at, frames in self.targets.items() for k in range(frames.steps + 1)}
        steps |= {at + 1 for at in self.inputs}
        return sorted({max(step, self.answered, self.begin) for step in steps | {self.begin}})

    def replay(self, wire: Wire, id: str, end: int) -> None:
        """Makes its steps, up to `end`."""
        bounds = {self.begin, end, *self.inputs}
        for at, frames in self.targets.items():
            bounds |= {at, at + frames.steps}
        steps = sorted(step for step in bounds if self.begin <= step <= end)
        for first, last in zip(steps, steps[1:]):
            given = {INPUT: self.inputs[first]} if first in self.inputs else {}
            for at, frames in self.targets.items():
                if at <= first < at + frames.steps:
                    given[TARGET] = frames.part(first - at, last - at).rows[TARGET]
            wire.step(id, last - first, given)


class Runner(Worker):
    """Orders while the network is paused, frames while it runs: `done`, and what was `begun`."""

    def __init__(
        self, target: str, may_fail: threading.Event, id: str, maker: Maker, lead: int, feeds: bool
    ) -> None:
        super().__init__(target, may_fail)
        self.id = id
        self.done: list[Order | Run] = []
        self.begun: Order | Run | None = None
        self.speeds = [self.wire.get(id).clock.speed]  # that may have been wished last
        self._name = f"networks/{id}"
        self._maker = maker
        self._lead = lead  # [steps], between sending and taking effect
        self._feeds = feeds

    def work(self) -> None:
        order = self._maker.parameter()
        self.begun = order
        order.do(self.wire, self.id)
        self._finished()
        if self._feeds:
            self._change_speed()
        self.begun = run = Run(self.wire.get(self.id).cursor.step)
        self.wire.call(self.wire.networks.StartNetwork, v1.StartNetworkRequest(name=self._name))
        if self._feeds:
            with Sensor(self.wire, self._name, run, self._maker, self._lead) as sensor:
                self._drive(run, sensor)
        else:
            self._drive(run, None)
        paused = self.wire.call(
            self.wire.networks.PauseNetwork, v1.PauseNetworkRequest(name=self._name)
        )
        run.end = run.answered = paused.network.cursor.step
        self._finished()

    def _change_speed(self) -> None:
        order = self._maker.speed()
        self.speeds.append(order.request.network.clock.speed)
        order.do(self.wire, self.id)
        del self.speeds[:-1]

    def _finished(self) -> None:
        assert self.begun is not None
        self.done.append(self.begun)
        self.begun = None

    def _drive(self, run: Run, sensor: Sensor | None) -> None:
        with Driver(self.wire, self.id, [TARGET]) as driver:
            at = driver.cursor.step + self._lead
            for _ in range(2 + self._maker.pick(10)):
                if sensor is not None:
                    sensor.push(at)
                frames = self._maker.targets()
                run.targets[at] = frames
                driver.send(frames, at)
                at = self._take(run, driver, at) + self._lead

    def _take(self, run: Run, driver: Driver, at: int) -> int:
        """The step where the network stands; one that came too late for its step is not in."""
        answer = driver.answer()
        if answer.WhichOneof("message") == "advanced":
            assert answer.advanced.cursor.step == at + run.targets[at].steps
            run.answered = answer.advanced.cursor.step
            return run.answered
        if reason_in(answer.error.status) != "STEP_MISMATCH":
            raise Ended(answer.error.status.message)
        del run.targets[at]
        return answer.error.cursor.step


class Sensor:
    """Feeds the input, one frame for each call of `push`. When one comes too late, or the server
    shuts down, it ends, and those that had no effect are taken out of the run."""

    def __init__(self, wire: Wire, network: str, run: Run, maker: Maker, lead: int) -> None:
        self._requests: queue.SimpleQueue[v1.FeedRequest | None] = queue.SimpleQueue()
        self._wire, self._run, self._maker, self._lead = wire, run, maker, lead
        self._open = v1.FeedOpen(network=network, input=INPUT, late=v1.FeedOpen.LATE_REFUSE)

    def __enter__(self) -> Sensor:
        self._requests.put(v1.FeedRequest(open=self._open))
        self._answer = self._wire.simulation.Feed.future(iter(self._requests.get, None))
        return self

    def push(self, at: int) -> None:
        """For a step some way before `at`, where the driver's next frame takes effect."""
        if self._answer.done():
            return
        step = at - 1 - self._maker.pick(self._lead // 4)
        values = self._maker.input()
        self._run.inputs[step] = values
        frame = v1.FeedFrame(data=values.tobytes(), at_step=step)
        self._requests.put(v1.FeedRequest(frame=frame))

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._requests.put(None)
        try:
            self._answer.result()
        except grpc.RpcError as ended:
            info = info_of(ended)
            if error is None and info.reason != "FRAME_LATE":
                raise
            if not info.reason:
                return  # The server is gone.
            last = int(info.metadata.get("last_applied_step", -1))
            for step in [step for step in self._run.inputs if step > last]:
                del self._run.inputs[step]


def catch_up(twin: Wire, worker: Runner, there: State) -> None:
    """Lets the twin do what is done, and of what was begun as much as makes it the same as `there`,
    where the network is paused. Fails when it cannot be made so."""
    id = worker.id
    for each in worker.done:
        if isinstance(each, Order):
            each.do(twin, id)
        else:
            assert each.end is not None
            each.replay(twin, id, each.end)
    if twin.state(id) == there:
        return
    tried = []
    if isinstance(worker.begun, Order):
        worker.begun.do(twin, id)
        tried.append(twin.state(id).differences(there))
    elif worker.begun is not None:
        for cut in reversed(worker.begun.cuts()):
            run = worker.begun.cut(cut)
            if not (differences := _attempt(twin, id, run, there)):
                run.replay(twin, id, there.step)
                return
            tried.append(differences)
    assert tried and not tried[-1], (
        f"{id} is at step {there.step} and in no state that it can be in; compared: "
        f"{min(tried, key=len, default='none')}, begun: {worker.begun}"
    )


def _attempt(twin: Wire, id: str, run: Run, there: State) -> list[str]:
    """What differs when a copy of the twin makes these steps."""
    copy = f"{id}-attempt"
    twin.call(
        twin.networks.CloneNetwork, v1.CloneNetworkRequest(name=f"networks/{id}", network_id=copy)
    )
    try:
        run.replay(twin, copy, there.step)
        return twin.state(copy).differences(there)
    finally:
        twin.delete(copy)
