"""How a subscription goes on where its connection broke."""

from __future__ import annotations

import random

import grpc

from prospero import v1
from prospero._samples import Event
from prospero.errors import ProsperoError
from prospero.values import Cursor, Gap, Heartbeat, Notice, Sample, cursor_from, cursor_to

# What gRPC itself says of a broken connection or stream, without a reason of the server's.
_BROKEN = (
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
)


def is_broken(error: ProsperoError) -> bool:
    """The connection or the server has gone, and may come back."""
    return error.code is grpc.StatusCode.UNAVAILABLE or (error.code in _BROKEN and not error.reason)


def reconnected(cursor: Cursor, seconds: float, why: ProsperoError) -> Notice:
    """What a subscription tells when it goes on behind `cursor`."""
    return Notice("reconnected", cursor, f"after {seconds:.1f} s without connection: {why}")


class Backoff:
    """Pauses between attempts [s]: 0.1, 0.2, ... 5, each up to a fifth longer or shorter, so
    that many clients of one server do not come back all at once."""

    def __init__(self) -> None:
        self._pause = 0.1

    def next(self) -> float:
        pause, self._pause = self._pause, min(2 * self._pause, 5.0)
        return pause * random.uniform(0.8, 1.2)


class Position:
    """What a subscription has had so far, and so what is to come.

    With several selections a step can be cut in two by a broken connection: then the step is
    asked for again, and what had come of it is left out.
    """

    def __init__(self, proto: v1.Subscription) -> None:
        self._proto = proto
        self._behind: Cursor | None = None
        """All samples up to here have come, or a gap has told of them."""
        self._begun: Cursor | None = None
        """Some samples of this step have come, of the selections in `_had`."""
        self._had: set[int] = set()
        if proto.start == v1.Subscription.START_CURSOR:
            self._behind = cursor_from(proto.cursor)

    @property
    def cursor(self) -> Cursor | None:
        """Where it would go on; None: from the start."""
        return self._behind

    def opened(self, cursor: Cursor) -> None:
        """The stream opened with the network at `cursor`."""
        if self._behind is None and self._proto.start != v1.Subscription.START_SNAPSHOT:
            self._behind = cursor

    def take(self, event: Event) -> bool:
        """False: it has come before, on the stream that broke."""
        if isinstance(event, Sample):
            return self._take_sample(event)
        if isinstance(event, Heartbeat):
            self._reach(event.cursor)
        elif isinstance(event, Gap):
            self._reach(event.last)
        return True

    def subscription(self) -> v1.Subscription:
        """What to ask for now."""
        proto = v1.Subscription()
        proto.CopyFrom(self._proto)
        if self._behind is not None:
            proto.start = v1.Subscription.START_CURSOR
            proto.cursor.CopyFrom(cursor_to(self._behind))
        return proto

    def _take_sample(self, sample: Sample) -> bool:
        if sample.cursor != self._begun:
            self._begun, self._had = sample.cursor, set()
        elif sample.selection in self._had:
            return False
        self._had.add(sample.selection)
        if len(self._had) == len(self._proto.selections):
            self._reach(sample.cursor)
        else:
            self._reach(Cursor(sample.cursor.epoch, sample.cursor.step - 1))
        return True

    def _reach(self, cursor: Cursor) -> None:
        if cursor.step >= 0 and (self._behind is None or cursor > self._behind):
            self._behind = cursor
