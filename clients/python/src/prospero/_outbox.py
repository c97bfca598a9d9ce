"""Requests on their way to the thread that gRPC writes a stream from."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from prospero import v1

_BEAT = v1.DriveRequest(heartbeat=v1.DriveHeartbeat())


class DriveOutbox(Iterator[v1.DriveRequest]):
    """Of a drive. Any thread may put and beat; gRPC's takes."""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[v1.DriveRequest | None] = queue.SimpleQueue()
        self._beating = False
        self._last_put = time.monotonic()

    def put(self, request: v1.DriveRequest) -> None:
        self._last_put = time.monotonic()
        self._requests.put(request)

    def beat(self, unless_within: float) -> None:
        """A sign of life, unless there was another so few seconds ago, or one still waits to
        be sent."""
        if not self._beating and time.monotonic() - self._last_put > unless_within:
            self._beating = True
            self._requests.put(_BEAT)

    def close(self) -> None:
        """No more requests: half-closes the stream."""
        self._requests.put(None)

    def __next__(self) -> v1.DriveRequest:
        request = self._requests.get()
        if request is None:
            raise StopIteration
        if request is _BEAT:
            self._beating = False
        return request


class Heart:
    """Beats from a thread of its own, so that neither an event loop that is blocked nor a
    caller who thinks for long loses the lease. What stops the process stops it, too.

    Args:
        window: silence that the server bears [s]; a beat comes every quarter of it.
        beat: what to call; given the seconds between two beats.
    """

    def __init__(self, window: float, beat: Callable[[float], None]) -> None:
        self._pause = window / 4
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prospero-heartbeat", daemon=True)

    def start(self) -> None:
        """The first call does; later ones do nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self._beat(self._pause / 2)


class FeedOutbox(Iterator[Any]):
    """Of a feed: when `capacity` frames wait to be sent the oldest gives way to a new one."""

    def __init__(self, capacity: int, first: v1.FeedRequest) -> None:
        self._capacity = capacity
        self._first: v1.FeedRequest | None = first
        self._frames: deque[v1.FeedRequest] = deque()
        self._filled = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, request: v1.FeedRequest) -> None:
        """Never waits."""
        with self._filled:
            if len(self._frames) == self._capacity:
                self._frames.popleft()
                self.dropped += 1
            self._frames.append(request)
            self._filled.notify()

    def close(self, *, drop: bool = False) -> None:
        """No more frames: half-closes the stream behind those that wait, or at once."""
        with self._filled:
            self._closed = True
            if drop:
                self._frames.clear()
            self._filled.notify()

    def __next__(self) -> v1.FeedRequest:
        with self._filled:
            if self._first is not None:
                first, self._first = self._first, None
                return first
            while not self._frames and not self._closed:
                self._filled.wait()
            if self._frames:
                return self._frames.popleft()
        raise StopIteration
