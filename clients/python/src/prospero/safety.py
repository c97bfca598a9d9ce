"""How a network stops when what comes from outside stops."""

from __future__ import annotations

from typing import Literal

import numpy.typing as npt

from prospero import v1
from prospero._arrays import to_tensor
from prospero._spec import enum
from prospero._time import duration, seconds
from prospero.errors import invalid

Fallback = Literal["hold", "zero"]


class Safety:
    """What happens when inputs or the driver of a network fall silent.

        safety = (prospero.Safety(driver_timeout=0.5)
                  .input("camera", timeout=0.2, fallback="zero")
                  .output("arm", fail_safe=[0.0, 0.0]))
        network = client.create_network(spec, clock="realtime", safety=safety)
        network.update(safety=prospero.Safety())        # nothing is watched any more

    It holds with the clocks REALTIME and FREE. While an input is silent, or the driver is
    missing, the network is unsafe: plasticity freezes, silent inputs take their fallback, and
    the commands (`<output>.command`) take theirs. That ends with the next good frame, or
    driver. A frame that is refused, such as one with NaN, is no sign of life.

    Args:
        driver_timeout: wall time without a driver [s] after which the network is unsafe; None:
            it needs none.
        keep_learning: plasticity goes on while the network is unsafe.
    """

    def __init__(self, *, driver_timeout: float | None = None, keep_learning: bool = False) -> None:
        self._proto = v1.Safety(
            keep_learning=keep_learning,
            driver_timeout=duration(driver_timeout, "driver_timeout"),
        )

    def input(
        self,
        name: str,
        timeout: float,
        fallback: Fallback = "hold",
        *,
        fail_safe: npt.ArrayLike | None = None,
    ) -> Safety:
        """Adds an input that must not fall silent.

        Args:
            name: a variable, or a population for its port.
            timeout: wall time without a frame, from a driver or a feed [s].
            fallback: what the network sees while it is silent: "hold" the last value, or
                "zero". A target that is silent is absent, whatever its fallback.
            fail_safe: this value instead: of the variable's shape, or one number.
        """
        proto = self._proto.inputs.add(input=name, timeout=duration(timeout, f"{name}: timeout"))
        _set_fallback(proto, fallback, fail_safe, name)
        return self

    def output(
        self,
        name: str,
        fallback: Fallback = "hold",
        *,
        fail_safe: npt.ArrayLike | None = None,
    ) -> Safety:
        """Says what leaves the network while it is unsafe. Outputs that are not named hold.

        Args:
            name: an output population, or its `<population>.command`.
            fallback: what the command is: "hold" the last one of when the network was safe, or
                "zero".
            fail_safe: this value instead: of the variable's shape, or one number.
        """
        _set_fallback(self._proto.outputs.add(output=name), fallback, fail_safe, name)
        return self

    @property
    def driver_timeout(self) -> float | None:
        if not self._proto.HasField("driver_timeout"):
            return None
        return seconds(self._proto.driver_timeout)

    @property
    def keep_learning(self) -> bool:
        return bool(self._proto.keep_learning)

    @property
    def inputs(self) -> dict[str, float]:
        """Each watched input with its timeout [s]."""
        return {i.input: seconds(i.timeout) for i in self._proto.inputs}

    @property
    def outputs(self) -> list[str]:
        """The outputs that are named."""
        return [o.output for o in self._proto.outputs]

    def to_proto(self) -> v1.Safety:
        """A copy of the message."""
        proto = v1.Safety()
        proto.CopyFrom(self._proto)
        return proto

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Safety) and self._proto == other._proto

    def __repr__(self) -> str:
        return (
            f"<prospero.Safety inputs={self.inputs} outputs={self.outputs}"
            f" driver_timeout={self.driver_timeout} keep_learning={self.keep_learning}>"
        )


def safety_from(proto: v1.Safety) -> Safety:
    safety = Safety()
    safety._proto.CopyFrom(proto)
    return safety


def _set_fallback(
    proto: v1.Safety.Input | v1.Safety.Output,
    fallback: Fallback,
    fail_safe: npt.ArrayLike | None,
    name: str,
) -> None:
    if fail_safe is None:
        if fallback not in ("hold", "zero"):
            raise invalid(f"{name}: fallback", f"must be hold or zero, got {fallback!r}")
        proto.fallback = enum(v1.Safety.Fallback, "FALLBACK", fallback, f"{name}: fallback")
        return
    if fallback != "hold":
        raise invalid(f"{name}: fallback", f"cannot be {fallback!r} beside a fail_safe value")
    proto.fallback = v1.Safety.FALLBACK_FAIL_SAFE
    proto.fail_safe.CopyFrom(to_tensor(fail_safe, f"{name}: fail_safe"))
