"""A loop between two machines: on a bad line it works, on a broken one it stops as declared, and
after that it goes on."""

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from link import Link, Quality, why_not
from near_side import SAFE_COMMAND

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

_PATIENCE = 30.0  # [s], before something that should come is given up
_HERE = Path(__file__).parent

Line = dict[str, Any]


class Robot:
    """What the near side tells, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self.notices: list[Line] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def next(self) -> Line:
        """The next sample. Notices are kept aside."""
        while True:
            line = self._lines.get(timeout=_PATIENCE)
            assert line is not None, "the near side has ended"
            if "notice" not in line:
                return line
            self.notices.append(line)

    def until(self, condition: Callable[[Line], bool]) -> Line:
        """The first sample of that kind."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if condition(sample := self.next()):
                return sample
        raise AssertionError(f"it did not come; the last one was {sample}")

    def several(self, count: int) -> list[Line]:
        return [self.next() for _ in range(count)]

    def forget(self) -> None:
        """What is waiting, and the notices so far."""
        while not self._lines.empty():
            self.next()
        self.notices.clear()

    def told(self) -> set[str]:
        """Kinds of the notices since the last call of `forget`."""
        return {line["notice"] for line in self.notices}


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_HERE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def served(link: Link, folder: Path) -> Iterator[str]:
    """A prosperod on the near machine; its address."""
    binary = os.environ.get("PROSPEROD", "")
    assert os.access(binary, os.X_OK), "set PROSPEROD to the path of a prosperod"
    port_file = folder / "port"
    listen = f"{link.near_address}:0"
    flags = ["--ephemeral", "--listen", listen, "--allow-insecure", "--port-file", str(port_file)]
    with running(link.on_near(binary, *flags)):
        deadline = time.monotonic() + _PATIENCE
        while not port_file.exists():
            assert time.monotonic() < deadline, "prosperod did not start"
            time.sleep(0.01)
        yield f"{link.near_address}:{port_file.read_text().strip()}"


def is_unsafe(sample: Line) -> bool:
    return bool(sample["unsafe"])


def is_safe(sample: Line) -> bool:
    return not sample["unsafe"]


def learns(samples: list[Line]) -> bool:
    return any(a["weights"] != b["weights"] for a, b in itertools.pairwise(samples))


def test_a_broken_line_stops_robot_and_learning_and_a_mended_one_lets_them_go_on(tmp_path):
    quality = Quality(delay_s=0.005, jitter_s=0.002, loss=0.01)
    with Link(quality) as link, served(link, tmp_path) as address:
        near = link.on_near(sys.executable, _HERE / "near_side.py", address, "arm")
        far = link.on_far(sys.executable, _HERE / "far_side.py", address, "arm")
        with running(near) as near_process:
            robot = Robot(near_process)
            assert robot.next() == {"ready": "networks/arm"}
            with running(far) as far_process:
                robot.until(is_safe)
                learning = [robot.until(is_safe) for _ in range(40)]
                assert learns(learning), "it learns across the line"
                assert all(s["command"] == s["rate"] for s in learning)

                robot.forget()
                with link.broken():
                    broken_at = time.monotonic()
                    first = robot.until(is_unsafe)
                    assert first["command"] == SAFE_COMMAND
                    # Both the sensor and the driver are noticed.
                    robot.until(lambda _: "driver_missing" in robot.told())
                    frozen = robot.several(20)
                    assert all(s["command"] == SAFE_COMMAND for s in frozen)
                    assert not learns([first, *frozen]), "what was learned is untouched"
                    assert frozen[-1]["step"] > first["step"], "the network goes on"
                    time.sleep(max(0.0, 2.0 - (time.monotonic() - broken_at)))
                expected = {"input_silent", "learning_frozen", "driver_left", "driver_missing"}
                assert expected <= robot.told()

                robot.forget()
                robot.until(is_safe)
                again = [robot.until(is_safe) for _ in range(40)]
                assert learns(again), "it learns again"
                assert all(s["command"] == s["rate"] for s in again)
                assert robot.told() >= {"input_returned", "learning_resumed", "driver_came"}

                output, _ = far_process.communicate(timeout=_PATIENCE)
    report = json.loads(output)
    assert report["complete"], "not one sample was lost for who wanted all"
    # Once, or more often where a busy machine lets beats wait as long as the line did.
    assert set(report["setbacks"]["driver"]) == {"HeartbeatMissed"}
    assert report["frames"]["applied"] > 0
    assert report["frames"]["late"] > 0, "stale frames came when the line was mended"
