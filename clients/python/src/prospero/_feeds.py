"""From arrays to the frames of a feed."""

from __future__ import annotations

from typing import Literal

import numpy.typing as npt

from prospero import v1
from prospero._arrays import as_numbers, rows_of
from prospero._frames import Ports
from prospero._spec import enum
from prospero._time import duration, timestamp
from prospero.errors import invalid
from prospero.values import Schema, Variable

Between = Literal["hold", "linear", "zero"]
Late = Literal["drop", "apply", "refuse"]


def feed_open(
    network: str,
    input: str,
    between: Between,
    late: Late,
    max_age: float | None,
    preempt: bool,
    max_pending: int,
) -> v1.FeedRequest:
    open = v1.FeedOpen(
        network=network,
        input=input,
        between=enum(v1.FeedOpen.Between, "BETWEEN", between, "between"),
        late=enum(v1.FeedOpen.Late, "LATE", late, "late"),
        max_age=duration(max_age, "max_age"),
        preempt=preempt,
        max_pending=max_pending,
    )
    return v1.FeedRequest(open=open)


def feed_variable(schema: Schema, input: str) -> Variable:
    """The variable that a feed writes. Raises InvalidArgument when there is none."""
    return Ports(v for v in schema.values() if v.role == "input")[input]


def feed_frame(
    variable: Variable, values: npt.ArrayLike, at_step: int | None, captured_at: float | None
) -> v1.FeedRequest:
    array = as_numbers(values, variable.dtype, variable.name)
    if rows_of(array, variable.shape, variable.name) is not None:
        raise invalid(variable.name, f"must be one value of it, got shape {list(array.shape)}")
    frame = v1.FeedFrame(data=array.tobytes(), at_step=at_step)
    if captured_at is not None:
        frame.captured_at.CopyFrom(timestamp(captured_at, "captured_at"))
    return v1.FeedRequest(frame=frame)
