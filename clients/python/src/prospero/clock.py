"""What makes a network advance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from prospero import v1
from prospero._spec import enum
from prospero._time import duration, seconds
from prospero.errors import invalid

ClockMode = Literal["lockstep", "free", "realtime"]
Overrun = Literal["skip", "catch_up", "slow_down"]


@dataclass(frozen=True)
class Realtime:
    """The clock of wall time: a step is due every dt_ms / speed.

        network = client.create_network(spec, clock=prospero.Realtime(speed=0.5))
        network.update(clock="realtime")         # the same with all defaults

    What a network has achieved is in its variables `clock.lag`, `clock.overruns` and
    `clock.speed`, which can be watched as any other.

    Args:
        speed: model time that passes in a unit of wall time, from 1e-6 to 1e6.
        overrun: what happens when steps come later than `tolerance`: "skip" leaves the missed
            ones out, "catch_up" makes them one after the other without pause, "slow_down" lets
            model time pass more slowly: no step is left out, none comes early.
        tolerance: lag that is made up for without a word [s], at most 10; None is the longer
            of two periods and 2 ms.
        max_catch_up: "catch_up" only: how far back steps are still made [s], at most 60; older
            ones are left out. None is 1 s.
    """

    speed: float = 1.0
    overrun: Overrun = "skip"
    tolerance: float | None = None
    max_catch_up: float | None = None

    def to_proto(self) -> v1.Clock:
        return v1.Clock(
            mode=v1.Clock.MODE_REALTIME,
            speed=self.speed,
            overrun=enum(v1.Clock.Overrun, "OVERRUN", self.overrun, "overrun"),
            tolerance=duration(self.tolerance, "tolerance"),
            max_catch_up=duration(self.max_catch_up, "max_catch_up"),
        )


Clock = Union[ClockMode, Realtime]
"""A mode with its defaults, or REALTIME with settings of its own."""


_MODES: dict[int, ClockMode] = {
    v1.Clock.MODE_FREE: "free",
    v1.Clock.MODE_REALTIME: "realtime",
}
_OVERRUNS: dict[int, Overrun] = {
    v1.Clock.OVERRUN_CATCH_UP: "catch_up",
    v1.Clock.OVERRUN_SLOW_DOWN: "slow_down",
}


def to_proto(clock: Clock) -> v1.Clock:
    if isinstance(clock, Realtime):
        return clock.to_proto()
    if clock not in ("lockstep", "free", "realtime"):
        message = f"must be 'lockstep', 'free', 'realtime' or a Realtime, got {clock!r}"
        raise invalid("clock", message)
    return v1.Clock(mode=f"MODE_{clock.upper()}")


def mode_from(proto: v1.Clock) -> ClockMode:
    return _MODES.get(proto.mode, "lockstep")


def realtime_from(proto: v1.Clock) -> Realtime | None:
    """The settings of a clock, None unless it is REALTIME."""
    if proto.mode != v1.Clock.MODE_REALTIME:
        return None
    return Realtime(
        proto.speed or 1.0,
        _OVERRUNS.get(proto.overrun, "skip"),
        seconds(proto.tolerance) if proto.HasField("tolerance") else None,
        seconds(proto.max_catch_up) if proto.HasField("max_catch_up") else None,
    )
