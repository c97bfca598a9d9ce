"""A disk that fails and a clock that jumps, for one process: shim.c and the file that steers it."""

import errno
import mmap
import shutil
import subprocess
from pathlib import Path

# As in shim.c.
_NAMES = (
    "space",
    "write_error",
    "short_writes",
    "sync_failures",
    "sync_delay_us",
    "clock_offset_ns",
    "writes",
    "writes_refused",
    "syncs",
    "syncs_refused",
    "looks",
)
_SOURCE = Path(__file__).with_name("shim.c")
_ANY = -1


def why_not() -> str | None:
    """Why this machine cannot have it; None when it can."""
    return None if shutil.which("cc") else "needs cc"


class Shim:
    """Steers the processes that are started with `environment`. Only what they do with files below
    `directory` fails. Every change holds at once.

    The library is built beside the file that steers it, in `folder`.
    """

    def __init__(self, folder: Path, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        library, control = folder / "shim.so", folder / "shim"
        if not library.exists():
            made = ["-o", str(library), str(_SOURCE)]
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", *made, "-ldl"], check=True)
        control.write_bytes(bytes(8 * len(_NAMES)))
        with control.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self._set("space", _ANY)
        self.environment = {
            "LD_PRELOAD": str(library),
            "PROSPERO_SHIM": str(control),
            "PROSPERO_SHIM_DIR": str(directory.resolve()),
        }

    def fill(self, space: int = 0, error: int = errno.ENOSPC) -> None:
        """So many bytes can still be written; then writes fail with that error."""
        self._set("write_error", error)
        self._set("space", space)

    def free(self) -> None:
        """Writes and syncs work again, at once and whole."""
        self._set("space", _ANY)
        self._set("short_writes", 0)
        self._set("sync_failures", 0)
        self._set("sync_delay_us", 0)

    def write_in_parts(self) -> None:
        """A write takes only half of what it is given."""
        self._set("short_writes", 1)

    def fail_syncs(self, times: int = _ANY) -> None:
        """The next so many syncs fail with EIO; without a number all of them."""
        self._set("sync_failures", times)

    def slow_syncs(self, seconds: float) -> None:
        """Each sync takes so much longer."""
        self._set("sync_delay_us", round(seconds * 1e6))

    def shift_clock(self, seconds: float) -> None:
        """The wall clock is off by that much."""
        self._set("clock_offset_ns", round(seconds * 1e9))

    def count(self, what: str) -> int:
        """Of `writes`, `writes_refused`, `syncs`, `syncs_refused`, `looks` at the wall clock."""
        return self._numbers[_NAMES.index(what)]

    def _set(self, name: str, value: int) -> None:
        self._numbers[_NAMES.index(name)] = value
