"""Two machines in one: network namespaces joined by a line that delays, jitters, loses and breaks.

Debian's kernels on small machines often come without netem, so the line is this process: it
carries IP packets between two TUN devices. It needs root and /dev/net/tun.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_CLONE_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_IFF_TUN_WITHOUT_HEADER = 0x0001 | 0x1000
_LARGEST_PACKET = 65536


def why_not() -> str | None:
    """Why this machine cannot have such a line; None when it can."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "needs /dev/net/tun"
    probe = f"probe-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    except FileNotFoundError:
        return "needs ip, of the package iproute2"
    if made.returncode != 0:
        return f"cannot make a network namespace: {made.stderr.strip()}"
    _ip("netns", "delete", probe)
    return None


@dataclass(frozen=True)
class Quality:
    """What the line does to packets, in each direction."""

    delay_s: float = 0.0
    jitter_s: float = 0.0  # delays are even in delay_s +- jitter_s; packets keep their order
    loss: float = 0.0  # probability
    seed: int = 1


class Link:
    """`near` and `far`, each a machine with one address, while the context lasts."""

    near_address = "10.203.0.1"
    far_address = "10.203.0.2"

    def __init__(self, quality: Quality) -> None:
        suffix = f"{os.getpid()}"
        self._near, self._far = f"near-{suffix}", f"far-{suffix}"
        self._quality = quality
        self._broken = threading.Event()
        self._stop_read, self._stop_write = os.pipe()
        self._carrier: threading.Thread | None = None
        self._devices: list[int] = []
        self.carried = 0
        self.lost = 0

    def __enter__(self) -> "Link":
        for namespace, address in (
            (self._near, self.near_address),
            (self._far, self.far_address),
        ):
            _ip("netns", "add", namespace)
            self._devices.append(_tun(namespace, address))
        self._carrier = threading.Thread(target=self._carry, name="link", daemon=True)
        self._carrier.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._stop_write, b"x")
        if self._carrier is not None:
            self._carrier.join()
        for descriptor in (*self._devices, self._stop_read, self._stop_write):
            os.close(descriptor)
        for namespace in (self._near, self._far):
            _ip("netns", "delete", namespace)

    def on_near(self, *command: str | Path) -> list[str]:
        """The command, to be run on the near machine."""
        return _inside(self._near, command)

    def on_far(self, *command: str | Path) -> list[str]:
        """The command, to be run on the far machine."""
        return _inside(self._far, command)

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Nothing gets through, and nobody is told."""
        self._broken.set()
        try:
            yield
        finally:
            self._broken.clear()

    def _carry(self) -> None:
        chance = random.Random(self._quality.seed)
        under_way: list[tuple[float, int, int, bytes]] = []
        last_out = {device: 0.0 for device in self._devices}
        near, far = self._devices
        other = {near: far, far: near}
        while True:
            now = time.monotonic()
            wait = max(under_way[0][0] - now, 0.0) if under_way else None
            ready, _, _ = select.select([near, far, self._stop_read], [], [], wait)
            if self._stop_read in ready:
                return
            for device in ready:
                packet = os.read(device, _LARGEST_PACKET)
                if self._broken.is_set() or chance.random() < self._quality.loss:
                    self.lost += 1
                    continue
                due = time.monotonic() + self._quality.delay_s
                due += self._quality.jitter_s * chance.uniform(-1.0, 1.0)
                out = other[device]
                last_out[out] = due = max(due, last_out[out])
                self.carried += 1
                heapq.heappush(under_way, (due, self.carried, out, packet))
            now = time.monotonic()
            while under_way and under_way[0][0] <= now:
                _, _, out, packet = heapq.heappop(under_way)
                os.write(out, packet)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _inside(namespace: str, command: tuple[str | Path, ...]) -> list[str]:
    return ["ip", "netns", "exec", namespace, *map(str, command)]


def _tun(namespace: str, address: str) -> int:
    """A TUN device in the namespace; packets that are sent there can be read from it."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        _enter(there.fileno())
        try:
            device = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"line", _IFF_TUN_WITHOUT_HEADER))
        finally:
            _enter(home.fileno())
    for command in (
        ("address", "add", f"{address}/24", "dev", "line"),
        ("link", "set", "line", "up"),
        ("link", "set", "lo", "up"),
    ):
        _ip("-n", namespace, *command)
    return device


def _enter(namespace: int) -> None:
    """Moves the calling thread; Python's own os.setns is younger than Debian 12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
