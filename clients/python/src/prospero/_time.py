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
    whole, nanos = _split(seconds)
    return Duration(seconds=whole, nanos=nanos)


def seconds(duration: Duration) -> float:
    return float(duration.seconds + duration.nanos / _NS)


def timestamp(unix: float, field: str) -> Timestamp:
    """Of seconds since 1970, as `time.time()` gives them."""
    if not math.isfinite(unix) or not 0 <= unix < 2.5e11:
        raise invalid(field, f"must be seconds since 1970, as time.time() tells, got {unix}")
    whole, nanos = _split(unix)
    return Timestamp(seconds=whole, nanos=nanos)


def unix(timestamp: Timestamp) -> float:
    """Seconds since 1970."""
    return float(timestamp.seconds + timestamp.nanos / _NS)


def _split(seconds: float) -> tuple[int, int]:
    """Whole seconds and nanoseconds, without loss of what the float holds."""
    whole = math.floor(seconds)
    nanos = round((seconds - whole) * _NS)
    return (whole + 1, 0) if nanos == _NS else (whole, nanos)
