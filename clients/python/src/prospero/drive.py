"""The closed loop with a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import grpc

from prospero import errors, v1
from prospero._deadline import deadline
from prospero._frames import DriveCodec, Inputs, Pending, Piece, Series, trimmed
from prospero._outbox import DriveOutbox, Heart
from prospero._progress import Progress
from prospero._runs import RunBuffer
from prospero.errors import ProsperoError
from prospero.latency import Latency
from prospero.values import Advanced, Cursor, Notice, Run, Variable, cursor_from, notice_from


class Drive:
    """One open drive of a network: it holds the network's lease until it is closed.

    Made by `Network.drive`; use it as a context manager. For one thread at a time; the
    heartbeats come from another one.

    Attributes:
        cursor: where the network stood at the last answer.
        dt_ms: length of a step [ms].
        inputs, outputs: the variables that may be written and that are returned.
        notices: what happened to the network meanwhile, oldest first.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        attach: v1.DriveRequest,
        *,
        attach_timeout: float,
        lockstep: bool,
        heartbeat: float,
    ) -> None:
        """heartbeat: the window of `attach` [s], 0 for none."""
        self._method = method
        self._attach = attach
        self._attach_timeout = attach_timeout
        self._lockstep = lockstep
        self._outbox = DriveOutbox()
        self._heart = Heart(heartbeat, self._outbox.beat) if heartbeat else None
        self._pending: deque[Pending] = deque()
        self._tag = 0
        self._call: Any = None
        self.cursor = Cursor(0, 0)
        self.dt_ms = 0.0
        self.inputs: list[Variable] = []
        self.outputs: list[Variable] = []
        self.notices: deque[Notice] = deque(maxlen=1000)

    def open(self) -> Drive:
        """Attaches. Called by the context manager."""
        self._outbox.put(self._attach)
        self._call = self._method(self._outbox)
        with deadline(self._call, self._attach_timeout):
            attached = self._next_message().attached
        if self._heart is not None:
            self._heart.start()
        self._codec = DriveCodec(attached)
        self.inputs, self.outputs = self._codec.inputs, self._codec.outputs
        self.cursor = cursor_from(attached.cursor)
        self.dt_ms = attached.dt_ms
        return self

    def advance(
        self,
        inputs: Inputs | None = None,
        *,
        steps: int | None = None,
        at_step: int | None = None,
        output_every: int = 1,
    ) -> Advanced:
        """Advances the network by one step or several and returns its outputs.

        Args:
            inputs: values by variable or population: one value of the variable ([batch,
                size], or [size] when the batch is 1), or T rows of them for T steps. They
                are cast to the variable's type. An input that is left out keeps its value.
                A target that is left out, or None, is absent: the network runs free.
            steps: None takes it from the inputs. When it is None and no input has rows,
                the network makes one step and outputs have no axis for the steps.
            at_step: `cursor.step` that the frames belong to; StepMismatch otherwise.
            output_every: return every n-th step, the last one among them.

        Raises:
            InvalidArgument, StepMismatch, NetworkPaused: refused, nothing has changed and
                the drive goes on.
            Diverged: the network has left the finite range.
            LeaseLost, NetworkDeleted, HeartbeatMissed, Draining: the drive has ended.
        """
        frames, count, single = self._codec.ports.frames(inputs, steps)
        self._send(frames, count, at_step, output_every, single)
        return self._receive()

    def stream(
        self,
        inputs: Inputs,
        *,
        steps: int | None = None,
        chunk: int | None = None,
        output_every: int = 1,
        window: int = 8,
    ) -> Iterator[Advanced]:
        """Streams many steps at full speed and yields the answers, one for each chunk.

        Several chunks are on their way at any time. Together the answers hold the rows that
        one `advance` over all steps would have given.

        Args:
            inputs: by variable or population: [T, ...], or one value for all steps. A
                list may contain None: no frame in that step, so no teacher there.
            steps: T, when no input has rows; None is 1 then.
            chunk: steps in one message; None chooses.
            output_every: return every n-th step, the last one among them.
            window: messages on their way.

        Raises as `advance`. Chunks after a refused one change nothing (LOCKSTEP).
        """
        return self._stream(Series(self._codec.ports, inputs, steps), chunk, output_every, window)

    def run(
        self,
        inputs: Inputs,
        *,
        steps: int | None = None,
        chunk: int | None = None,
        output_every: int = 1,
        window: int = 8,
        progress: bool | None = None,
    ) -> Run:
        """As `stream`, and returns everything at once.

        Args:
            progress: show a progress bar; None shows it on a terminal when the call takes
                longer than two seconds.
        """
        series = Series(self._codec.ports, inputs, steps)
        buffer = RunBuffer(self.outputs, series.steps, output_every)
        with Progress(series.steps, progress) as bar:
            for advanced in self._stream(series, chunk, output_every, window):
                buffer.add(advanced)
                bar.advance(advanced.steps, advanced.loss)
        return buffer.run(self.cursor)

    def latency(self) -> dict[str, Latency]:
        """How long the requests of this drive took so far, by stage: "decode", "queue", "step",
        "encode" and "write", all of them on the server. A report comes with the first answer
        and then at most once a second, so this is up to a second older than the last answer."""
        return dict(self._codec.latency)

    def close(self) -> None:
        """Lets the requests sent so far finish and gives the lease back."""
        if self._call is None:
            return
        self._outbox.close()
        try:
            for _ in self._call:
                pass
        except grpc.RpcError:
            pass
        self._end()

    def cancel(self) -> None:
        """Breaks off at once. The server gives the lease back as soon as it notices."""
        if self._call is not None:
            self._call.cancel()
            self._end()

    def __enter__(self) -> Drive:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            self.close()
        else:
            self.cancel()

    def _stream(
        self, series: Series, chunk: int | None, output_every: int, window: int
    ) -> Iterator[Advanced]:
        plan = self._codec.plan(series, chunk, output_every)
        origin = self.cursor.step
        waiting: deque[Piece] = deque()
        try:
            for piece in plan:
                frames = series.piece(piece.start, piece.stop)
                at_step = origin + piece.start if self._lockstep else None
                self._send(frames, piece.stop - piece.start, at_step, piece.output_every, False)
                waiting.append(piece)
                if len(waiting) >= window:
                    yield trimmed(waiting.popleft(), self._receive())
            while waiting:
                yield trimmed(waiting.popleft(), self._receive())
        finally:
            self._settle()

    def _send(
        self, frames: Any, steps: int, at_step: int | None, output_every: int, single: bool
    ) -> None:
        if self._call is None:
            raise errors.Cancelled("the drive is closed")
        self._tag += 1
        request = self._codec.request(frames, steps, at_step, output_every, self._tag)
        self._pending.append(Pending(self._tag, single))
        self._outbox.put(request)

    def _receive(self) -> Advanced:
        while True:
            response = self._next_message()
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

    def _next_message(self) -> v1.DriveResponse:
        try:
            response: v1.DriveResponse = next(self._call)
            return response
        except grpc.RpcError as error:
            self._end()
            raise errors.from_rpc_error(error) from None
        except StopIteration:
            self._end()
            raise errors.Cancelled("the server has ended the drive") from None

    def _end(self) -> None:
        if self._heart is not None:
            self._heart.stop()
        self._outbox.close()
        self._pending.clear()
        self._call = None

    def _settle(self) -> None:
        """Takes the answers that are still due, so that the next advance gets its own."""
        while self._pending:
            try:
                self._receive()
            except ProsperoError:
                pass
