"""A drive gives signs of life, whatever its caller does; a process that cannot, loses it."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest
from fake import attached, echo, fake_server, network_of

import prospero
from prospero import v1

WINDOW = 1.5  # [s]
BLOCKED = 2.0 * WINDOW


def listening(beats, wanted):
    """Echoes, and answers an advance only when `wanted` heartbeats have come before it."""

    def drive(requests, context):
        windows = []
        for request in requests:
            kind = request.WhichOneof("message")
            if kind == "attach":
                windows.append(request.attach.heartbeat.ToSeconds())
                yield attached()
            elif kind == "heartbeat":
                beats.append(1)
            else:
                assert len(beats) >= wanted
                yield echo(request, 0)

    return drive


def test_beats_come_while_the_caller_does_nothing():
    beats = []
    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.drive = listening(beats, 3)
        with network_of(client).drive(heartbeat=0.1) as drive:
            while len(beats) < 3:
                time.sleep(0.01)
            assert drive.advance({"input": 1.0})["output.r"] == 1.0


def attach_of(mode, heartbeat):
    """The window that a drive declares."""
    declared = []

    def drive(requests, context):
        declared.append(next(requests).attach.heartbeat.ToTimedelta().total_seconds())
        yield attached()
        for _ in requests:
            pass

    with fake_server() as (target, _, simulation), prospero.Client(target) as client:
        simulation.drive = drive
        network_of(client, mode).drive(heartbeat=heartbeat).open().close()
    return declared[0]


def test_the_clock_chooses_the_window_unless_it_is_given():
    assert attach_of(v1.Clock.MODE_LOCKSTEP, None) == 0
    assert attach_of(v1.Clock.MODE_REALTIME, None) == 2.0
    assert attach_of(v1.Clock.MODE_FREE, None) == 2.0
    assert attach_of(v1.Clock.MODE_FREE, 0) == 0
    assert attach_of(v1.Clock.MODE_LOCKSTEP, 0.75) == 0.75


def test_a_caller_who_is_blocked_keeps_the_lease(make, chain):
    network = make(chain())
    with network.drive(heartbeat=WINDOW) as drive:
        time.sleep(BLOCKED)
        assert network.refresh().driven
        assert drive.advance({"input": [0.0, 0.0]}).cursor.step == 1


def test_an_event_loop_that_is_blocked_keeps_the_lease(server, make, chain):
    name = make(chain()).id

    async def scenario():
        async with prospero.aio.Client(server.target) as client:
            network = await client.get_network(name)
            async with network.drive(heartbeat=WINDOW) as drive:
                time.sleep(BLOCKED)
                assert (await network.refresh()).driven
                assert (await drive.advance({"input": [0.0, 0.0]})).cursor.step == 1
                run = await drive.run({"input": [[0.0, 0.0]] * 100})
                assert run.cursor.step == 101

    asyncio.run(scenario())


DRIVER = """
import sys, prospero
target, name, window = sys.argv[1:]
with prospero.Client(target) as client:
    with client.get_network(name).drive(heartbeat=float(window)) as drive:
        print("attached", flush=True)
        sys.stdin.readline()
        try:
            drive.advance()
        except prospero.ProsperoError as error:
            print(type(error).__name__, flush=True)
"""


@pytest.fixture
def driver(server):
    """Starts a process that drives a network."""
    started = []

    def start(name, window):
        command = [sys.executable, "-c", DRIVER, server.target, name, str(window)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "attached\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until_free(network):
    while network.refresh().driven:
        time.sleep(0.02)


def test_a_process_that_is_stopped_loses_the_lease(make, chain, driver):
    network = make(chain())
    process = driver(network.id, 0.5)
    process.send_signal(signal.SIGSTOP)
    wait_until_free(network)
    process.send_signal(signal.SIGCONT)
    assert process.communicate("go on\n")[0] == "HeartbeatMissed\n"


def test_a_process_that_is_killed_loses_the_lease(make, chain, driver):
    network = make(chain())
    driver(network.id, 0.5).kill()
    wait_until_free(network)
    with network.drive() as drive:
        assert drive.advance({"input": [0.0, 0.0]}).cursor.step == 1
