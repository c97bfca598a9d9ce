"""From a selection of variables to the messages of a subscription, and back."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Union

import numpy as np

from prospero import v1
from prospero.errors import invalid
from prospero.values import (
    Gap,
    Heartbeat,
    Notice,
    Sample,
    Variable,
    cursor_from,
    notice_from,
    variable_from,
)

Aggregation = Literal["last", "mean", "min_max"]
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
    """

    variables: str | Iterable[str]
    every: int = 1
    max_rate: float = 0.0
    aggregation: Aggregation = "last"
    slice: builtins.slice | None = None

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
        return proto


def subscription(
    network: str,
    selections: Iterable[Selection],
    start_with_snapshot: bool,
    max_pending: int,
    heartbeat: float | None,
) -> v1.Subscription:
    start = v1.Subscription.START_SNAPSHOT if start_with_snapshot else v1.Subscription.START_NOW
    proto = v1.Subscription(
        network=network,
        selections=[s.to_proto() for s in selections],
        start=start,
        delivery=v1.Subscription.DELIVERY_LATEST,
        max_pending=max_pending,
    )
    if heartbeat:
        proto.heartbeat.FromTimedelta(timedelta(seconds=heartbeat))
    return proto


class SampleCodec:
    """Turns the events of one stream into Python values. A gap is told twice: as an event,
    and as `Sample.gap` of the next sample."""

    def __init__(self, opened: v1.SubscriptionEvent.Opened) -> None:
        self.cursor = cursor_from(opened.cursor)
        self.dt_ms = opened.dt_ms
        self.variables: list[list[Variable]] = [
            [variable_from(v) for v in selected.variables] for selected in opened.selections
        ]
        self._gap: Gap | None = None

    def events(self, event: v1.SubscriptionEvent) -> Iterator[Event]:
        kind = event.WhichOneof("event")
        if kind == "samples":
            for sample in event.samples.samples:
                yield self._sample(sample)
        elif kind == "gap":
            reason = v1.SubscriptionEvent.Gap.Reason.Name(event.gap.reason)
            self._gap = Gap(
                cursor_from(event.gap.first),
                cursor_from(event.gap.last),
                event.gap.count,
                reason.removeprefix("REASON_").lower(),
            )
            yield self._gap
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
