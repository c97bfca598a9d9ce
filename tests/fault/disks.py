"""Disks that refuse to keep what they are given, until they are told to work again."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

import shim


class Disk(Protocol):
    """A folder on a disk that can be spoilt."""

    folder: Path
    environment: dict[str, str]  # for a process that uses it

    def spoil(self) -> None: ...

    def mend(self) -> None: ...


class Small:
    """A real disk of a few megabytes, that somebody else fills."""

    def __init__(self, mount: Path) -> None:
        self.folder = mount / "data"
        self.environment: dict[str, str] = {}
        self._filler = mount / "filler"

    def spoil(self) -> None:
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def mend(self) -> None:
        self._filler.unlink()


class Spoilt:
    """A folder in which a process's writes or syncs fail."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder / "data"
        self.shim = shim.Shim(folder, self.folder)
        self.environment = self.shim.environment
        self._kind = kind

    def spoil(self) -> None:
        if self._kind == "sync_error":
            self.shim.fail_syncs()
        else:
            self.shim.fill(error=errno.ENOSPC if self._kind == "full" else errno.EIO)

    def mend(self) -> None:
        self.shim.free()


KINDS = ("tmpfs", "full", "write_error", "sync_error")


@contextmanager
def disk(kind: str, folder: Path) -> Iterator[Disk]:
    """One of KINDS; skips the test where the machine cannot have it."""
    if kind != "tmpfs":
        if why := shim.why_not():
            pytest.skip(why)
        yield Spoilt(folder, kind)
        return
    with mounted(folder / "disk", "size=8m") as mount:
        yield Small(mount)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A tmpfs. Needs root."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(mount: Path) -> Iterator[None]:
    """Nobody can write there."""
    subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(mount)], check=True)
