"""What is done to a network, and who does it to the twin that nobody disturbs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from prospero import v1
from wire import State, Wire, tensor

Rows = Mapping[str, np.ndarray]  # of each input, by name: a row for each step


@dataclass(frozen=True)
class Frames:
    """Steps of one message, with a row of each input for each of them."""

    steps: int
    rows: Rows

    def part(self, first: int, last: int) -> Frames:
        """Steps first, ..., last - 1 of it."""
        return Frames(last - first, {name: row[first:last] for name, row in self.rows.items()})

    def do(self, wire: Wire, id: str) -> list[bytes]:
        """The outputs, as the answer of a driver has them."""
        answer = wire.step(id, self.steps, self.rows)
        return [answer.outputs[name].data for name in sorted(answer.outputs)]


@dataclass(frozen=True)
class Order:
    """A call that changes a network or takes something from it. It can be repeated."""

    service: str  # of Wire
    method: str
    request: Any

    def do(self, wire: Wire, id: str) -> Any:
        return wire.call(getattr(getattr(wire, self.service), self.method), self.request)


Deed = Union[Frames, Order]


@dataclass(frozen=True)
class Done:
    """A deed that has happened."""

    deed: Deed
    answer: Any  # None: it is not known


class Twin:
    """The network of the same name on a server that nobody disturbs: it gets, of what another one
    was sent, what that one has taken in."""

    def __init__(self, wire: Wire, id: str) -> None:
        self._wire = wire
        self._id = id

    def state(self) -> State:
        return self._wire.state(self._id)

    def described(self) -> v1.Network:
        return self._wire.get(self._id)

    def follow(self, done: Sequence[Done]) -> None:
        """All of it. Answers to frames must be the same, bit for bit."""
        for each in done:
            answer = each.deed.do(self._wire, self._id)
            if isinstance(each.deed, Frames) and each.answer is not None:
                assert answer == each.answer, f"{self._id}: the outputs differ"

    def wish_learning(self, learning: bool) -> None:
        request = v1.UpdateNetworkRequest(
            network=v1.Network(name=f"networks/{self._id}", learning=learning)
        )
        request.update_mask.paths.append("learning")
        self._wire.call(self._wire.networks.UpdateNetwork, request)

    def catch_up(self, deeds: Sequence[Deed], there: State, but: str = "") -> int:
        """As many of the deeds, in their order, as make it the same as `there`, perhaps a part of
        the last one; the variable named `but` may differ. Returns how many were done whole. Fails
        when there is no such number."""
        tried: list[list[str]] = []
        for count, deed in enumerate(deeds):
            if self._is_at(there, but, tried):
                return count
            if not isinstance(deed, Frames):
                deed.do(self._wire, self._id)
                continue
            ahead = there.step - self._step()
            first = ahead if 0 < ahead < deed.steps else 0
            if first > 0:
                deed.part(0, first).do(self._wire, self._id)
                if self._is_at(there, but, tried):
                    return count
            deed.part(first, deed.steps).do(self._wire, self._id)
        assert self._is_at(there, but, tried), (
            f"{self._id} is at step {there.step} and in no state that it can be in; "
            f"compared with those of {len(deeds)} deeds: {tried[-3:] or 'none had that step'}"
        )
        return len(deeds)

    def _step(self) -> int:
        return self._wire.get(self._id).cursor.step

    def _is_at(self, there: State, but: str, tried: list[list[str]]) -> bool:
        if self._step() != there.step:
            return False
        differences = [name for name in self.state().differences(there) if name != but]
        tried.append(differences)
        return not differences


class Maker:
    """Draws deeds for one network, always the same ones for the same seed."""

    def __init__(self, id: str, schema: Sequence[v1.VariableSchema], seed: str) -> None:
        self._name = f"networks/{id}"
        self._id = id
        self._chance = random.Random(seed)
        self._numbers = np.random.default_rng(self._chance.getrandbits(64))
        self._inputs = [v for v in schema if v.name in ("input.r", "output.target", "hidden.w")]
        self._rates = [v for v in schema if v.name.endswith((".eta", ".sigma", ".beta"))]
        self._weights = [v for v in schema if v.name.endswith((".W", ".b"))]
        self._count = 0
        self.snapshots: list[str] = []  # their ids; those that were answered

    def frames(self) -> Frames:
        """One to nine steps; the input always, the target and the noise now and then."""
        steps = self._chance.choice((1, 1, 1, 2, 5, 9))
        rows = {}
        for variable in self._inputs:
            if variable.name == "input.r" or self._chance.random() < 0.4:
                rows[variable.name] = self._values(variable, steps)
        return Frames(steps, rows)

    def targets(self) -> Frames:
        """One to nine steps with a target."""
        steps = self._chance.choice((1, 2, 5, 9))
        return Frames(steps, {"output.target": self._values(self._named("output.target"), steps)})

    def input(self) -> np.ndarray:
        """Of one step."""
        return self._values(self._named("input.r"))

    def order(self) -> Order:
        """One of the calls; a snapshot is put back only when there is one."""
        kinds: list[tuple[int, Callable[[], Order]]] = [
            (4, self.parameter),
            (2, self._weight),
            (2, self._learning),
            (2, self._labels),
            (1, self._reset),
            (1, self._clone),
            (2, self.snapshot),
            (2 if self.snapshots else 0, self._restore),
        ]
        weights = [weight for weight, _ in kinds]
        return self._chance.choices([make for _, make in kinds], weights)[0]()

    def pick(self, count: int) -> int:
        return self._chance.randrange(count)

    def snapshot(self) -> Order:
        self._count += 1
        request = v1.CreateSnapshotRequest(
            network=self._name,
            snapshot_id=f"s{self._chance.getrandbits(48):x}x{self._count}",
            request_id=self._request_id(),
        )
        return Order("states", "CreateSnapshot", request)

    def speed(self) -> Order:
        """Of a REALTIME clock."""
        clock = v1.Clock(
            mode=v1.Clock.MODE_REALTIME,
            overrun=v1.Clock.OVERRUN_SLOW_DOWN,
            speed=self._chance.uniform(0.5, 2.0),
        )
        return self._update(v1.Network(name=self._name, clock=clock), "clock")

    def _labels(self) -> Order:
        labels = {"drawn": f"{self._chance.getrandbits(32)}"}
        return self._update(v1.Network(name=self._name, labels=labels), "labels")

    def _clone(self) -> Order:
        request = v1.CloneNetworkRequest(
            name=self._name,
            network_id=f"{self._id}-{self._chance.getrandbits(48):x}",
            request_id=self._request_id(),
        )
        return Order("networks", "CloneNetwork", request)

    def _restore(self) -> Order:
        snapshot = self._chance.choice(self.snapshots)
        request = v1.RestoreSnapshotRequest(
            name=f"{self._name}/snapshots/{snapshot}", request_id=self._request_id()
        )
        return Order("states", "RestoreSnapshot", request)

    def _reset(self) -> Order:
        scopes = self._chance.choice(
            (
                [],
                [v1.RESET_SCOPE_STATE],
                [v1.RESET_SCOPE_WEIGHTS],
                [v1.RESET_SCOPE_NOISE, v1.RESET_SCOPE_STEP],
            )
        )
        request = v1.ResetNetworkRequest(
            name=self._name, scopes=scopes, request_id=self._request_id()
        )
        if self._chance.random() < 0.5:
            request.seed = self._chance.getrandbits(32)
        return Order("networks", "ResetNetwork", request)

    def parameter(self) -> Order:
        return self._set(self._chance.choice(self._rates))

    def _weight(self) -> Order:
        return self._set(self._chance.choice(self._weights))

    def _set(self, variable: v1.VariableSchema) -> Order:
        order = self._update(v1.Network(name=self._name))
        order.request.parameters[variable.name].CopyFrom(tensor(self._values(variable)))
        return order

    def _learning(self) -> Order:
        learning = self._chance.random() < 0.5
        return self._update(v1.Network(name=self._name, learning=learning), "learning")

    def _update(self, network: v1.Network, *mask: str) -> Order:
        request = v1.UpdateNetworkRequest(network=network, request_id=self._request_id())
        request.update_mask.paths.extend(mask)
        request.update_mask.SetInParent()
        return Order("networks", "UpdateNetwork", request)

    def _values(self, variable: v1.VariableSchema, *rows: int) -> np.ndarray:
        """Small and not negative, so that every variable may have them."""
        shape = (*rows, *variable.shape)
        kind = np.float64 if variable.data_type == v1.DATA_TYPE_FLOAT64 else np.float32
        return self._numbers.uniform(0.0, 0.1, shape).astype(kind)

    def _named(self, name: str) -> v1.VariableSchema:
        return next(variable for variable in self._inputs if variable.name == name)

    def _request_id(self) -> str:
        return f"{self._id}-{self._chance.getrandbits(64):016x}"
