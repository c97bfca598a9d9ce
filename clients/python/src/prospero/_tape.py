"""What went into a network, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from prospero._arrays import Array
from prospero._samples import Selection
from prospero.errors import Aborted, InvalidArgument, invalid
from prospero.values import Cursor, Sample, Schema

PARAMETERS, INPUTS = 0, 1
"""The selections of a recording. Within a step they come in this order: with the inputs of a
step everything of it has come."""

# An input that can be absent, by the input that is 1 in the steps that have it.
_PRESENCES = {"teach": "target", "w_given": "w"}

_FORMAT = "prospero record 1"


class Segment(NamedTuple):
    """Steps in which no parameter changes."""

    steps: int
    inputs: dict[str, Any]
    """As `Drive.stream` takes them: [steps, ...], with None where an input was absent."""
    parameters: dict[str, Array]
    """What changes before the first step."""
    learning: bool | None
    """None: as before."""


class Tape:
    """The inputs of consecutive steps, and the changes of parameters between them.

    Attributes:
        start: where the network stood before the first step.
        dt_ms: length of a step [ms].
    """

    def __init__(self, start: Cursor, dt_ms: float) -> None:
        self.start = start
        self.dt_ms = dt_ms
        self._rows: dict[str, list[Array]] = {}
        self._changes: dict[int, dict[str, Array]] = {}
        self._steps = 0

    @property
    def steps(self) -> int:
        return self._steps

    @property
    def cursor(self) -> Cursor:
        """Where the network stood after the last step."""
        return Cursor(self.start.epoch, self.start.step + self._steps)

    def array(self, name: str) -> Array:
        """Values of an input, [steps, *shape]."""
        return np.stack(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        """The names of the inputs."""
        return iter(self._rows)

    def add(self, sample: Sample) -> None:
        """Raises Aborted when it does not follow what came before."""
        if sample.cursor.epoch != self.start.epoch:
            raise Aborted("the network was reset or restored while it was recorded")
        index = sample.step - self.start.step - 1
        if sample.selection == PARAMETERS:
            self._changes[index] = dict(sample.values)
            return
        if index != self._steps:
            raise Aborted(f"step {self.cursor.step + 1} was not recorded, {sample.step} came next")
        for name, value in sample.values.items():
            self._rows.setdefault(name, []).append(value)
        self._steps += 1

    def segments(self) -> Iterator[Segment]:
        """What to do, in order, to repeat the steps."""
        if self._steps == 0:
            return
        cuts = sorted({0, *(i for i in self._changes if 0 <= i < self._steps)})
        columns = {name: self._column(name) for name in self._rows if not _is_presence(name)}
        known: dict[str, Array] = {}
        for begin, end in zip(cuts, [*cuts[1:], self._steps]):
            values = self._changes.get(begin, {})
            changed = {
                name: value
                for name, value in values.items()
                if name not in known or not np.array_equal(value, known[name])
            }
            known.update(changed)
            learning = changed.pop("learning", None)
            inputs = {name: column[begin:end] for name, column in columns.items()}
            yield Segment(
                end - begin, inputs, changed, None if learning is None else bool(learning)
            )

    def save(self, path: str | Path) -> None:
        """Writes a NumPy archive."""
        changes = sorted(self._changes)
        header = {
            "format": _FORMAT,
            "start": list(self.start),
            "dt_ms": self.dt_ms,
            "inputs": list(self._rows),
            "changes": [[index, list(self._changes[index])] for index in changes],
        }
        arrays: dict[str, Any] = {
            f"input{i}": self.array(name) for i, name in enumerate(self._rows)
        }
        for i, index in enumerate(changes):
            for j, value in enumerate(self._changes[index].values()):
                arrays[f"change{i}.{j}"] = value
        with open(path, "wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Tape:
        """Reads what `save` wrote. Raises InvalidArgument for another file."""
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(str(archive["header"])) if "header" in archive else {}
            if header.get("format") != _FORMAT:
                raise invalid("path", f"'{path}' holds no {_FORMAT}")
            tape = cls(Cursor(*header["start"]), header["dt_ms"])
            for i, name in enumerate(header["inputs"]):
                tape._rows[name] = list(archive[f"input{i}"])
                tape._steps = len(tape._rows[name])
            for i, (index, names) in enumerate(header["changes"]):
                tape._changes[index] = {
                    name: archive[f"change{i}.{j}"] for j, name in enumerate(names)
                }
        return tape

    def _column(self, name: str) -> Sequence[Any] | Array:
        population, _, part = name.rpartition(".")
        for presence, target in _PRESENCES.items():
            given = self._rows.get(f"{population}.{presence}")
            if part == target and given is not None:
                return [value if g else None for value, g in zip(self._rows[name], given)]
        return self.array(name)


def selections(schema: Schema) -> list[Selection]:
    """What is to be recorded of a network: parameters when they change, inputs at every step."""
    plain = [v for v in schema.values() if not v.computed]
    return [
        Selection([v.name for v in plain if v.role == "parameter"], on_change=0.0),
        Selection([v.name for v in plain if v.role == "input"]),
    ]


def check_replayable(tape: Tape, start: Cursor, dt_ms: float) -> None:
    """Noise follows from the step, and time constants from dt: another beginning gives another
    run. Raises InvalidArgument."""
    if tape.dt_ms != dt_ms:
        raise invalid("network", f"has steps of {dt_ms} ms, the record of {tape.dt_ms} ms")
    if tape.start.step != start.step:
        raise InvalidArgument(
            f"the record begins at step {tape.start.step}, the network stands at {start.step}"
        )


def _is_presence(name: str) -> bool:
    return name.rpartition(".")[2] in _PRESENCES
