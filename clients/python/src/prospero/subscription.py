"""Streams of samples."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from prospero import errors, v1
from prospero._deadline import deadline
from prospero._resume import Backoff, Position, is_broken, reconnected
from prospero._samples import Event, SampleCodec
from prospero.errors import ProsperoError
from prospero.values import Cursor, Notice, Sample, Variable, cursor_from


class Subscription(Iterator[Sample]):
    """An iterator of `Sample`s; `Sample.gap` tells what was lost before it.

    Made by `Network.subscribe` and `Network.watch`. It ends when it is closed or when the
    server ends it, and raises when something is wrong (NetworkDeleted, CursorEvicted,
    Draining). With `reconnect` a broken connection is no end: it goes on behind the last
    sample, and a Notice "reconnected" tells of it. Iterate in one thread; `close` may be called
    from any. `events` also gives gaps, notices and heartbeats as they come.

    Attributes:
        variables: for each selection, what its samples carry.
        notices: what happened to the network meanwhile, oldest first.
        cursor: where the network stood when the stream opened.
        oldest: a cursor from which on every sample was retained then; None: the recording
            began with this stream.
        dt_ms: length of a step [ms].
    """

    def __init__(
        self,
        stub: Any,
        proto: v1.Subscription,
        timeout: float,
        credits: int,
        same: Callable[[], None] | None,
    ) -> None:
        """credits: 0 watches, with the transport's flow control in their place. same: raises
        unless the network is still the one that was subscribed to; None never reconnects."""
        self._stub = stub
        self._timeout = timeout
        self._credits = credits
        self._same = same
        self._position = Position(proto)
        self._over = threading.Event()
        self._waiting: deque[Event] = deque()
        self.notices: deque[Notice] = deque(maxlen=1000)
        opened = self._open()
        self._codec = SampleCodec(opened)
        self.variables: list[list[Variable]] = self._codec.variables
        self.cursor: Cursor = self._codec.cursor
        self.oldest: Cursor | None = self._codec.oldest
        self.dt_ms: float = self._codec.dt_ms

    @property
    def position(self) -> Cursor | None:
        """All samples up to here were taken, or a gap has told of them: another subscription
        can go on here with `start=`. None before the first sample of a snapshot."""
        return self._position.cursor

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
        self._over.set()
        self._link.close()

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
            try:
                message = self._link.next_event()
            except ProsperoError as error:
                if self._over.is_set():
                    return None
                if self._same is None or not is_broken(error):
                    raise
                notice = self._reconnect(self._same, error)
                if notice is None:
                    return None
                self._waiting.append(notice)
                break
            if message is None:
                return None
            self._waiting.extend(self._codec.events(message))
        event = self._waiting.popleft()
        if isinstance(event, Sample):
            self._link.took_one()
        elif isinstance(event, Notice):
            self.notices.append(event)
        return event if self._position.take(event) else self._take()

    def _open(self) -> v1.SubscriptionEvent.Opened:
        self._link = _Link(self._stub, self._position.subscription(), self._credits)
        if self._over.is_set():
            self._link.close()
        try:
            with deadline(self._link.call, self._timeout):
                event = self._link.next_event()
                if event is None:
                    raise errors.Cancelled("the server has ended the stream")
        except ProsperoError:
            self._link.close()
            raise
        self._position.opened(cursor_from(event.opened.cursor))
        return event.opened

    def _reconnect(self, same: Callable[[], None], why: ProsperoError) -> Notice | None:
        """Comes back only with a stream that goes on, or with None when it was closed."""
        began, backoff = time.monotonic(), Backoff()
        while not self._over.wait(backoff.next()):
            try:
                same()
                self._codec.go_on(self._open())
            except ProsperoError as error:
                if not is_broken(error) and not self._over.is_set():
                    raise
                continue
            return reconnected(self._position.cursor or self.cursor, time.monotonic() - began, why)
        return None


class _Link:
    """One stream of a subscription."""

    def __init__(self, stub: Any, proto: v1.Subscription, credits: int) -> None:
        self._requests: queue.SimpleQueue[v1.SubscribeRequest | None] = queue.SimpleQueue()
        self._credits = credits
        self._taken = 0
        if credits:
            self._requests.put(v1.SubscribeRequest(subscription=proto))
            self._requests.put(v1.SubscribeRequest(credit=credits))
            self.call = stub.Subscribe(iter(self._requests.get, None))
        else:
            self.call = stub.Watch(v1.WatchRequest(subscription=proto))

    def next_event(self) -> v1.SubscriptionEvent | None:
        """None at the end. Raises ProsperoError."""
        try:
            event: v1.SubscriptionEvent = next(self.call).event
            return event
        except StopIteration:
            return None
        except grpc.RpcError as error:
            self._requests.put(None)
            raise errors.from_rpc_error(error) from None

    def took_one(self) -> None:
        """Credits are granted for samples that were taken, so a slow reader gets few and
        new ones instead of many old ones."""
        self._taken += 1
        if self._credits and 2 * self._taken >= self._credits:
            self._requests.put(v1.SubscribeRequest(credit=self._taken))
            self._taken = 0

    def close(self) -> None:
        self.call.cancel()
        self._requests.put(None)
