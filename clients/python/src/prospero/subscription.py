"""Streams of samples."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from prospero import errors, v1
from prospero._deadline import deadline
from prospero._samples import Event, SampleCodec
from prospero.values import Cursor, Notice, Sample, Variable


class Subscription(Iterator[Sample]):
    """An iterator of `Sample`s; `Sample.gap` tells what was lost before it.

    Made by `Network.subscribe` and `Network.watch`. It ends when it is closed or when the
    server ends it, and raises when something is wrong (NetworkDeleted, Draining). Iterate in
    one thread; `close` may be called from any. `events` also gives gaps, notices and
    heartbeats as they come.

    Attributes:
        variables: for each selection, what its samples carry.
        notices: what happened to the network meanwhile, oldest first.
        cursor: where the network stood when the stream opened.
        dt_ms: length of a step [ms].
    """

    def __init__(
        self,
        call: Any,
        timeout: float,
        requests: queue.SimpleQueue[v1.SubscribeRequest | None] | None = None,
        credits: int = 0,
    ) -> None:
        self._call = call
        self._requests = requests
        self._credits = credits
        self._taken = 0
        self._closed = False
        self._waiting: deque[Event] = deque()
        self.notices: deque[Notice] = deque(maxlen=1000)
        with deadline(call, timeout):
            opened = self._next_event()
        if opened is None:
            raise errors.Cancelled("the server has ended the stream")
        self._codec = SampleCodec(opened.opened)
        self.variables: list[list[Variable]] = self._codec.variables
        self.cursor: Cursor = self._codec.cursor
        self.dt_ms: float = self._codec.dt_ms

    @classmethod
    def with_credits(
        cls, method: Callable[..., Any], proto: v1.Subscription, timeout: float, credits: int
    ) -> Subscription:
        if credits < 1:
            raise errors.invalid("credits", f"must be at least 1, got {credits}")
        requests: queue.SimpleQueue[v1.SubscribeRequest | None] = queue.SimpleQueue()
        requests.put(v1.SubscribeRequest(subscription=proto))
        requests.put(v1.SubscribeRequest(credit=credits))
        return cls(method(iter(requests.get, None)), timeout, requests, credits)

    @classmethod
    def plain(
        cls, method: Callable[..., Any], proto: v1.Subscription, timeout: float
    ) -> Subscription:
        return cls(method(v1.WatchRequest(subscription=proto)), timeout)

    def events(self) -> Iterator[Event]:
        """Everything that comes: Sample, Gap, Notice, Heartbeat."""
        while (event := self._take()) is not None:
            yield event

    def __next__(self) -> Sample:
        while (event := self._take()) is not None:
            if isinstance(event, Sample):
                return event
        raise StopIteration

    def close(self) -> None:
        """Ends the stream. A `next` that waits in another thread stops."""
        self._closed = True
        self._call.cancel()
        if self._requests is not None:
            self._requests.put(None)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self) -> Event | None:
        """The next event, None at the end."""
        while not self._waiting:
            message = self._next_event()
            if message is None:
                return None
            self._waiting.extend(self._codec.events(message))
        event = self._waiting.popleft()
        if isinstance(event, Sample):
            self._took_one()
        elif isinstance(event, Notice):
            self.notices.append(event)
        return event

    def _took_one(self) -> None:
        """Credits are granted for samples that were taken, so a slow reader gets few and
        new ones instead of many old ones."""
        self._taken += 1
        if self._requests is not None and 2 * self._taken >= self._credits:
            self._requests.put(v1.SubscribeRequest(credit=self._taken))
            self._taken = 0

    def _next_event(self) -> v1.SubscriptionEvent | None:
        try:
            event: v1.SubscriptionEvent = next(self._call).event
            return event
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if self._requests is not None:
                self._requests.put(None)
            if self._closed:
                return None
            raise errors.from_rpc_error(error) from None
