"""Sensors that push at their own rate, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType

import numpy.typing as npt

from prospero import errors, feed
from prospero.values import FeedSummary, Variable


class Feed:
    """As `prospero.Feed`. Frames go out from a thread of gRPC, also while the loop is blocked."""

    def __init__(self, make: Callable[[], Awaitable[feed.Feed]]) -> None:
        self._make = make
        self._feed: feed.Feed | None = None

    @property
    def variable(self) -> Variable:
        """The input that it writes."""
        return self._opened().variable

    @property
    def summary(self) -> FeedSummary | None:
        """As `prospero.Feed.summary`."""
        return None if self._feed is None else self._feed.summary

    @property
    def dropped(self) -> int:
        """As `prospero.Feed.dropped`."""
        return 0 if self._feed is None else self._feed.dropped

    async def open(self) -> Feed:
        """As `prospero.Feed.open`."""
        feed = await self._make()
        await asyncio.to_thread(feed.open)
        self._feed = feed
        return self

    def push(
        self,
        values: npt.ArrayLike,
        *,
        at_step: int | None = None,
        captured_at: float | None = None,
    ) -> None:
        """As `prospero.Feed.push`: it never waits, so there is nothing to await."""
        self._opened().push(values, at_step=at_step, captured_at=captured_at)

    async def wait(self, timeout: float | None = None) -> bool:
        """As `prospero.Feed.wait`."""
        return await asyncio.to_thread(self._opened().wait, timeout)

    async def close(self) -> FeedSummary:
        """As `prospero.Feed.close`."""
        return await asyncio.to_thread(self._opened().close)

    def cancel(self) -> None:
        """As `prospero.Feed.cancel`."""
        if self._feed is not None:
            self._feed.cancel()

    async def __aenter__(self) -> Feed:
        return await self.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._feed is not None:
            await asyncio.to_thread(self._feed.__exit__, kind, error, trace)

    def _opened(self) -> feed.Feed:
        if self._feed is None:
            raise errors.Cancelled("the feed is not open")
        return self._feed
