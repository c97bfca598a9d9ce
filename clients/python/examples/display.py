"""A live table on the terminal: Rich's where it is installed, else lines now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any


class Display:
    """Shows named numbers, at most ten times a second.

    Args:
        total: seconds of signal to come.
        plain: a line every second in the place of the live table. So it is also when the
            output is no terminal.
    """

    def __init__(self, total: float, plain: bool = False) -> None:
        self._total = total
        self._live: Any = None
        self._next = 0.0
        self._last: tuple[float, Callable[[], Mapping[str, float]]] | None = None
        if not plain and sys.stdout.isatty():
            try:
                from rich.live import Live
            except ImportError:
                return
            self._live = Live(refresh_per_second=10)

    def update(self, at: float, values: Callable[[], Mapping[str, float]]) -> None:
        """`at`: seconds of signal so far. The values are asked for only to be shown."""
        self._last = (at, values)
        if (now := time.monotonic()) >= self._next:
            self._next = now + (0.1 if self._live is not None else 1.0)
            self._show(at, values())

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None:
            self._show(self._last[0], self._last[1]())
        if self._live is not None:
            self._live.stop()

    def _show(self, at: float, values: Mapping[str, float]) -> None:
        if self._live is None:
            cells = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            print(f"{at:6.1f} s  {cells}", flush=True)
            return
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table("", f"{at:.1f} s of {self._total:.0f} s", min_width=60)
        table.add_row("", ProgressBar(self._total, at, width=40))
        for name, value in values.items():
            table.add_row(Text(name), f"{value:.5g}")
        self._live.update(table)
