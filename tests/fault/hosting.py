"""A prosperod that a test starts, kills and starts again on the same directory and port."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pytest

PATIENCE = 60.0  # [s], before something that should come is given up


def binary() -> str:
    """The path of the prosperod under test."""
    path = os.environ.get("PROSPEROD", "")
    if not path or not os.access(path, os.X_OK):
        pytest.fail(f"set PROSPEROD to the path of a prosperod, got {path!r}", pytrace=False)
    return str(Path(path).resolve())


def await_true(condition, what: str, patience: float = PATIENCE):
    """Looks again and again until the condition says something that is true, and returns it."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen")
        time.sleep(0.002)
    return found


class Prosperod:
    """A prosperod on a free port of this machine. After the first start it keeps its port.

        with Prosperod(tmp_path, "--data-dir", "data") as server:
            server.kill()
            server.start()

    Its output goes to `folder/log`, that of all starts, one after the other.
    """

    def __init__(
        self, folder: Path, *flags: str, environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.flags = flags
        self.environment = dict(environment or {})
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def launch(self, *more_flags: str) -> Prosperod:
        """Starts it and does not wait."""
        assert self.process is None or self.process.poll() is not None, "it runs"
        (self.folder / "port").unlink(missing_ok=True)
        listen = ["--listen", self.target, "--port-file", "port"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), *listen, *self.flags, *more_flags],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        return self

    def listens(self) -> bool:
        """Whether it has come so far. Fails when it has ended instead."""
        assert self.process is not None
        file = self.folder / "port"
        if file.exists() and (text := file.read_text().strip()):
            self.port = int(text)
            return True
        if self.process.poll() is not None:
            raise AssertionError(f"prosperod ended with {self.process.returncode}:\n{self.log}")
        return False

    def start(self, *more_flags: str) -> Prosperod:
        """Starts it and waits until it listens; networks may still be on their way back."""
        self.launch(*more_flags)
        self.await_start()
        return self

    def await_start(self) -> None:
        """Until it listens. AssertionError when it has ended instead."""
        await_true(self.listens, "the start of prosperod")

    def refuses_to_start(self, *more_flags: str) -> str:
        """Starts it, and returns what it says when it ends with an error."""
        before = len(self.log)
        self.launch(*more_flags)
        assert self.process is not None
        try:
            assert self.process.wait(PATIENCE) != 0, "it must say so"
        finally:
            self.kill()
        return self.log[before:]

    def kill(self) -> None:
        """Ends it at once, as a loss of power does to a process."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Asks it to end, waits, and returns its exit status."""
        return self._end(signal.SIGTERM)

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def _end(self, number: int) -> int:
        assert self.process is not None
        self.signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Prosperod:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.runs():
            self.kill()
