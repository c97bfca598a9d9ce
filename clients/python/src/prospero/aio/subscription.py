"""Streams of samples, for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any

from prospero import errors, v1
from prospero._resume import Backoff, Position, is_broken, reconnected
from prospero._samples import Event, SampleCodec
from prospero.aio._stream import Stream
from prospero.errors import ProsperoError
from prospero.values import Cursor, Notice, Sample, Variable, cursor_from


class Subscription(AsyncIterator[Sample]):
    """As `prospero.Subscription`: `async for sample in network.subscribe("loss")`. The stream
    opens with the first sample that is asked for, or on entering it as a context manager."""

    def __init__(
        self,
        stub: Any,
        proto: v1.Subscription,
        timeout: float,
        credits: int,
        same: Callable[[], Awaitable[None]] | None,
    ) -> None:
        """credits: 0 watches, with the transport's flow control in their place. same: as in
        `prospero.Subscription`."""
        self._stub = stub
        self._timeout = timeout
        self._credits = credits
        self._same = same
        self._position = Position(proto)
        self._closed = False
        self._pausing = False
        self._link: _Link | None = None
        self._fetching: asyncio.Future[list[Event] | None] | None = None
        self._waiting: deque[Event] = deque()
        self.variables: list[list[Variable]] = []
        self.notices: deque[Notice] = deque(maxlen=1000)
        self.cursor = Cursor(0, 0)
        self.oldest: Cursor | None = None
        self.dt_ms = 0.0

    async def open(self) -> Subscription:
        """Opens the stream, if it is not open yet."""
        if self._link is not None or self._closed:
            return self
        self._codec = SampleCodec(await self._open())
        self.variables = self._codec.variables
        self.cursor = self._codec.cursor
        self.oldest = self._codec.oldest
        self.dt_ms = self._codec.dt_ms
        return self

    @property
    def position(self) -> Cursor | None:
        """As `prospero.Subscription.position`."""
        return self._position.cursor

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
        self._closed = True
        if self._link is not None:
            self._link.close()
        if self._fetching is not None and self._pausing:
            self._fetching.cancel()

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
            events = await self._events()
            if events is None:
                return None
            self._waiting.extend(events)
        event = self._waiting.popleft()
        if isinstance(event, Sample) and self._link is not None:
            await self._link.took_one()
        elif isinstance(event, Notice):
            self.notices.append(event)
        return event if self._position.take(event) else await self._take()

    async def _events(self) -> list[Event] | None:
        # gRPC would cancel the stream along with a task that waits for it; a fetch of its own
        # lets a caller give up waiting and come back.
        if self._fetching is None:
            self._fetching = asyncio.ensure_future(self._fetch())
        fetching = self._fetching
        try:
            return await asyncio.shield(fetching)
        except asyncio.CancelledError:
            if self._closed and fetching.done():
                return None
            raise
        finally:
            if fetching.done():
                self._fetching = None

    async def _fetch(self) -> list[Event] | None:
        """What comes next, if need be over a new connection; None at the end."""
        if self._link is None or self._closed:
            return None
        try:
            message = await self._link.next_event()
        except ProsperoError as error:
            if self._same is None or not is_broken(error):
                raise
            notice = await self._reconnect(self._same, error)
            return None if notice is None else [notice]
        return None if message is None else list(self._codec.events(message))

    async def _open(self) -> v1.SubscriptionEvent.Opened:
        self._link = _Link(self._stub, self._position.subscription(), self._credits)
        await self._link.begin()
        try:
            event = await asyncio.wait_for(self._link.next_event(), self._timeout)
        except asyncio.TimeoutError:
            self._link.close()
            raise errors.DeadlineExceeded("the server does not answer") from None
        if event is None:
            raise errors.Cancelled("the server has ended the stream")
        self._position.opened(cursor_from(event.opened.cursor))
        return event.opened

    async def _reconnect(
        self, same: Callable[[], Awaitable[None]], why: ProsperoError
    ) -> Notice | None:
        """Comes back only with a stream that goes on, or with None when it was closed."""
        began, backoff = time.monotonic(), Backoff()
        while not self._closed:
            self._pausing = True
            await asyncio.sleep(backoff.next())
            self._pausing = False
            try:
                await same()
                self._codec.go_on(await self._open())
            except ProsperoError as error:
                if not is_broken(error) and not self._closed:
                    raise
                continue
            return reconnected(self._position.cursor or self.cursor, time.monotonic() - began, why)
        return None


class _Link:
    """One stream of a subscription."""

    def __init__(self, stub: Any, proto: v1.Subscription, credits: int) -> None:
        self._proto = proto
        self._credits = credits
        self._taken = 0
        self._stream = Stream(
            stub.Subscribe() if credits else stub.Watch(v1.WatchRequest(subscription=proto))
        )

    async def begin(self) -> None:
        if self._credits:
            await self._stream.write(v1.SubscribeRequest(subscription=self._proto))
            await self._stream.write(v1.SubscribeRequest(credit=self._credits))

    async def next_event(self) -> v1.SubscriptionEvent | None:
        """None at the end. Raises ProsperoError."""
        response = await self._stream.read()
        return None if response is None else response.event

    async def took_one(self) -> None:
        """As in prospero.Subscription."""
        self._taken += 1
        if self._credits and 2 * self._taken >= self._credits:
            credit, self._taken = self._taken, 0
            await self._stream.write(v1.SubscribeRequest(credit=credit))

    def close(self) -> None:
        self._stream.cancel()
