"""Gathers the chunks of a run."""

from __future__ import annotations

import math

import numpy as np

from prospero.values import Advanced, Cursor, Run, Variable


class RunBuffer:
    """Arrays for `steps` steps, filled chunk by chunk."""

    def __init__(self, outputs: list[Variable], steps: int, output_every: int) -> None:
        rows = math.ceil(steps / max(output_every, 1))
        self._outputs = {v.name: np.empty((rows, *v.shape), v.dtype) for v in outputs}
        self._losses: list[float] = []
        self._row = self._steps = 0

    def add(self, advanced: Advanced) -> None:
        count = 0
        for name, rows in advanced.outputs.items():
            count = len(rows)
            self._outputs[name][self._row : self._row + count] = rows
        self._row += count
        self._steps += advanced.steps
        self._losses.append(math.nan if advanced.loss is None else advanced.loss)

    def run(self, cursor: Cursor) -> Run:
        return Run(self._outputs, np.array(self._losses), cursor, self._steps)
