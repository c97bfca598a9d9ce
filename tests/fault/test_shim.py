"""The shim does what it says, and to nobody else: also to SQLite, which makes its own calls."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shim import Shim, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def shim(tmp_path: Path, disk: Path) -> Shim:
    return Shim(tmp_path, disk)


Run = Callable[[str], str]


@pytest.fixture
def run(shim: Shim, disk: Path) -> Run:
    """Runs some Python below the shim, in the disk, and returns what it printed."""

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", f"import os, sqlite3, threading, time\n{code}"],
            cwd=disk,
            env={**os.environ, **shim.environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()

    return run


WRITE = """
file = os.open({path!r}, os.O_CREAT | os.O_WRONLY)
done = 0
try:
    while done < 1000:
        done += os.write(file, bytes(100))
    os.fsync(file)
    print(done, 0)
except OSError as error:
    print(done, error.errno)
"""

COMMIT = """
base = sqlite3.connect("base.db")
try:
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE IF NOT EXISTS t (x BLOB)")
    with base:
        base.execute("INSERT INTO t VALUES (zeroblob(50000))")
except sqlite3.OperationalError as error:
    print("refused:", error)
print(base.execute("SELECT count(*) FROM t").fetchone()[0])
"""


def test_without_a_wish_nothing_is_changed(run, shim, disk):
    assert run(WRITE.format(path="file")) == "1000 0"
    assert (disk / "file").stat().st_size == 1000
    assert (shim.count("writes"), shim.count("syncs")) == (10, 1)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_takes_what_fits_and_refuses_the_rest(run, shim, disk, error):
    shim.fill(space=250, error=error)
    assert run(WRITE.format(path="file")) == f"250 {error}"
    assert (disk / "file").stat().st_size == 250


def test_a_file_beside_the_disk_can_be_written_all_the_same(run, shim, tmp_path):
    shim.fill()
    shim.fail_syncs()
    assert run(WRITE.format(path=str(tmp_path / "beside"))) == "1000 0"


def test_writes_in_parts_are_half_as_long(run, shim):
    shim.write_in_parts()
    assert run(WRITE.format(path="file")) == "1000 0"
    assert shim.count("writes") == 20


def test_so_many_syncs_fail_as_was_said(run, shim):
    shim.fail_syncs(times=1)
    assert run(WRITE.format(path="file")) == f"1000 {errno.EIO}"
    assert run(WRITE.format(path="file")) == "1000 0"
    shim.fail_syncs()
    for _ in range(3):
        assert run(WRITE.format(path="file")) == f"1000 {errno.EIO}"


def test_sqlite_meets_a_full_disk_and_keeps_what_it_had(run, shim):
    assert run(COMMIT) == "1"
    shim.fill(space=20_000)
    full = run(COMMIT)
    assert full.startswith("refused: database or disk is full") and full.endswith("\n1")
    shim.free()
    assert run(COMMIT) == "2"


def test_sqlite_meets_a_disk_that_does_not_sync(run, shim):
    assert run(COMMIT) == "1"
    shim.fail_syncs()
    assert run(COMMIT).startswith("refused: disk I/O error")
    assert shim.count("syncs_refused") > 0
    shim.free()
    assert run(COMMIT) in ("2", "3"), "what was refused may be there"


def test_sqlite_can_write_in_parts(run, shim):
    shim.write_in_parts()
    assert run(COMMIT) == "1"
    assert run("print(sqlite3.connect('base.db').execute('PRAGMA quick_check').fetchone()[0])") == (
        "ok"
    )


def test_the_wall_clock_is_off_and_the_steady_one_is_not(run, shim):
    now = int(run("print(time.time_ns())"))
    assert abs(now - time.time_ns()) < 60e9
    shim.shift_clock(-86400)
    code = "print(time.time_ns(), time.monotonic_ns())"
    wall, steady = (int(word) for word in run(code).split())
    assert abs(wall + 86400e9 - time.time_ns()) < 60e9
    assert abs(steady - time.monotonic_ns()) < 60e9


SLEEPER = """
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

// Waits for ten seconds of the wall clock, and says what woke it for good.
int main(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 10;
  puts("waits");
  fflush(stdout);
  pthread_mutex_lock(&mutex);
  int woken = 0;
  while (woken == 0) woken = pthread_cond_timedwait(&condition, &mutex, &until);
  puts(woken == ETIMEDOUT ? "in time" : "failed");
  return 0;
}
"""


def test_who_waits_for_the_wall_clock_follows_its_jumps(tmp_path, shim):
    source, program = tmp_path / "sleeper.c", tmp_path / "sleeper"
    source.write_text(SLEEPER)
    subprocess.run(["cc", "-o", program, source], check=True)
    environment = {**os.environ, **shim.environment}
    with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True) as sleeper:
        assert sleeper.stdout is not None
        assert sleeper.stdout.readline() == "waits\n"
        shim.shift_clock(-86400)
        seen = shim.count("looks")
        while shim.count("looks") < seen + 10:
            assert sleeper.poll() is None
            time.sleep(0.01)
        shim.shift_clock(86400)
        assert sleeper.stdout.readline() == "in time\n"
        assert sleeper.wait(30) == 0
