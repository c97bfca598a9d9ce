"""Records what goes into a network, and plays it back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from prospero import errors
from prospero._arrays import Array
from prospero._progress import Progress
from prospero._runs import RunBuffer
from prospero._tape import Tape, check_replayable
from prospero.errors import ProsperoError
from prospero.subscription import Subscription
from prospero.values import Cursor, Notice, Run, Sample

if TYPE_CHECKING:
    from prospero.network import Network


class Record:
    """Everything that goes into a network, at the steps at which it takes effect.

        twin = network.clone()
        with network.record() as record:
            ...                                 # REALTIME, with drivers and feeds
        run = record.replay(twin)               # LOCKSTEP: the same bits

    Made by `Network.record` as a context manager: it records from entering to leaving, on a
    thread of its own, and never holds the network up. It has the values of all inputs at every
    step, whether targets were there, and changes of parameters and of `learning`. Not in it are
    weights that were set by a call.

    Attributes:
        notices: what happened to the network meanwhile, oldest first.
    """

    def __init__(self, open: Callable[[], Subscription], where: Callable[[], Cursor]) -> None:
        """where: asks where the network stands."""
        self._open = open
        self._where = where
        self._tape: Tape | None = None
        self._stream: Subscription | None = None
        self._error: ProsperoError | None = None
        self._at = Cursor(0, 0)
        self._changed = threading.Condition()
        self._ended = False
        self.notices: deque[Notice] = deque(maxlen=1000)

    @property
    def tape(self) -> Tape:
        if self._tape is None:
            raise errors.Cancelled("nothing was recorded yet")
        return self._tape

    @property
    def start(self) -> Cursor:
        """Where the network stood before the first step."""
        return self.tape.start

    @property
    def cursor(self) -> Cursor:
        """Where it stood after the last step."""
        return self.tape.cursor

    @property
    def steps(self) -> int:
        return self.tape.steps

    def __getitem__(self, name: str) -> Array:
        """Values of an input variable, [steps, *shape]."""
        return self.tape.array(name)

    def open(self) -> Record:
        """Begins to record. Called by the context manager."""
        self._stream = self._open()
        self._tape = Tape(self._stream.cursor, self._stream.dt_ms)
        self._at = self._stream.cursor
        threading.Thread(target=self._take, name="prospero-record", daemon=True).start()
        return self

    def close(self, timeout: float = 30.0) -> None:
        """Waits for the step at which the network stands now, at most so long [s], and ends.

        Raises:
            CursorEvicted: this process was too slow, or away for too long: steps are lost.
            Aborted: the network was reset or restored meanwhile.
        """
        if self._stream is None:
            return
        try:
            wanted = self._where()
            with self._changed:
                done = self._changed.wait_for(lambda: self._ended or self._at >= wanted, timeout)
            if not done:
                raise errors.DeadlineExceeded(f"step {wanted.step} was not recorded in time")
        finally:
            self._stream.close()
            self._stream = None
        if self._error is not None:
            raise self._error

    def replay(
        self,
        network: Network,
        outputs: str | Iterable[str] = (),
        *,
        progress: bool | None = None,
    ) -> Run:
        """Plays the record into another network, which must be as the recorded one was at its
        start: a clone, or one of the same spec and seed. It is put into LOCKSTEP and started,
        and makes the same steps, bit for bit, as fast as possible.

        Args:
            outputs: variables to return, by name or glob; none means the rates of the output
                populations.
            progress: as in `Drive.run`.

        Raises:
            InvalidArgument: the network stands at another step, or has other inputs.
            LeaseHeld: it has a driver.
        """
        network.refresh()
        check_replayable(self.tape, network.cursor, network.dt_ms)
        network.update(clock="lockstep")
        network.start()
        with network.drive(outputs=outputs) as drive:
            buffer = RunBuffer(drive.outputs, self.steps, 1)
            with Progress(self.steps, progress) as bar:
                for segment in self.tape.segments():
                    if segment.parameters or segment.learning is not None:
                        network.update(parameters=segment.parameters, learning=segment.learning)
                    for advanced in drive.stream(segment.inputs, steps=segment.steps):
                        buffer.add(advanced)
                        bar.advance(advanced.steps, advanced.loss)
            return buffer.run(drive.cursor)

    def save(self, path: str | Path) -> None:
        """Writes it to a file, a NumPy archive (.npz)."""
        self.tape.save(path)

    @staticmethod
    def load(path: str | Path) -> Record:
        """Reads what `save` wrote. Raises InvalidArgument for another file."""

        def never() -> Subscription:
            raise errors.Cancelled("a record from a file cannot go on")

        record = Record(never, lambda: Cursor(0, 0))
        record._tape = Tape.load(path)
        return record

    def __enter__(self) -> Record:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif self._stream is not None:
            self._stream.close()
            self._stream = None

    def _reach(self, cursor: Cursor) -> None:
        with self._changed:
            self._at = max(self._at, cursor)
            self._changed.notify_all()

    def _take(self) -> None:
        stream, tape = self._stream, self.tape
        assert stream is not None
        try:
            for event in stream.events():
                if isinstance(event, Sample):
                    tape.add(event)
                    self._reach(tape.cursor)
                elif isinstance(event, Notice):
                    self.notices.append(event)
                    self._reach(event.cursor)
        except ProsperoError as error:
            self._error = error
            stream.close()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
