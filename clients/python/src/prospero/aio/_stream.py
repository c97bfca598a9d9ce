"""One stream of gRPC, with the server's own words when it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from prospero import errors

# What gRPC puts in the place of the server's status when a write finds the stream ended.
# The status itself comes once all messages are read; nothing but asking tells when.
_PLACEHOLDER = "Internal error from Core"
_ASK_TIMES, _ASK_EVERY = 1000, 0.005  # [s]


class Stream:
    """Writes never raise: what ended the stream is told by the read that follows."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._messages = call.__aiter__()
        self._closed = False

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

    async def _error(self) -> errors.ProsperoError | None:
        for _ in range(_ASK_TIMES):
            if await self._call.details() != _PLACEHOLDER:
                break
            await asyncio.sleep(_ASK_EVERY)
        code = await self._call.code()
        if code is grpc.StatusCode.OK:
            return None
        details, trailing = await self._call.details(), await self._call.trailing_metadata()
        return errors.from_parts(code, details, trailing)
