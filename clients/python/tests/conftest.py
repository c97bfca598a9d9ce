"""A prosperod of this session's own, and a client of it."""

import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest

import prospero


class Server:
    """A prosperod on a free port of this machine."""

    def __init__(self, folder: Path, *flags: str) -> None:
        binary = os.environ.get("PROSPEROD")
        if not binary or not os.access(binary, os.X_OK):
            pytest.fail(
                "set PROSPEROD to the path of a prosperod: these tests run against a real server, "
                f"got {binary!r}",
                pytrace=False,
            )
        port_file, self.log = folder / "port", folder / "log"
        command = [binary, "--listen", "127.0.0.1:0", "--port-file", str(port_file), *flags]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        self.target = f"127.0.0.1:{self._port(port_file)}"

    def _port(self, file: Path) -> int:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            if file.exists() and (text := file.read_text().strip()):
                return int(text.rpartition(":")[2])
            time.sleep(0.01)
        pytest.fail(f"prosperod did not start:\n{self.log.read_text()}", pytrace=False)

    def stop(self) -> int:
        """Asks it to end and returns its exit status."""
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("prosperod"))
    yield server
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="session")
def client(server):
    with prospero.Client(server.target) as client:
        client.wait_ready()
        yield client


@pytest.fixture
def make(client):
    """Makes networks that are gone after the test."""
    made = []

    def make(spec, id=None, **arguments):
        network = client.create_network(spec, id or f"t-{uuid.uuid4().hex[:12]}", **arguments)
        made.append(network)
        return network

    yield make
    for network in made:
        network.delete(allow_missing=True)


@pytest.fixture
def chain():
    """A small chain; arguments of `gle.chain` change it."""

    def chain(sizes=(2, 3, 1), **arguments):
        defaults = {"dt_ms": 0.5, "tau_m": 5.0, "tau_r": 1.0, "learning_rate": 0.01, "seed": 1}
        return prospero.gle.chain(sizes, **{**defaults, **arguments})

    return chain
