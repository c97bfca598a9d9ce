"""From arrays to the frames of a drive, and from its answers to arrays."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Union

import numpy as np
import numpy.typing as npt

from prospero import v1
from prospero._arrays import Array, as_numbers, rows_of
from prospero.errors import InvalidArgument, invalid
from prospero.latency import Latency, latencies_from
from prospero.values import Advanced, Variable, cursor_from, variable_from

Inputs = Mapping[str, Union[npt.ArrayLike, None]]

_CHUNK_BYTES = 256 * 1024
_CHUNK_STEPS = 1000
REPORT_EVERY = 1.0
"""Seconds between two reports of latency that a drive asks for."""


class Frame(NamedTuple):
    """Values of one input variable: `values` is [rows, *shape], packed, of its dtype."""

    variable: Variable
    values: Array


class Pending(NamedTuple):
    """What must be known of an advance when its answer comes."""

    tag: int
    single: bool
    """A single step, whose outputs have no axis for the steps."""


class Ports:
    """The input variables of a network, by name or by the name of their population."""

    def __init__(self, inputs: Iterable[Variable]) -> None:
        self._by_name = {variable.name: variable for variable in inputs}
        for variable in list(self._by_name.values()):
            population, _, part = variable.name.rpartition(".")
            if part in ("r", "target"):
                self._by_name.setdefault(population, variable)

    def __getitem__(self, name: str) -> Variable:
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(sorted(self._by_name)) or "none"
            raise InvalidArgument(f"no input {name!r} here, there are: {known}") from None

    def frames(self, inputs: Inputs | None, steps: int | None) -> tuple[list[Frame], int, bool]:
        """The frames of one advance, its number of steps, and whether it is a single step
        whose outputs shall have no axis for the steps. None stands for no frame."""
        given = {name: value for name, value in (inputs or {}).items() if value is not None}
        frames, counts = [], {}
        for name, value in given.items():
            variable = self[name]
            array = as_numbers(value, variable.dtype, name)
            counts[name] = rows_of(array, variable.shape, name)
            frames.append(Frame(variable, array.reshape((counts[name] or 1, *variable.shape))))
        single = steps is None and not any(counts.values())
        total = steps if steps is not None else max((c or 1 for c in counts.values()), default=1)
        for name, count in counts.items():
            if count not in (None, 1, total):
                raise invalid(name, f"has {count} rows for {total} steps")
        return frames, total, single


class Series:
    """Inputs for many steps, to be cut into pieces.

    An array is one value for all steps, or [T, *shape]. A sequence with None in it has no
    frame in those steps: a target is absent then, another input keeps its value.
    """

    def __init__(self, ports: Ports, inputs: Inputs, steps: int | None) -> None:
        self._columns: list[tuple[Variable, Array, bool, Array | None]] = []
        self._steps = steps
        for name, value in inputs.items():
            if value is not None:
                self._add(name, ports[name], value)

    @property
    def steps(self) -> int:
        """T; 1 when nothing tells it."""
        return 1 if self._steps is None else self._steps

    def _add(self, name: str, variable: Variable, value: Any) -> None:
        present = None
        if isinstance(value, (list, tuple)) and any(row is None for row in value):
            present = np.array([row is not None for row in value])
            rows = [row for row in value if row is not None]
            if rows:
                known = as_numbers(rows, variable.dtype, name).reshape(-1, *variable.shape)
                value = np.zeros((len(value), *variable.shape), variable.dtype)
                value[present] = known
            else:
                value = np.zeros((len(value), *variable.shape), variable.dtype)
        array = as_numbers(value, variable.dtype, name)
        count = rows_of(array, variable.shape, name)
        if count is not None and self._steps not in (None, count):
            raise invalid(name, f"has {count} rows for {self._steps} steps")
        self._steps = count if self._steps is None else self._steps
        values = array.reshape((count or 1, *variable.shape))
        self._columns.append((variable, values, count is None, present))

    def cuts(self) -> list[int]:
        """The steps at which a frame begins or ceases to be present, and the end."""
        changes = {self.steps}
        for _, _, _, present in self._columns:
            if present is not None:
                changes.update((np.flatnonzero(np.diff(present)) + 1).tolist())
        return sorted(changes)

    def piece(self, start: int, stop: int) -> list[Frame]:
        """The frames of the steps [start, stop), which no cut lies in."""
        return [
            Frame(variable, values if constant else values[start:stop])
            for variable, values, constant, present in self._columns
            if present is None or present[start]
        ]

    def step_bytes(self) -> int:
        """Bytes that one step takes on the wire."""
        return sum(v[0].nbytes for _, v, constant, _ in self._columns if not constant)


class Piece(NamedTuple):
    """Steps [start, stop) of a series. `output_every` gives exactly the rows that one
    advance over the whole series would have given, or one that is to be dropped."""

    start: int
    stop: int
    output_every: int
    keep: bool


def pieces(total: int, chunk: int, every: int, cuts: Iterable[int]) -> Iterator[Piece]:
    """Cuts `total` steps into pieces of at most `chunk` that no cut lies in. Outputs are
    wanted of every step whose distance from the last one is a multiple of `every`."""
    start = 0
    for cut in cuts:
        while start < cut:
            stop = min(start + chunk, cut)
            aligned = stop - (every - (total - stop)) % every
            keep = aligned > start
            stop = aligned if keep else stop
            yield Piece(start, stop, every if keep else stop - start, keep)
            start = stop


class DriveCodec:
    """Turns the advances of one attached drive into messages, and the answers back."""

    def __init__(self, attached: v1.DriveAttached) -> None:
        self.inputs = [variable_from(v) for v in attached.inputs]
        self.outputs = [variable_from(v) for v in attached.outputs]
        self.ports = Ports(self.inputs)
        self.max_steps = attached.max_steps_per_advance or _CHUNK_STEPS
        self.latency: dict[str, Latency] = {}
        self._next_report = 0.0

    def request(
        self, frames: list[Frame], steps: int, at_step: int | None, output_every: int, tag: int
    ) -> v1.DriveRequest:
        request = v1.DriveRequest()
        if (now := time.monotonic()) >= self._next_report:
            request.advance.report_latency, self._next_report = True, now + REPORT_EVERY
        advance = request.advance
        advance.steps, advance.output_every, advance.tag = steps, output_every, tag
        if at_step is not None:
            advance.at_step = at_step
        for variable, values in frames:
            advance.inputs.add(uid=variable.uid, data=values.tobytes())
        return request

    def advanced(self, message: v1.DriveAdvanced, single: bool) -> Advanced:
        if message.latency:
            self.latency = latencies_from(message.latency)
        outputs = {}
        for variable, block in zip(self.outputs, message.outputs):
            shape = variable.shape if single else (-1, *variable.shape)
            outputs[variable.name] = np.frombuffer(block.data, variable.dtype).reshape(shape)
        return Advanced(
            outputs=outputs,
            loss=message.loss if message.HasField("loss") else None,
            cursor=cursor_from(message.cursor),
            steps=message.steps,
            queued=message.queued_ns * 1e-9,
            stepping=message.stepping_ns * 1e-9,
        )

    def plan(self, series: Series, chunk: int | None, output_every: int) -> Iterator[Piece]:
        """The pieces in which a series is sent."""
        every = max(output_every, 1)
        chunk = chunk or self._chunk(series, every)
        return pieces(series.steps, chunk, every, series.cuts())

    def _chunk(self, series: Series, output_every: int) -> int:
        """Steps to pack into one message: enough to make its cost small, and not so many
        that the loop stutters."""
        size = (
            series.step_bytes()
            + sum(v.dtype.itemsize * int(np.prod(v.shape)) for v in self.outputs) // output_every
        )
        return max(1, min(_CHUNK_STEPS, self.max_steps, _CHUNK_BYTES // max(size, 1)))


def trimmed(piece: Piece, advanced: Advanced) -> Advanced:
    """Without the row of a piece that has none of the wanted steps."""
    if piece.keep:
        return advanced
    return replace(advanced, outputs={name: rows[:0] for name, rows in advanced.outputs.items()})
