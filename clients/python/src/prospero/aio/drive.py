"""The closed loop with a network, for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

from prospero import errors, v1
from prospero._frames import DriveCodec, Inputs, Pending, Piece, Series, trimmed
from prospero._progress import Progress
from prospero._runs import RunBuffer
from prospero.aio._stream import Stream
from prospero.aio._threaded import ThreadedStream
from prospero.errors import ProsperoError
from prospero.latency import Latency
from prospero.values import Advanced, Cursor, Notice, Run, Variable, cursor_from, notice_from


class Drive:
    """As `prospero.Drive`, for one task at a time. Cancelling an `advance` breaks the drive
    off: nobody could tell any more whether the network has moved. The heartbeats come from a
    thread: a loop that is blocked does not lose the lease."""

    def __init__(
        self,
        connect: Callable[[], Stream | ThreadedStream],
        attach: v1.DriveRequest,
        *,
        attach_timeout: float,
        lockstep: bool,
    ) -> None:
        self._connect = connect
        self._attach = attach
        self._attach_timeout = attach_timeout
        self._lockstep = lockstep
        self._pending: deque[Pending] = deque()
        self._tag = 0
        self._stream: Stream | ThreadedStream | None = None
        self.cursor = Cursor(0, 0)
        self.dt_ms = 0.0
        self.inputs: list[Variable] = []
        self.outputs: list[Variable] = []
        self.notices: deque[Notice] = deque(maxlen=1000)

    async def open(self) -> Drive:
        """Attaches. Called by the context manager."""
        self._stream = self._connect()
        await self._stream.write(self._attach)
        try:
            first = await asyncio.wait_for(self._next_message(), self._attach_timeout)
        except asyncio.TimeoutError:
            self.cancel()
            raise errors.DeadlineExceeded("the server does not answer") from None
        attached = first.attached
        self._codec = DriveCodec(attached)
        self.inputs, self.outputs = self._codec.inputs, self._codec.outputs
        self.cursor = cursor_from(attached.cursor)
        self.dt_ms = attached.dt_ms
        return self

    async def advance(
        self,
        inputs: Inputs | None = None,
        *,
        steps: int | None = None,
        at_step: int | None = None,
        output_every: int = 1,
    ) -> Advanced:
        """As `prospero.Drive.advance`."""
        frames, count, single = self._codec.ports.frames(inputs, steps)
        await self._send(frames, count, at_step, output_every, single)
        return await self._receive()

    async def stream(
        self,
        inputs: Inputs,
        *,
        steps: int | None = None,
        chunk: int | None = None,
        output_every: int = 1,
        window: int = 8,
    ) -> AsyncIterator[Advanced]:
        """As `prospero.Drive.stream`. Close it (`contextlib.aclosing`) when you leave it
        before its end."""
        series = Series(self._codec.ports, inputs, steps)
        origin = self.cursor.step
        waiting: deque[Piece] = deque()
        try:
            for piece in self._codec.plan(series, chunk, output_every):
                frames = series.piece(piece.start, piece.stop)
                at_step = origin + piece.start if self._lockstep else None
                count = piece.stop - piece.start
                await self._send(frames, count, at_step, piece.output_every, False)
                waiting.append(piece)
                if len(waiting) >= window:
                    yield trimmed(waiting.popleft(), await self._receive())
            while waiting:
                yield trimmed(waiting.popleft(), await self._receive())
        finally:
            await self._settle()

    async def run(
        self,
        inputs: Inputs,
        *,
        steps: int | None = None,
        chunk: int | None = None,
        output_every: int = 1,
        window: int = 8,
        progress: bool | None = None,
    ) -> Run:
        """As `prospero.Drive.run`."""
        total = Series(self._codec.ports, inputs, steps).steps
        buffer = RunBuffer(self.outputs, total, output_every)
        with Progress(total, progress) as bar:
            async for advanced in self.stream(
                inputs, steps=steps, chunk=chunk, output_every=output_every, window=window
            ):
                buffer.add(advanced)
                bar.advance(advanced.steps, advanced.loss)
        return buffer.run(self.cursor)

    def latency(self) -> dict[str, Latency]:
        """As `prospero.Drive.latency`."""
        return dict(self._codec.latency)

    async def close(self) -> None:
        """Lets the requests sent so far finish and gives the lease back."""
        if self._stream is None:
            return
        try:
            await self._stream.done_writing()
            while await self._stream.read() is not None:
                pass
        except ProsperoError:
            pass
        self._stream = None

    def cancel(self) -> None:
        """Breaks off at once. The server gives the lease back as soon as it notices."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    async def __aenter__(self) -> Drive:
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            await self.close()
        else:
            self.cancel()

    async def _send(
        self, frames: Any, steps: int, at_step: int | None, output_every: int, single: bool
    ) -> None:
        if self._stream is None:
            raise errors.Cancelled("the drive is closed")
        self._tag += 1
        request = self._codec.request(frames, steps, at_step, output_every, self._tag)
        self._pending.append(Pending(self._tag, single))
        await self._stream.write(request)

    async def _receive(self) -> Advanced:
        while True:
            response = await self._next_message()
            kind = response.WhichOneof("message")
            if kind == "notice":
                self.notices.append(notice_from(response.notice))
                continue
            pending = self._pending.popleft()
            if kind == "error":
                self.cursor = cursor_from(response.error.cursor)
                raise errors.from_status(response.error.status)
            advanced = self._codec.advanced(response.advanced, pending.single)
            self.cursor = advanced.cursor
            return advanced

    async def _next_message(self) -> v1.DriveResponse:
        if self._stream is None:
            raise errors.Cancelled("the drive is closed")
        try:
            response: v1.DriveResponse | None = await self._stream.read()
        except ProsperoError:
            self._end()
            raise
        if response is None:
            self._end()
            raise errors.Cancelled("the server has ended the drive")
        return response

    def _end(self) -> None:
        self._pending.clear()
        self._stream = None

    async def _settle(self) -> None:
        """Takes the answers that are still due, so that the next advance gets its own."""
        while self._pending:
            try:
                await self._receive()
            except ProsperoError:
                pass
