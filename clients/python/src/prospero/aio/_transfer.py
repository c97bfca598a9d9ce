"""Transfers of snapshots, away from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from prospero._transfer import Transfer

T = TypeVar("T")


async def on_thread(transfer: Transfer, work: Callable[[], T]) -> T:
    """The result of `work`, which moves the transfer. Whoever is cancelled here cancels it, and
    waits for its end."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        transfer.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # has been looked at
        raise
