"""The line itself: it is as slow and as bad as it says."""

import re
import subprocess
import sys

import pytest

from link import Link, Quality, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

_ECHO = """
import socket
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("10.203.0.1", 7007))
print("ready", flush=True)
while True:
    data, sender = echo.recvfrom(64)
    echo.sendto(data, sender)
"""

_ASK = """
import socket, sys, time
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.settimeout(0.3)
delays, lost = [], 0
for number in range(int(sys.argv[1])):
    begin = time.monotonic()
    line.sendto(str(number).encode(), ("10.203.0.1", 7007))
    try:
        while line.recv(64) != str(number).encode():
            pass
        delays.append(time.monotonic() - begin)
    except TimeoutError:
        lost += 1
print(lost, min(delays, default=0))
"""


def ask(link: Link, count: int) -> tuple[int, float]:
    """Echoes lost, and the shortest way there and back [s]."""
    echoing = link.on_near(sys.executable, "-c", _ECHO)
    with subprocess.Popen(echoing, stdout=subprocess.PIPE) as echo:
        try:
            assert echo.stdout is not None and echo.stdout.readline() == b"ready\n"
            asking = link.on_far(sys.executable, "-c", _ASK, str(count))
            answer = subprocess.run(asking, capture_output=True, text=True, check=True)
        finally:
            echo.kill()
    lost, shortest = answer.stdout.split()
    return int(lost), float(shortest)


def test_a_packet_takes_at_least_its_delay_both_ways():
    with Link(Quality(delay_s=0.005, jitter_s=0.001)) as link:
        lost, shortest = ask(link, 20)
    assert lost == 0
    assert shortest >= 2 * 0.004


def test_packets_get_lost():
    # With 20 % each way the chance that none of 20 is lost is .64^20, about 1 in 7000; the seed
    # is fixed, so it does not happen.
    with Link(Quality(loss=0.2)) as link:
        lost, _ = ask(link, 20)
    assert 0 < lost < 20


def test_nothing_comes_through_a_broken_line():
    with Link(Quality()) as link:
        with link.broken():
            assert ask(link, 2)[0] == 2
        assert ask(link, 2)[0] == 0


def test_both_machines_have_nothing_but_the_line():
    with Link(Quality()) as link:
        for command in (link.on_near("ip", "link"), link.on_far("ip", "link")):
            listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            assert re.findall(r"^\d+: ([^:@]+)", listed, re.MULTILINE) == ["lo", "line"]
