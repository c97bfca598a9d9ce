"""Noise xi of the neurons of a population, from white noise w.

w is standard Gaussian, a pure function of (seed, population, step). In the steps that bring
values for the input `<population>.w`, those are taken in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from prospero import v1


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """xi <- xi + (sqrt(dt tau) sigma w - dt xi) / tau, of variance sigma^2 / (2 - dt/tau).

    Args:
        sigma: at least 0; can be changed while running: `<population>.sigma`.
        tau: correlation time [ms], at least dt_ms; `<population>.tau_xi`.
    """

    sigma: float
    tau: float

    def to_proto(self) -> v1.Noise:
        return v1.Noise(kind=v1.Noise.KIND_ORNSTEIN_UHLENBECK, sigma=self.sigma, tau_ms=self.tau)


@dataclass(frozen=True)
class HeldWhite:
    """xi <- sigma w, every `hold_steps` steps.

    Args:
        sigma: at least 0; can be changed while running: `<population>.sigma`.
    """

    sigma: float
    hold_steps: int = 1

    def to_proto(self) -> v1.Noise:
        return v1.Noise(kind=v1.Noise.KIND_HELD_WHITE, sigma=self.sigma, hold_steps=self.hold_steps)


Noise = Union[OrnsteinUhlenbeck, HeldWhite]
