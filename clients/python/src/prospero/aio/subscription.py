"""Streams of samples, for asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

from prospero import errors, v1
from prospero._samples import Event, SampleCodec
from prospero.aio._stream import Stream
from prospero.values import Cursor, Notice, Sample, Variable


class Subscription(AsyncIterator[Sample]):
    """As `prospero.Subscription`: `async for sample in network.subscribe("loss")`. The stream
    opens with the first sample that is asked for, or on entering it as a context manager."""

    def __init__(
        self, method: Callable[..., Any], proto: v1.Subscription, timeout: float, credits: int
    ) -> None:
        """credits: 0 watches, with the transport's flow control in their place."""
        self._timeout = timeout
        self._method = method
        self._proto = proto
        self._credits = credits
        self._taken = 0
        self._stream: Stream | None = None
        self._reading: asyncio.Future[Any] | None = None
        self._waiting: deque[Event] = deque()
        self.variables: list[list[Variable]] = []
        self.notices: deque[Notice] = deque(maxlen=1000)
        self.cursor = Cursor(0, 0)
        self.dt_ms = 0.0

    async def open(self) -> Subscription:
        """Opens the stream, if it is not open yet."""
        if self._stream is not None:
            return self
        if self._credits:
            self._stream = Stream(self._method())
            await self._stream.write(v1.SubscribeRequest(subscription=self._proto))
            await self._stream.write(v1.SubscribeRequest(credit=self._credits))
        else:
            self._stream = Stream(self._method(v1.WatchRequest(subscription=self._proto)))
        try:
            opened = await asyncio.wait_for(self._next_event(), self._timeout)
        except asyncio.TimeoutError:
            await self.close()
            raise errors.DeadlineExceeded("the server does not answer") from None
        if opened is None:
            raise errors.Cancelled("the server has ended the stream")
        self._codec = SampleCodec(opened.opened)
        self.variables = self._codec.variables
        self.cursor = self._codec.cursor
        self.dt_ms = self._codec.dt_ms
        return self

    async def events(self) -> AsyncIterator[Event]:
        """Everything that comes: Sample, Gap, Notice, Heartbeat."""
        while (event := await self._take()) is not None:
            yield event

    async def __anext__(self) -> Sample:
        while (event := await self._take()) is not None:
            if isinstance(event, Sample):
                return event
        raise StopAsyncIteration

    async def close(self) -> None:
        """Ends the stream."""
        if self._stream is not None:
            self._stream.cancel()

    async def __aenter__(self) -> Subscription:
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _take(self) -> Event | None:
        """The next event, None at the end."""
        await self.open()
        while not self._waiting:
            message = await self._next_event()
            if message is None:
                return None
            self._waiting.extend(self._codec.events(message))
        event = self._waiting.popleft()
        if isinstance(event, Sample):
            await self._took_one()
        elif isinstance(event, Notice):
            self.notices.append(event)
        return event

    async def _took_one(self) -> None:
        """As in prospero.Subscription."""
        self._taken += 1
        if self._stream is not None and self._credits and 2 * self._taken >= self._credits:
            credit, self._taken = self._taken, 0
            await self._stream.write(v1.SubscribeRequest(credit=credit))

    async def _next_event(self) -> v1.SubscriptionEvent | None:
        # gRPC would cancel the stream along with a task that waits for it; a read of its own
        # lets a caller give up waiting and come back.
        assert self._stream is not None
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._stream.read())
        reading = self._reading
        try:
            response = await asyncio.shield(reading)
        finally:
            if reading.done():
                self._reading = None
        return None if response is None else response.event
