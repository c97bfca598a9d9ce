"""From a selection of variables to the messages of a subscription, and back."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Union

import numpy as np

from prospero import v1
from prospero._spec import enum
from prospero._time import duration
from prospero.errors import Aborted, invalid
from prospero.values import (
    Cursor,
    Gap,
    Heartbeat,
    Notice,
    Sample,
    Variable,
    cursor_from,
    cursor_to,
    notice_from,
    variable_from,
)

Aggregation = Literal["last", "mean", "min_max"]
Delivery = Literal["latest", "reliable"]
Start = Union[Literal["now", "snapshot"], Cursor]
Event = Union[Sample, Gap, Notice, Heartbeat]


@dataclass(frozen=True)
class Selection:
    """Some variables with a common rhythm.

    Args:
        variables: names or globs (`*` any run, `?` any character). A glob never matches
            computed statistics unless it names their suffix: `*.W` is the weights,
            `*.W.norm` their norms.
        every: a sample every so many steps (at steps divisible by it).
        max_rate: and at most so many per second of wall time; 0 for no bound.
        aggregation: what a sample tells of the steps since the one before: "last" value,
            "mean", or "min_max" (two rows).
        slice: part of each variable, flattened row-major: `slice(start, stop, stride)`.
        on_change: of the samples due, only those in which some value has moved by more than
            this since the last one that came; 0 is any change, None sends all.
    """

    variables: str | Iterable[str]
    every: int = 1
    max_rate: float = 0.0
    aggregation: Aggregation = "last"
    slice: builtins.slice | None = None
    on_change: float | None = None

    def to_proto(self) -> v1.Selection:
        variables = [self.variables] if isinstance(self.variables, str) else list(self.variables)
        if self.aggregation not in ("last", "mean", "min_max"):
            raise invalid("aggregation", f"must be last, mean or min_max, got {self.aggregation!r}")
        proto = v1.Selection(
            variables=variables,
            every_steps=self.every,
            max_rate_hz=self.max_rate,
            aggregation=f"AGGREGATION_{self.aggregation.upper()}",
        )
        if self.slice is not None:
            start, stride = self.slice.start or 0, self.slice.step or 1
            if (
                start < 0
                or stride < 1
                or (self.slice.stop is not None and self.slice.stop <= start)
            ):
                raise invalid("slice", f"must go forward from 0 or later, got {self.slice}")
            count = 0 if self.slice.stop is None else -(-(self.slice.stop - start) // stride)
            proto.slice.start, proto.slice.count, proto.slice.stride = start, count, stride
        if self.on_change is not None:
            proto.on_change.threshold = self.on_change
        return proto


class Options(TypedDict, total=False):
    """What `Network.subscribe` explains."""

    every: int
    max_rate: float
    aggregation: Aggregation
    slice: builtins.slice | None
    on_change: float | None
    start: Start
    delivery: Delivery
    max_pending: int
    retained_bytes: int
    heartbeat: float | None


def selections(
    variables: Iterable[str | Iterable[str] | Selection], rhythm: Selection
) -> Iterator[Selection]:
    """Names and globs make one selection together, with that rhythm; each Selection is one of
    its own. Names come first."""
    variables = list(variables)
    plain: list[str] = []
    for variable in variables:
        if not isinstance(variable, Selection):
            plain.extend([variable] if isinstance(variable, str) else variable)
    if plain:
        yield replace(rhythm, variables=plain)
    yield from (v for v in variables if isinstance(v, Selection))


def subscription(
    network: str,
    variables: Iterable[str | Iterable[str] | Selection],
    *,
    every: int = 1,
    max_rate: float = 0.0,
    aggregation: Aggregation = "last",
    slice: builtins.slice | None = None,
    on_change: float | None = None,
    start: Start = "now",
    delivery: Delivery = "latest",
    max_pending: int = 0,
    retained_bytes: int = 0,
    heartbeat: float | None = None,
) -> v1.Subscription:
    rhythm = Selection((), every, max_rate, aggregation, slice, on_change)
    proto = v1.Subscription(
        network=network,
        selections=[s.to_proto() for s in selections(variables, rhythm)],
        delivery=enum(v1.Subscription.Delivery, "DELIVERY", delivery, "delivery"),
        max_pending=max_pending,
        retained_bytes=retained_bytes,
        heartbeat=duration(heartbeat, "heartbeat") if heartbeat else None,
    )
    if isinstance(start, Cursor):
        proto.start = v1.Subscription.START_CURSOR
        proto.cursor.CopyFrom(cursor_to(start))
    elif start in ("now", "snapshot"):
        proto.start = enum(v1.Subscription.Start, "START", start, "start")
    else:
        raise invalid("start", f"must be 'now', 'snapshot' or a Cursor, got {start!r}")
    return proto


class SampleCodec:
    """Turns the events of one stream into Python values. A gap is told twice: as an event,
    and as `Sample.gap` of the next sample."""

    def __init__(self, opened: v1.SubscriptionEvent.Opened) -> None:
        self.cursor = cursor_from(opened.cursor)
        self.oldest = cursor_from(opened.oldest) if opened.HasField("oldest") else None
        self.dt_ms = opened.dt_ms
        self.variables: list[list[Variable]] = _variables(opened)
        self._gap: Gap | None = None

    def go_on(self, opened: v1.SubscriptionEvent.Opened) -> None:
        """The stream was opened again. Raises Aborted when it is not the same any more."""
        if _variables(opened) != self.variables:
            raise Aborted("the network has other variables than before the connection broke")

    def events(self, event: v1.SubscriptionEvent) -> Iterator[Event]:
        kind = event.WhichOneof("event")
        if kind == "samples":
            for sample in event.samples.samples:
                yield self._sample(sample)
        elif kind == "gap":
            reason = v1.SubscriptionEvent.Gap.Reason.Name(event.gap.reason)
            gap = Gap(
                cursor_from(event.gap.first),
                cursor_from(event.gap.last),
                event.gap.count,
                reason.removeprefix("REASON_").lower(),
            )
            self._gap = gap if self._gap is None else _joined(self._gap, gap)
            yield gap
        elif kind == "notice":
            yield notice_from(event.notice)
        elif kind == "heartbeat":
            yield Heartbeat(cursor_from(event.heartbeat.cursor))

    def _sample(self, sample: v1.SubscriptionEvent.Sample) -> Sample:
        values = {
            v.name: np.frombuffer(block.data, v.dtype).reshape(v.shape)
            for v, block in zip(self.variables[sample.selection], sample.values)
        }
        gap, self._gap = self._gap, None
        return Sample(cursor_from(sample.cursor), values, sample.selection, gap)


def _variables(opened: v1.SubscriptionEvent.Opened) -> list[list[Variable]]:
    return [[variable_from(v) for v in selected.variables] for selected in opened.selections]


def _joined(gap: Gap, later: Gap) -> Gap:
    """Two gaps with no sample in between."""
    count = gap.count + later.count if gap.count and later.count else 0
    return Gap(gap.first, later.last, count, later.reason)
