"""One stream of gRPC, with the server's own words when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

from prospero import errors

# What gRPC puts in the place of the server's status when a write finds the stream ended, even over
# a status that it has already got (https://github.com/grpc/grpc/issues/36066).
_PLACEHOLDER = "Internal error from Core"
# A placeholder that came first gives way to the status once all messages are read; nothing but
# asking tells when.
_ASK_TIMES, _ASK_EVERY = 1000, 0.005  # [s]


class Stream:
    """Writes never raise: what ended the stream is told by the read that follows."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._messages = call.__aiter__()
        self._closed = False
        call.add_done_callback(self._keep_status)

    async def write(self, request: Any) -> None:
        try:
            await self._call.write(request)
        except (grpc.RpcError, asyncio.InvalidStateError):
            pass

    async def read(self) -> Any:
        """The next message; None at the end. Raises ProsperoError."""
        if self._closed:
            return None
        if self._call.cancelled():
            raise errors.Cancelled("the stream was cancelled")
        try:
            return await self._messages.__anext__()
        except StopAsyncIteration:
            return None
        except asyncio.CancelledError:
            if self._closed:
                return None
            raise
        except grpc.RpcError:
            if self._closed:
                return None
            error = await self._error()
            if error is None:
                return None
            raise error from None

    async def done_writing(self) -> None:
        await self._call.done_writing()

    def cancel(self) -> None:
        """Ends the stream at once. A read that waits gives None."""
        self._closed = True
        self._call.cancel()

    def _keep_status(self, call: Any) -> None:
        """Called once there is a status, before a write can put the placeholder over it."""
        questions = call.code(), call.details(), call.trailing_metadata()
        self._code, self._details, self._trailing = map(_told, questions)

    async def _error(self) -> errors.ProsperoError | None:
        for _ in range(_ASK_TIMES):
            if self._details != _PLACEHOLDER:
                break
            await asyncio.sleep(_ASK_EVERY)
            self._keep_status(self._call)
        if self._code is grpc.StatusCode.OK:
            return None
        return errors.from_parts(self._code, self._details, self._trailing)


def _told(question: Coroutine[Any, Any, Any]) -> Any:
    """What a call that is done answers, which it does without waiting."""
    try:
        question.send(None)
    except StopIteration as answer:
        return answer.value
    raise AssertionError("the call is not done")
