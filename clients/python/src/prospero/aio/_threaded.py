"""A drive's stream on threads of gRPC, seen from an event loop.

A stream of `grpc.aio` is written by the loop alone: a loop that is blocked could give no sign
of life, and the network would lose its driver. So this one is a plain stream, whose heartbeats
come from a thread, and whose answers a thread hands to the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import grpc

from prospero import errors, v1
from prospero._outbox import DriveOutbox, Heart
from prospero.errors import ProsperoError


class ThreadedStream:
    """As `Stream`, made inside the loop that uses it. It beats from the first answer on.

    Args:
        method: of a plain channel, not of grpc.aio.
        heartbeat: the window of the lease [s].
    """

    def __init__(self, method: Callable[..., Any], heartbeat: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox = DriveOutbox()
        self._heart = Heart(heartbeat, self._outbox.beat)
        self._messages: asyncio.Queue[v1.DriveResponse | ProsperoError | None] = asyncio.Queue()
        self._call = method(self._outbox)
        threading.Thread(target=self._read, name="prospero-drive", daemon=True).start()

    async def write(self, request: v1.DriveRequest) -> None:
        """Never waits."""
        self._outbox.put(request)

    async def read(self) -> v1.DriveResponse | None:
        """The next message; None at the end. Raises ProsperoError. A task that is cancelled
        here cancels the stream."""
        try:
            message = await self._messages.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if isinstance(message, ProsperoError):
            raise message
        return message

    async def done_writing(self) -> None:
        self._outbox.close()

    def cancel(self) -> None:
        """Ends the stream at once. A read that waits gives None."""
        self._call.cancel()
        self._messages.put_nowait(None)

    def _read(self) -> None:
        last: ProsperoError | None = None
        try:
            for message in self._call:
                self._heart.start()
                self._hand_over(message)
        except grpc.RpcError as error:
            last = errors.from_rpc_error(error)
        self._heart.stop()
        self._outbox.close()
        self._hand_over(last)

    def _hand_over(self, message: v1.DriveResponse | ProsperoError | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._messages.put_nowait, message)
        except RuntimeError:  # the loop was closed: nobody waits
            self._call.cancel()
