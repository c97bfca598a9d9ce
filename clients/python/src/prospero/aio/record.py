"""Records what goes into a network, and plays it back, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from prospero import errors, record
from prospero.values import Run

if TYPE_CHECKING:
    from prospero.aio.network import Network


class Record:
    """As `prospero.Record`, which is in `taken`. It records and replays on threads, also while
    the loop is blocked."""

    def __init__(self, make: Callable[[], record.Record]) -> None:
        self._make = make
        self._record: record.Record | None = None

    @property
    def taken(self) -> record.Record:
        """What was recorded so far: `steps`, `start`, the inputs by name, `save`."""
        if self._record is None:
            raise errors.Cancelled("nothing was recorded yet")
        return self._record

    async def replay(
        self,
        network: Network,
        outputs: str | Iterable[str] = (),
        *,
        progress: bool | None = None,
    ) -> Run:
        """As `prospero.Record.replay`."""
        plain = network.threaded()
        return await asyncio.to_thread(self.taken.replay, plain, outputs, progress=progress)

    async def __aenter__(self) -> Record:
        taken = self._make()
        await asyncio.to_thread(taken.open)
        self._record = taken
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.taken.__exit__, kind, error, trace)
