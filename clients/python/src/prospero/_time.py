"""Seconds of Python to the messages of the wire, and back."""

from __future__ import annotations

import math

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from prospero.errors import invalid

_NS = 1_000_000_000


def duration(seconds: float | None, field: str) -> Duration | None:
    """None stays None: the field is left unset."""
    if seconds is None:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        raise invalid(field, f"must be a number of seconds, at least 0, got {seconds}")
    whole = round(seconds * _NS)
    return Duration(seconds=whole // _NS, nanos=whole % _NS)


def seconds(duration: Duration) -> float:
    return float(duration.seconds + duration.nanos / _NS)


def timestamp(unix: float, field: str) -> Timestamp:
    """Of seconds since 1970, as `time.time()` gives them."""
    if not math.isfinite(unix) or not 0 <= unix < 2.5e11:
        raise invalid(field, f"must be seconds since 1970, as time.time() tells, got {unix}")
    whole = round(unix * _NS)
    return Timestamp(seconds=whole // _NS, nanos=whole % _NS)
