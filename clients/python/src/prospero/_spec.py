"""What the builders of all models share."""

from __future__ import annotations

from typing import Any, Literal, Union, cast

import numpy as np
import numpy.typing as npt

from prospero import v1
from prospero.components import Initial, Plasticity, initializer
from prospero.errors import invalid

Activation = Literal[
    "linear",
    "relu",
    "sigmoid",
    "tanh",
    "hard_sigmoid",
    "hard_tanh",
    "softplus",
    "hard_logistic",
]
Precision = Literal["float32", "float64"]
Tau = Union[float, npt.ArrayLike]
"""Time constants [ms]: one for all neurons of a population, or one for each, shape [size]."""


class Spec:
    """What a network is made of. The model's own module builds the rest of it.

    Args:
        dt_ms: length of a step [ms].
        precision: "float32", as the published code, or "float64", the reference.
        seed: seeds the first weights and all noise.
        batch: trials that run in parallel with common weights, which learn from the mean.
    """

    def __init__(
        self, dt_ms: float, *, precision: Precision = "float32", seed: int = 0, batch: int = 1
    ) -> None:
        data_type = enum(v1.DataType, "DATA_TYPE", precision, "precision")
        self._proto = v1.NetworkSpec(dt_ms=dt_ms, precision=data_type, seed=seed, batch_size=batch)

    def to_proto(self) -> v1.NetworkSpec:
        """A copy of the message."""
        proto = v1.NetworkSpec()
        proto.CopyFrom(self._proto)
        return proto


def enum(kind: Any, prefix: str, value: str, field: str) -> Any:
    """The enumerator `<prefix>_<value>`."""
    try:
        return kind.Value(f"{prefix}_{value.upper()}")
    except (ValueError, AttributeError):
        names = [n.removeprefix(f"{prefix}_").lower() for n in kind.keys()]
        allowed = ", ".join(n for n in names if n != "unspecified")
        raise invalid(field, f"must be one of {allowed}, got {value!r}") from None


def activation(value: str, field: str) -> Any:
    """The enumerator of an activation."""
    return enum(v1.Activation, "ACTIVATION", value, f"{field}: activation")


def taus(value: Tau | None) -> list[float]:
    """Time constants [ms]; none for None."""
    return [] if value is None else cast(list[float], np.ravel(np.asarray(value, float)).tolist())


def set_first(message: Any, value: Initial | None, field: str) -> None:
    """Writes first values; None leaves the server's."""
    if value is not None:
        message.CopyFrom(initializer(value, field))


def set_plasticity(message: Any, plasticity: Plasticity | None) -> None:
    """Writes how an array learns; None leaves it constant."""
    if plasticity is not None:
        message.CopyFrom(plasticity.to_proto())


def set_bias(
    message: Any, bias: bool | Initial | None, plasticity: Plasticity | None, field: str
) -> None:
    """Writes a bias: False and None are none, True leaves its first values to the server."""
    if bias is False or bias is None:
        return
    message.SetInParent()
    set_first(message.initializer, None if bias is True else bias, f"{field}: bias")
    set_plasticity(message.plasticity, plasticity)


def each(value: Any, count: int, name: str) -> list[Any]:
    """One entry for each of `count` layers, of one value for all or a sequence of as many."""
    if not isinstance(value, (list, tuple, np.ndarray)):
        return [value] * count
    if len(value) != count:
        raise invalid(name, f"must be one value or {count}, got {len(value)}")
    return list(value)


def each_hidden(value: Any, layers: int, name: str) -> list[Any]:
    """One entry for each layer: of one value, which the last layer has not, or a sequence."""
    if isinstance(value, (list, tuple)):
        return each(value, layers, name)
    return [value] * (layers - 1) + [None]


def layer_names(layers: int) -> list[str]:
    """ "hidden" ("hidden1", "hidden2", ... when there are several) and "output"."""
    hidden = [f"hidden{i}" for i in range(1, layers)] if layers > 2 else ["hidden"] * (layers - 1)
    return [*hidden, "output"]


def activations(value: Any, output: str, layers: int) -> list[Any]:
    """One for each layer, of that of the hidden layers and that of the output, or given."""
    if isinstance(value, str):
        return [value] * (layers - 1) + [output]
    return each(value, layers, "activation")
