"""Payloads of MQTT messages."""

from __future__ import annotations

import json
from typing import Any, Literal

import numpy as np

from prospero._arrays import Array

Format = Literal["json", "float32", "float64"]

_RAW: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float64": np.dtype("<f8")}


def decode(payload: bytes | bytearray, format: Format, field: str, shape: tuple[int, ...]) -> Array:
    """The values of a message, as one value of a variable of that shape.

    Args:
        field: of a JSON object, where the array is; empty: the payload is the array.

    Raises:
        ValueError: the payload does not hold so many numbers.
    """
    if format == "json":
        value: Any = json.loads(payload)
        if field:
            if not isinstance(value, dict) or field not in value:
                raise ValueError(f"no JSON object with '{field}'")
            value = value[field]
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError("no JSON array of numbers")
    else:
        if len(payload) % _RAW[format].itemsize:
            raise ValueError(f"{len(payload)} bytes are no row of {format}")
        array = np.frombuffer(payload, _RAW[format])
    if array.size != int(np.prod(shape)):
        raise ValueError(f"{array.size} numbers where {int(np.prod(shape))} are wanted")
    return array.reshape(shape)


def encode(values: Array, format: Format, field: str) -> bytes:
    """A message of one value of a variable; the batch axis is left out when it has one trial."""
    if format != "json":
        return bytes(values.astype(_RAW[format]).tobytes())
    plain = (values[0] if values.ndim > 1 and len(values) == 1 else values).tolist()
    return json.dumps({field: plain} if field else plain).encode()
