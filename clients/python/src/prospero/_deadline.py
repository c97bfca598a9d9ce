"""A deadline for the beginning of a stream, whose end has none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prospero import errors


@contextmanager
def deadline(call: Any, timeout: float) -> Iterator[None]:
    """Cancels the call when the body takes longer than `timeout` [s]: DeadlineExceeded."""
    late = threading.Event()

    def cancel() -> None:
        late.set()
        call.cancel()

    timer = threading.Timer(timeout, cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    except errors.Cancelled:
        if not late.is_set():
            raise
        raise errors.DeadlineExceeded(f"the server did not answer in {timeout:g} s") from None
    finally:
        timer.cancel()
