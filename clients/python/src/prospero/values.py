"""What the server tells, as plain Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from prospero import v1
from prospero._arrays import Array, dtype_of


class Cursor(NamedTuple):
    """A place in a network's time."""

    epoch: int
    """Grows when the network is reset or restored: steps of different epochs cannot be
    compared."""
    step: int
    """Steps completed. Model time is step * dt_ms."""


@dataclass(frozen=True)
class Variable:
    """One named array of a network: what it is, not its values."""

    uid: int
    name: str
    role: str
    """"input", "state", "weight", "parameter" or "signal"."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    """Neurons are (batch, size), weights (post, pre), scalars ()."""
    unit: str
    """"1" for a pure number, "ms", ..."""
    description: str
    computed: bool
    """A statistic that is computed only while somebody asks for it."""
    minimum: float | None = None
    """The least value that may be written to it; None is no bound."""
    maximum: float | None = None
    """The greatest value that may be written to it; None is no bound."""


class Schema(Mapping[str, Variable]):
    """Every variable of a network by its name; in a notebook, a table."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = dict(variables)

    def __getitem__(self, name: str) -> Variable:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __str__(self) -> str:
        rows = [
            (v.name, v.role, "x".join(map(str, v.shape)) or "scalar", v.unit, v.description)
            for v in self.values()
        ]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
        lines = ("  ".join([*(c.ljust(w) for c, w in zip(r, widths)), r[4]]) for r in rows)
        return "\n".join(lines)


@dataclass(frozen=True)
class Footprint:
    """What a network takes. Each number has its limit in `ServerInfo.limits`."""

    neurons: int
    """Of one trial of a batch, inputs too."""
    weights: int
    """Feedback weights too, where they are no transpose; a shared weight counts once."""
    bytes: int
    """Memory of all arrays: weights, optimizers, states of all trials."""

    def __str__(self) -> str:
        return f"{self.neurons:,} neurons, {self.weights:,} weights, {self.bytes:,} bytes"


@dataclass(frozen=True)
class NetworkWarning:
    """Something about a network that is allowed and will hardly do what is wished."""

    reason: str
    """Stable and for programs, such as "LOOP_GAIN"."""
    field: str
    """Path of the field, as in an error; may be empty."""
    message: str
    """For humans: what was found, what it leads to."""


@dataclass(frozen=True)
class Notice:
    """Something that happened to the network, told in-band."""

    kind: str
    """"draining", "lease_lost", "epoch_changed", "paused", "started", "learning_frozen",
    "learning_resumed", "input_silent", "input_returned", "driver_came", "driver_left",
    "driver_missing", "clock_changed", "overrun", "storage_degraded", "storage_restored"; and
    "reconnected", which a subscription tells of itself."""
    cursor: Cursor
    message: str
    variable: str = ""
    """The input's name, where there is one."""


@dataclass(frozen=True)
class Advanced:
    """What one advance of a drive gave.

    Attributes:
        outputs: by variable name. An array has the variable's shape after a single step,
            and one more leading axis, the returned steps, when the advance had a number of
            steps. Read-only: it is a view of the message; `.copy()` to change it.
        loss: mean over the steps that had a target; None when none had.
        cursor: after the last step.
        steps: steps advanced.
        queued: seconds between the arrival of the request and its first step.
        stepping: seconds spent stepping.
    """

    outputs: dict[str, Array]
    loss: float | None
    cursor: Cursor
    steps: int
    queued: float = 0.0
    stepping: float = 0.0

    def __getitem__(self, name: str) -> Array:
        return self.outputs[name]


@dataclass(frozen=True)
class Run:
    """What many steps gave.

    Attributes:
        outputs: by variable name, [returned steps, *shape of the variable].
        loss: one for each chunk, NaN for a chunk without target.
        cursor: after the last step.
        steps: steps advanced.
    """

    outputs: dict[str, Array]
    loss: Array
    cursor: Cursor
    steps: int

    def __getitem__(self, name: str) -> Array:
        return self.outputs[name]


@dataclass(frozen=True)
class Gap:
    """Samples that will not come."""

    first: Cursor
    last: Cursor
    count: int
    """How many; 0 is not known."""
    reason: str
    """"slow_reader": this client did not take its samples in time. "evicted": what came after
    the cursor that was asked for is no longer retained."""


@dataclass(frozen=True)
class Heartbeat:
    """Progress: every sample up to this cursor has come, or a gap has told of it."""

    cursor: Cursor


@dataclass(frozen=True)
class FeedSummary:
    """What became of the frames of a feed."""

    cursor: Cursor
    """Where the network stood at its end."""
    received: int
    """Frames that came to the server."""
    applied: int
    """Frames that took effect, late ones too."""
    late: int
    """Frames that came late, whatever was done with them."""
    invalid: int
    """Frames with values that are not allowed, such as NaN."""
    replaced: int
    """Frames that gave way to newer ones before a step could take them."""
    first_applied: Cursor | None
    last_applied: Cursor | None
    dropped: int = 0
    """Frames that gave way to newer ones on this side, before they were sent."""


@dataclass(frozen=True)
class Sample:
    """Values of the variables of one selection at one moment.

    Attributes:
        cursor: when.
        values: by variable name; of the variable's shape, or flat after a slice, with two
            leading rows, least and greatest, for aggregation "min_max". Read-only.
        selection: index of the selection it belongs to.
        gap: the samples that were lost before this one; None when none were.
    """

    cursor: Cursor
    values: dict[str, Array]
    selection: int = 0
    gap: Gap | None = field(default=None)

    @property
    def step(self) -> int:
        """Steps completed when the sample was taken."""
        return self.cursor.step

    def __getitem__(self, name: str) -> Array:
        return self.values[name]


def cursor_from(proto: v1.Cursor) -> Cursor:
    return Cursor(proto.epoch, proto.step)


def cursor_to(cursor: Cursor) -> v1.Cursor:
    return v1.Cursor(epoch=cursor.epoch, step=cursor.step)


def footprint_from(proto: v1.Footprint) -> Footprint:
    return Footprint(proto.neurons, proto.weights, proto.bytes)


def warning_from(proto: v1.Warning) -> NetworkWarning:
    return NetworkWarning(proto.reason, proto.field, proto.message)


def variable_from(proto: v1.VariableSchema) -> Variable:
    return Variable(
        uid=proto.uid,
        name=proto.name,
        role=v1.VariableRole.Name(proto.role).removeprefix("VARIABLE_ROLE_").lower(),
        dtype=dtype_of(proto.data_type),
        shape=tuple(proto.shape),
        unit=proto.unit,
        description=proto.description,
        computed=proto.computed,
        minimum=proto.minimum if proto.HasField("minimum") else None,
        maximum=proto.maximum if proto.HasField("maximum") else None,
    )


def notice_from(proto: v1.Notice) -> Notice:
    kind = v1.Notice.Kind.Name(proto.kind).removeprefix("KIND_").lower()
    return Notice(kind, cursor_from(proto.cursor), proto.message, proto.variable)


def feed_summary_from(proto: v1.FeedResponse, dropped: int) -> FeedSummary:
    def optional(field: str) -> Cursor | None:
        return cursor_from(getattr(proto, field)) if proto.HasField(field) else None

    return FeedSummary(
        cursor=cursor_from(proto.cursor),
        received=proto.received,
        applied=proto.applied,
        late=proto.late,
        invalid=proto.invalid,
        replaced=proto.replaced,
        first_applied=optional("first_applied"),
        last_applied=optional("last_applied"),
        dropped=dropped,
    )
