"""Pictures of what networks do (needs matplotlib: `pip install "prospero[plot]"`).

Every function draws into the axes it is given, or into new ones, and returns them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from prospero.values import Run, Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _axes(axes: Axes | None) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("prospero.plot needs matplotlib: pip install 'prospero[plot]'") from None
    return pyplot.subplots(layout="constrained")[1]


def traces(
    values: Run | Mapping[str, npt.ArrayLike],
    dt_ms: float,
    *,
    neurons: Sequence[int] | None = None,
    start: int = 0,
    axes: Axes | None = None,
) -> Axes:
    """Values over model time, one line for each neuron.

    Args:
        values: a run, or arrays [T, ...] by name, one row for each step.
        dt_ms: time between two rows [ms].
        neurons: indices into a flattened row; None draws all of them.
        start: step of the first row.
    """
    axes = _axes(axes)
    arrays = values.outputs if isinstance(values, Run) else values
    for name, array in arrays.items():
        rows = np.asarray(array).reshape(len(np.asarray(array)), -1)
        time = (start + np.arange(1, len(rows) + 1)) * dt_ms
        columns = range(rows.shape[1]) if neurons is None else neurons
        for i in columns:
            axes.plot(time, rows[:, i], lw=1, label=name if rows.shape[1] == 1 else f"{name}[{i}]")
    axes.set_xlabel("time [ms]")
    if len(axes.lines) <= 12:
        axes.legend(loc="upper right")
    return axes


def loss(
    values: npt.ArrayLike,
    dt_ms: float,
    *,
    window: int = 1,
    label: str | None = None,
    axes: Axes | None = None,
) -> Axes:
    """A loss over model time, on a logarithmic axis. NaN (no target) leaves a gap.

    Args:
        values: [T], one for each row, such as `run["loss"]`.
        dt_ms: time between two of them [ms].
        window: draws means over so many.
    """
    axes = _axes(axes)
    array = np.asarray(values, float).ravel()
    count = max(len(array) // window, 1)
    means = np.nanmean(array[: count * window].reshape(count, -1), axis=1)
    axes.semilogy((np.arange(count) + 0.5) * window * dt_ms, means, lw=1, label=label)
    axes.set_xlabel("time [ms]")
    axes.set_ylabel("loss")
    if label is not None:
        axes.legend()
    return axes


def samples(stream: Iterable[Sample], dt_ms: float, *names: str, axes: Axes | None = None) -> Axes:
    """Scalars of a subscription over model time, such as `"hidden_to_output.W.norm"`.

    Args:
        stream: samples, taken until they end (`itertools.islice` takes some).
        dt_ms: length of a step [ms].
        names: variables to draw; none draws all scalars.
    """
    axes = _axes(axes)
    taken = list(stream)
    chosen = names or [n for n, v in (taken[0].values if taken else {}).items() if v.size == 1]
    for name in chosen:
        present = [s for s in taken if name in s.values]
        axes.plot(
            [s.step * dt_ms for s in present], [s[name].item() for s in present], lw=1, label=name
        )
    axes.set_xlabel("time [ms]")
    axes.legend()
    return axes


def weights(
    values: Sample | Mapping[str, npt.ArrayLike],
    *,
    bins: int = 50,
    axes: Axes | None = None,
) -> Axes:
    """Histograms of weights.

    Args:
        values: a sample of `network.subscribe("*.W.histogram", "*.W.histogram_edges")`, which
            the server counts, or of `"*.W"`, or arrays by name.
        bins: how many, when weights are given.
    """
    axes = _axes(axes)
    given = values.values if isinstance(values, Sample) else values
    arrays = {name: np.ravel(np.asarray(array)) for name, array in given.items()}
    counted = [name for name in arrays if name.endswith(".histogram")]
    for name in counted:
        label = name.removesuffix(".histogram")
        axes.stairs(arrays.pop(name), arrays.pop(f"{name}_edges"), label=label)
    if arrays:
        edges = np.histogram_bin_edges(np.concatenate(list(arrays.values())), bins)
        for name, array in arrays.items():
            axes.hist(array, edges.tolist(), histtype="step", label=name)
    axes.set_xlabel("weight")
    axes.set_ylabel("synapses")
    axes.legend()
    return axes
