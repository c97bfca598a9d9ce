"""Between the spaces of Gymnasium and the rates of populations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Union

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from prospero.errors import invalid
from prospero.values import Variable

Array = npt.NDArray[np.float64]
Scale = Union[npt.ArrayLike, Mapping[str, npt.ArrayLike], None]


class Port:
    """One space and the population that stands for it.

    A Box of any shape is flattened; its value x is the rate (x - middle) / scale. A Discrete
    is one neuron for each choice.

    Attributes:
        population: its name.
        size: neurons.
    """

    def __init__(self, population: str, space: Any, scale: npt.ArrayLike | None, what: str) -> None:
        self.population = population
        self._space, self._what = space, what
        if isinstance(space, spaces.Box):
            self.size = int(np.prod(space.shape))
            self._middle, self._scale = _box(space, scale, what)
        elif isinstance(space, spaces.Discrete):
            self.size = int(space.n)
        else:
            raise invalid(what, f"must be a Box or a Discrete, got {space}")

    def rates(self, value: Any, trials: int) -> Array:
        """Of a value of the space, or of one for each trial when there are several: [trials,
        size]."""
        if isinstance(self._space, spaces.Discrete):
            chosen = np.asarray(value, np.int64).reshape(trials) - int(self._space.start)
            one_hot: Array = np.eye(self.size)[chosen]
            return one_hot
        try:
            rows = np.asarray(value, np.float64).reshape(trials, self.size)
        except ValueError:
            shape = self._space.shape if trials == 1 else (trials, *self._space.shape)
            raise invalid(self._what, f"must have shape {shape}, got {np.shape(value)}") from None
        rates: Array = (rows - self._middle) / self._scale
        return rates

    def value(self, rates: npt.NDArray[Any]) -> Any:
        """What rates [trials, size] mean: one value of the space when there is one trial, else
        one for each. It lies in the space: a Box is clipped to its bounds."""
        if isinstance(self._space, spaces.Discrete):
            chosen = rates.argmax(axis=1) + self._space.start
            return chosen if len(rates) > 1 else chosen[0]
        rows = self._middle + rates.astype(np.float64) * self._scale
        box = rows.reshape(len(rates), *self._space.shape)
        box = np.clip(box, self._space.low, self._space.high).astype(self._space.dtype)
        return box if len(rates) > 1 else box[0]

    def check(self, variable: Variable) -> None:
        """InvalidArgument unless the variable has this port's size."""
        if variable.shape[-1] != self.size:
            raise invalid(
                self._what,
                f"has {self.size} numbers, population {self.population!r} has "
                f"{variable.shape[-1]} neurons",
            )


def _box(space: spaces.Box, scale: npt.ArrayLike | None, what: str) -> tuple[Array, Array]:
    """What becomes rate 0, and the difference that becomes rate 1, both [size]."""
    low, high = space.low.ravel().astype(float), space.high.ravel().astype(float)
    if scale is not None:
        given = np.broadcast_to(np.asarray(scale, float), space.shape).ravel()
        if not (np.all(np.isfinite(given)) and np.all(given > 0)):
            raise invalid(what, f"its scale must be positive, got {scale!r}")
        return np.zeros(len(given)), given
    if not space.is_bounded():
        raise invalid(what, "has no bounds: it needs a scale")
    return (low + high) / 2, (high - low) / 2


def observed(
    space: Any, inputs: str | Mapping[str, str] | None, scale: Scale
) -> dict[str | None, Port]:
    """The port of each key of a Dict that is sent; of another space, one port, key None."""
    if not isinstance(space, spaces.Dict):
        if isinstance(inputs, Mapping) or isinstance(scale, Mapping):
            raise invalid("inputs", f"names keys, but the observation is no Dict: {space}")
        return {None: Port(inputs or "input", space, scale, "observation")}
    if isinstance(inputs, str):
        raise invalid("inputs", f"must name a population for keys of the Dict, got {inputs!r}")
    ports: dict[str | None, Port] = {}
    for key, population in (inputs or {key: key for key in space}).items():
        if key not in space.spaces:
            raise invalid("inputs", f"no key {key!r} in the observation: {', '.join(space)}")
        of = scale.get(key) if isinstance(scale, Mapping) else scale
        ports[key] = Port(population, space[key], of, f"observation {key!r}")
    return ports
