"""A progress bar for long calls: tqdm's where it is installed, else a plain line."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """Counts steps, or something else, on the terminal.

    Args:
        total: steps to come.
        show: None shows it on a terminal, once two seconds have passed.
        title: what is counted.
        unit: of what.
    """

    def __init__(
        self, total: int, show: bool | None, title: str = "steps", unit: str = "step"
    ) -> None:
        self._bar: Any = None
        if show is False or (show is None and not sys.stderr.isatty()):
            return
        delay = 2.0 if show is None else 0.0
        try:
            from tqdm.auto import tqdm
        except ImportError:
            self._bar = _Line(total, delay, title)
        else:
            self._bar = tqdm(total=total, unit=unit, unit_scale=True, desc=title, delay=delay)

    def advance(self, steps: int, loss: float | None) -> None:
        if self._bar is not None:
            self._bar.update(steps)
            if loss is not None:
                self._bar.set_postfix_str(f"loss {loss:.3g}", refresh=False)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class _Line:
    """One line that is written again at most ten times a second."""

    def __init__(self, total: int, delay: float, title: str) -> None:
        self._total, self._title = total, title
        self._done, self._note = 0, ""
        self._begin = time.monotonic()
        self._next = self._begin + delay
        self._written = False

    def update(self, steps: int) -> None:
        self._done += steps
        if (now := time.monotonic()) >= self._next:
            self._next = now + 0.1
            self._write(now)

    def set_postfix_str(self, note: str, refresh: bool = True) -> None:
        self._note = note

    def close(self) -> None:
        if self._written:
            self._write(time.monotonic())
            sys.stderr.write("\n")

    def _write(self, now: float) -> None:
        rate = self._done / max(now - self._begin, 1e-9)
        share = self._done / max(self._total, 1)
        sys.stderr.write(
            f"\r{self._title} {share:4.0%} {self._done}/{self._total} {rate:,.0f}/s {self._note} "
        )
        sys.stderr.flush()
        self._written = True
