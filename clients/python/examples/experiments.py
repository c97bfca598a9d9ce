"""What the experiments share: their options, runs over seeds, tables and pictures."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np

import prospero

Case = TypeVar("Case")
Result = TypeVar("Result")


def options(description: str, name: str, seeds: int, **lengths: int) -> argparse.ArgumentParser:
    """The options that every experiment has.

    Args:
        name: of the picture, without its ending.
        seeds: how many are the default.
        lengths: `quick`, `default` and `full` length of a run.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--seeds", type=int, default=seeds, help="how many")
    parser.add_argument("--jobs", type=int, default=2, help="networks that run at a time")
    parser.add_argument("--plot", default=f"{name}.png", help="file of the picture; '' for none")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--length", type=int, default=lengths["default"], help=f"default: {lengths['default']}"
    )
    for kind in ("quick", "full"):
        length.add_argument(
            f"--{kind}",
            dest="length",
            action="store_const",
            const=lengths[kind],
            help=f"--length {lengths[kind]}",
        )
    return parser


def run(
    target: str, cases: Iterable[Case], case: Callable[[prospero.Client, Case], Result], jobs: int
) -> list[Result]:
    """`case(client, ...)` of all cases in their order, some at a time."""
    cases = list(cases)
    done = 0

    def one(given: Case) -> Result:
        nonlocal done
        result = case(client, given)
        done += 1
        if sys.stderr.isatty():
            print(f"\r{done} of {len(cases)} runs", end="", file=sys.stderr, flush=True)
        return result

    with prospero.Client(target) as client, ThreadPoolExecutor(jobs) as pool:
        client.wait_ready()
        results = list(pool.map(one, cases))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return results


class Follower:
    """Keeps the samples of a subscription, taken in a thread of its own, up to a step."""

    def __init__(self, stream: prospero.Subscription, last: int) -> None:
        self._samples: list[prospero.Sample] = []
        self._stream = stream
        self._thread = threading.Thread(target=self._follow, args=(last,), daemon=True)
        self._thread.start()

    def _follow(self, last: int) -> None:
        for sample in self._stream:
            self._samples.append(sample)
            if sample.step >= last:
                self._stream.close()
                return

    def samples(self) -> list[prospero.Sample]:
        """All of them, when the last has come."""
        self._thread.join()
        return self._samples


def spread(values: Any, digits: int = 1) -> str:
    """Mean and standard deviation over seeds; of one seed, its value."""
    values = np.asarray(values, float)
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std(ddof=1):.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown, its columns aligned."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    cells = (" | ".join(cell.ljust(w) for cell, w in zip(line, widths)) for line in lines)
    return "\n".join(f"| {line} |" for line in cells)


def held(values: Any, steps: int) -> np.ndarray:
    """Each row for so many steps: [n, ...] to [n * steps, ...]."""
    return np.repeat(np.asarray(values), steps, axis=0)


def pyplot() -> Any:
    """Of matplotlib, drawing into files."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    return pyplot


def band(axes: Any, x: Any, runs: Any, label: str, **style: Any) -> None:
    """Mean over runs [runs, points] as a line and their standard deviation as a band."""
    runs = np.asarray(runs, float)
    mean, deviation = runs.mean(0), runs.std(0)
    (line,) = axes.plot(x, mean, label=label, **style)
    axes.fill_between(
        x, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.2, lw=0
    )
