"""The parts that networks are built from: rules of plasticity and first values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt

from prospero import v1
from prospero._arrays import to_tensor

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Plasticity:
    """How an array of parameters learns; use `SGD`, `Momentum`, `Adam` or `LowPass`.

    Every step makes one update with the descent gradient g of that step (mean over the
    batch):

        g <- clamp(g, -clip, +clip)                              if clip > 0
        w <- w - learning_rate * (optimizer(g) + weight_decay * w)

    Args:
        learning_rate: per step, not per millisecond; can be changed while running with
            `network.set({"<array>.eta": ...})`.
        weight_decay: decoupled, 0 for none.
        clip: bound of each element of the gradient, 0 for none.
        bound: every step that learns keeps each value in [-bound, bound], 0 for no bound.
        enabled: False starts it switched off; `network.set({"<array>.plastic": 1})`
            switches it on.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    clip: float = 0.0
    enabled: bool = True
    bound: float = 0.0

    @classmethod
    def per_ms(cls, eta: float, dt_ms: float, **more: Any) -> Self:
        """Of a rate eta [1/ms], as papers with dw/dt = -eta g give it: eta * dt_ms per step.

        prospero.SGD.per_ms(50.0, dt_ms, weight_decay=1e-5)
        """
        return cls(learning_rate=eta * dt_ms, **more)

    def to_proto(self) -> v1.Plasticity:
        return v1.Plasticity(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            clip=self.clip,
            disabled=not self.enabled,
            bound=self.bound,
            **self._optimizer(),
        )

    def _optimizer(self) -> dict[str, Any]:
        raise TypeError("Plasticity is SGD, Momentum, Adam or LowPass")


@dataclass(frozen=True)
class SGD(Plasticity):
    """optimizer(g) = g."""

    def _optimizer(self) -> dict[str, Any]:
        return {"sgd": v1.Plasticity.Sgd()}


@dataclass(frozen=True)
class Momentum(Plasticity):
    """m <- momentum * m + g (first step: m = g); optimizer(g) = m."""

    momentum: float = 0.9

    def _optimizer(self) -> dict[str, Any]:
        return {"momentum": v1.Plasticity.Momentum(momentum=self.momentum)}


@dataclass(frozen=True)
class Adam(Plasticity):
    """Adam (Kingma & Ba 2015), bias-corrected."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def _optimizer(self) -> dict[str, Any]:
        adam = v1.Plasticity.Adam(beta1=self.beta1, beta2=self.beta2, epsilon=self.epsilon)
        return {"adam": adam}


@dataclass(frozen=True)
class LowPass(Plasticity):
    """m <- m + mix (g - m); optimizer(g) = m: what fluctuates faster than the filter, such as
    injected noise, averages out.

    Args:
        mix: in (0, 1]: dt_ms over the filter's time constant.
    """

    mix: float = 1.0

    def _optimizer(self) -> dict[str, Any]:
        return {"low_pass": v1.Plasticity.LowPass(mix=self.mix)}


@dataclass(frozen=True)
class Constant:
    """The same first value everywhere."""

    value: float


@dataclass(frozen=True)
class Uniform:
    """First values drawn uniformly from [low, high)."""

    low: float
    high: float


@dataclass(frozen=True)
class Normal:
    """First values drawn from a Gaussian."""

    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class FanIn:
    """First values drawn uniformly from +-gain / sqrt(number of presynaptic neurons)."""

    gain: float = 1.0


Initial = Union[Constant, Uniform, Normal, FanIn, float, npt.ArrayLike]
"""First values: drawn, one number for all, or an array of the values themselves."""


def initializer(value: Initial, name: str = "initializer") -> v1.Initializer:
    """The message of first values. An array goes as it is: float64 is exact."""
    if isinstance(value, Constant):
        return v1.Initializer(constant=value.value)
    if isinstance(value, Uniform):
        return v1.Initializer(uniform=v1.Initializer.Uniform(low=value.low, high=value.high))
    if isinstance(value, Normal):
        return v1.Initializer(normal=v1.Initializer.Normal(mean=value.mean, std=value.std))
    if isinstance(value, FanIn):
        return v1.Initializer(fan_in=v1.Initializer.FanIn(gain=value.gain))
    if np.ndim(value) == 0:
        return v1.Initializer(constant=float(value))  # type: ignore[arg-type]
    return v1.Initializer(values=to_tensor(value, name))
