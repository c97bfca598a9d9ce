"""NumPy arrays to bytes and back, without a list in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from prospero import v1
from prospero.errors import invalid

Array = npt.NDArray[Any]

_DTYPES: dict[int, np.dtype[Any]] = {
    v1.DATA_TYPE_UNSPECIFIED: np.dtype("<f8"),
    v1.DATA_TYPE_FLOAT32: np.dtype("<f4"),
    v1.DATA_TYPE_FLOAT64: np.dtype("<f8"),
}


def dtype_of(data_type: int) -> np.dtype[Any]:
    """The NumPy type of a wire's `DataType`; UNSPECIFIED is FLOAT64, as in a Tensor."""
    return _DTYPES[data_type]


def as_numbers(value: npt.ArrayLike, dtype: np.dtype[Any], name: str) -> Array:
    """`value` as an array of `dtype`, packed and row-major. Copies only when it must."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise invalid(name, f"must be real numbers, got an array of {array.dtype}")
    return np.ascontiguousarray(array, dtype).reshape(array.shape)


def to_tensor(value: npt.ArrayLike, name: str = "values") -> v1.Tensor:
    """A Tensor of the shape of `value`: FLOAT32 for float32 arrays, else FLOAT64."""
    single = getattr(value, "dtype", None) == np.float32
    data_type = v1.DATA_TYPE_FLOAT32 if single else v1.DATA_TYPE_FLOAT64
    array = as_numbers(value, dtype_of(data_type), name)
    return v1.Tensor(data_type=data_type, shape=array.shape, data=array.tobytes())


def from_tensor(tensor: v1.Tensor) -> Array:
    """A read-only view of the tensor's bytes."""
    return np.frombuffer(tensor.data, dtype_of(tensor.data_type)).reshape(tuple(tensor.shape))


def rows_of(array: Array, shape: Sequence[int], name: str) -> int | None:
    """How many rows of a variable of `shape` an array holds.

    None: one value of the variable that has no axis for the steps. A leading axis of
    batch 1 may be left out, and the whole shape for a single number: for [1, n] a row is
    [1, n] or [n], and T rows are [T, 1, n] or [T, n].

    Raises InvalidArgument when it fits neither.
    """
    shape = tuple(shape)
    rows = {shape}
    if shape[:1] == (1,):
        rows.add(shape[1:])
    if all(extent == 1 for extent in shape):
        rows.add(())
    if array.shape in rows:
        return None
    if array.shape[1:] in rows and array.ndim > 0 and array.shape[0] > 0:
        return int(array.shape[0])
    wanted = " or ".join(f"{_text(r)}, {_text(('T', *r))}" for r in sorted(rows, key=len))
    raise invalid(name, f"has shape {_text(array.shape)}, must be {wanted}")


def _text(shape: Sequence[object]) -> str:
    return f"[{', '.join(map(str, shape))}]"
