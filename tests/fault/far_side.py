"""The machine behind the line: a sensor, a driver that teaches, and one who wants every sample.

    far_side.py ADDRESS NAME

Each of the three comes back by itself after whatever went wrong. When its input ends, it tells in
one line of JSON what became of them and goes.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

import prospero


class Far:
    def __init__(self, network: prospero.Network) -> None:
        self._network = network
        self._over = threading.Event()
        self.frames = {"applied": 0, "late": 0, "dropped": 0}
        self.setbacks: dict[str, list[str]] = {"sensor": [], "driver": []}
        self.steps: list[int] = []
        self.gaps = 0
        self._samples = network.subscribe("output.r", delivery="reliable", reconnect=True)
        self._threads = [
            threading.Thread(target=self._again, args=("sensor", self._sense)),
            threading.Thread(target=self._again, args=("driver", self._drive)),
            threading.Thread(target=self._read),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        self._samples.close()
        for thread in self._threads:
            thread.join()

    def _again(self, role: str, work: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                work()
            except prospero.ProsperoError as error:
                self.setbacks[role].append(type(error).__name__)
                self._over.wait(0.1)

    def _sense(self) -> None:
        """Frames at 100 Hz; those that waited behind the cut are too old to be of use."""
        with self._network.feed("input", max_age=0.25, preempt=True) as feed:
            while not self._over.wait(0.01):
                feed.push(np.sin(time.time() * np.arange(1, 5)), captured_at=time.time())
        assert feed.summary is not None
        summary = asdict(feed.summary)
        for count in self.frames:
            self.frames[count] += summary[count]

    def _drive(self) -> None:
        with self._network.drive("output", heartbeat=0.5) as drive:
            while not self._over.is_set():
                drive.advance({"output": np.cos([time.time(), 2 * time.time()])}, steps=10)

    def _read(self) -> None:
        for sample in self._samples:
            self.steps.append(sample.step)
            self.gaps += sample.gap is not None

    def report(self) -> dict[str, Any]:
        expected = range(self.steps[0], self.steps[-1] + 1)
        return {
            "frames": self.frames,
            "setbacks": self.setbacks,
            "samples": len(self.steps),
            "complete": self.steps == list(expected) and self.gaps == 0,
        }


if __name__ == "__main__":
    with prospero.Client(sys.argv[1]) as client:
        client.wait_ready()
        far = Far(client.get_network(sys.argv[2]))
        far.start()
        sys.stdin.read()
        far.stop()
        print(json.dumps(far.report()), flush=True)
