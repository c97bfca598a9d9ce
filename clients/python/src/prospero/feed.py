"""Sensors that push at their own rate."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import grpc
import numpy.typing as npt

from prospero import errors, v1
from prospero._deadline import deadline
from prospero._feeds import feed_frame
from prospero._outbox import FeedOutbox
from prospero.values import FeedSummary, Variable, feed_summary_from


class Feed:
    """One open feed of an input; made by `Network.feed`, used as a context manager.

        with network.feed("camera", between="linear") as feed:
            for image in camera:
                feed.push(image)
        print(feed.summary)

    `push` may be called from any thread, and never waits: frames go out from a thread of gRPC.
    When `queue` of them wait because the network or the line is slower than the sensor, the
    oldest gives way to the new one and is counted in `dropped`.

    Attributes:
        variable: the input that it writes.
        summary: what became of the frames, when it was closed; None before, and when it broke.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        open: v1.FeedRequest,
        variable: Variable,
        *,
        timeout: float,
        queue: int,
    ) -> None:
        if queue < 1:
            raise errors.invalid("queue", f"must be at least 1, got {queue}")
        self._method = method
        self._timeout = timeout
        self._outbox = FeedOutbox(queue, open)
        self._call: Any = None
        self.variable = variable
        self.summary: FeedSummary | None = None

    @property
    def dropped(self) -> int:
        """Frames that gave way to newer ones on this side, before they were sent."""
        return self._outbox.dropped

    def open(self) -> Feed:
        """Takes the input. Called by the context manager.

        Raises:
            InputFed: another feed has it.
            ClockMismatch: the network is in LOCKSTEP.
        """
        call = self._method.future(self._outbox)  # type: ignore[attr-defined]
        with deadline(call, self._timeout):
            call.initial_metadata()
            # A refusal brings empty metadata, too, and its status at once after it.
            if _ended(call, 0.005):
                self._outbox.close(drop=True)
                raise errors.from_rpc_error(call)
        self._call = call
        return self

    def push(
        self,
        values: npt.ArrayLike,
        *,
        at_step: int | None = None,
        captured_at: float | None = None,
    ) -> None:
        """Sends one frame, and never waits.

        Args:
            values: one value of the variable ([batch, size], or [size] when the batch is 1).
            at_step: the step it takes effect in, `cursor.step` before that step; steps must
                grow from frame to frame. None is the next step.
            captured_at: when the sensor took it, as `time.time()` tells, on a machine in time
                with the server's.

        Raises:
            InvalidArgument: the shape is wrong; nothing was sent.
            FeedTaken, FrameLate, ClockMismatch, NetworkDeleted, Unavailable, ...: the feed has
                ended, and this is why.
        """
        if self._call is None:
            raise errors.Cancelled("the feed is closed")
        frame = feed_frame(self.variable, values, at_step, captured_at)
        if self._call.done():
            self._end()
        self._outbox.put(frame)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the feed has ended, by itself; False when it has not in time [s]."""
        return self._call is None or _ended(self._call, timeout)

    def close(self) -> FeedSummary:
        """Lets the frames that wait go out, ends the feed and tells what became of them.
        Raises what has ended it before."""
        if self._call is None:
            if self.summary is not None:
                return self.summary
            raise errors.Cancelled("the feed is closed")
        self._outbox.close()
        try:
            response = self._call.result(self._timeout)
        except grpc.FutureTimeoutError:
            self.cancel()
            message = f"the feed did not end in {self._timeout:g} s"
            raise errors.DeadlineExceeded(message) from None
        except (grpc.RpcError, grpc.FutureCancelledError):
            self._end()
        self._call = None
        self.summary = feed_summary_from(response, self.dropped)
        return self.summary

    def cancel(self) -> None:
        """Ends the feed at once; frames that wait are lost."""
        if self._call is not None:
            self._call.cancel()
            self._outbox.close(drop=True)
            self._call = None

    def __enter__(self) -> Feed:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._call is not None:
            self.close()
        else:
            self.cancel()

    def _end(self) -> None:
        """Raises why the server has ended the feed."""
        call, self._call = self._call, None
        self._outbox.close(drop=True)
        if call.code() is grpc.StatusCode.OK:
            self.summary = feed_summary_from(call.result(), self.dropped)
            raise errors.Cancelled("the server has ended the feed")
        raise errors.from_rpc_error(call)


def _ended(call: Any, timeout: float | None) -> bool:
    try:
        call.exception(timeout)
    except grpc.FutureTimeoutError:
        return False
    except grpc.FutureCancelledError:
        pass
    return True
