"""The bridge as its users run it: a process, a broker, a server."""

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types

import numpy as np
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from prospero.mqtt import Bridge, Config, Output

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Broker:
    """A mosquitto on a free port of this machine, which can be started again there."""

    def __init__(self, folder):
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._log = folder / "mosquitto.log"
        self.start()

    def start(self):
        with self._log.open("ab") as log:
            command = [MOSQUITTO, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        while True:
            assert self._process.poll() is None, self._log.read_text()
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)

    def stop(self):
        self._process.kill()
        self._process.wait()


class Listener:
    """A client of the broker that keeps what it hears."""

    def __init__(self, port, topic):
        self._topic = topic
        self._heard = queue.Queue()
        self._subscribed = queue.Queue()
        self.mqtt = paho.Client(CallbackAPIVersion.VERSION2)
        self.mqtt.on_connect = lambda client, *_: client.subscribe(topic)
        self.mqtt.on_subscribe = lambda *_: self._subscribed.put(True)
        self.mqtt.on_message = lambda _, __, message: self._heard.put(message.payload)
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.connect("127.0.0.1", port)
        self.mqtt.loop_start()
        self._subscribed.get(timeout=30)

    def hear(self):
        return self._heard.get(timeout=30)

    def hear_until(self, payload):
        while self.hear() != payload:
            pass

    def close(self):
        self.mqtt.disconnect()  # Its thread ends by itself.


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def listen(broker):
    listeners = []

    def listen(topic):
        listeners.append(Listener(broker.port, topic))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.close()


@pytest.fixture
def bridge(broker, server, tmp_path):
    """Starts a bridge with further flags."""
    started = []

    def bridge(network, *flags):
        command = [sys.executable, "-m", "prospero.mqtt", "--network", network]
        command += ["--target", server.target, "--broker", f"127.0.0.1:{broker.port}", *flags]
        with (tmp_path / "bridge.log").open("ab") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log))
        return started[-1]

    yield bridge
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def log(tmp_path):
    return lambda: (tmp_path / "bridge.log").read_text()


OUTPUT = ("--output", "output.r=robot/arm", "--max-rate", "50", "--status", "robot/status")


def test_samples_of_an_output_are_messages(make, chain, bridge, listen):
    network = make(chain((2, 3, 2)), clock="free")
    heard, status = listen("robot/arm"), listen("robot/status")
    bridge(network.id, *OUTPUT)
    status.hear_until(b"online")
    network.start()
    for _ in range(3):
        values = json.loads(heard.hear())
        assert len(values) == 2 and all(isinstance(value, float) for value in values)


def test_raw_samples_are_little_endian_floats(make, chain, bridge, listen):
    network = make(chain((2, 3, 2), precision="float64"), learning=False)
    heard, status = listen("robot/arm"), listen("robot/status")
    bridge(network.id, *OUTPUT, "--format", "float32", "--qos", "1")
    status.hear_until(b"online")
    expected = network.step({"input": [1.0, 2.0]})["output.r"]
    assert np.array_equal(np.frombuffer(heard.hear(), "<f4"), expected[0].astype("f4"))


def test_messages_are_frames_of_an_input(make, chain, bridge, listen, log):
    network = make(chain(), clock="free")
    network.start()
    sender, status = listen("robot/sensor"), listen("robot/status")
    sender.mqtt.publish("robot/sensor", "[9, 9]", retain=True).wait_for_publish(30)
    with network.subscribe("input.r", every=1, max_rate=100) as samples:
        bridge(network.id, "--input", "robot/sensor=input", *OUTPUT)
        status.hear_until(b"online")
        for number in range(10_000):
            sender.mqtt.publish("robot/sensor", json.dumps([number, 0.5]))
            sample = next(samples)["input.r"][0]
            assert sample[0] != 9 or sample[1] == 0.5
            if sample[0] > 0:
                break
        assert sample[0] <= number and sample[1] == 0.5
        sender.mqtt.publish("robot/sensor", '["no", "numbers"]')
        while "robot/sensor: cannot read message 1: no JSON array of numbers" not in log():
            time.sleep(0.01)
    assert "robot/sensor feeds input.r" in log()
    assert "a retained message is an old one" in log()


def test_notices_are_messages(make, chain, bridge, listen):
    network = make(chain())
    notices, status = listen("robot/notices"), listen("robot/status")
    bridge(network.id, "--notices", "robot/notices", "--status", "robot/status")
    status.hear_until(b"online")
    network.step(steps=3)
    network.pause()
    notice = json.loads(notices.hear())
    assert (notice["kind"], notice["step"]) == ("paused", 3)


def test_a_broker_that_comes_back_is_found_again(make, chain, bridge, listen, broker, log):
    network = make(chain(), clock="free")
    network.start()
    heard, status = listen("robot/arm"), listen("robot/status")
    bridge(network.id, *OUTPUT)
    heard.hear()
    broker.stop()
    broker.start()
    status.hear_until(b"online")
    while heard._heard.qsize():
        heard.hear()
    heard.hear()
    assert "the broker is gone" in log()


def test_a_network_that_comes_back_is_found_again(client, make, chain, bridge, listen):
    network = make(chain())
    heard, status = listen("robot/arm"), listen("robot/status")
    bridge(network.id, *OUTPUT)
    status.hear_until(b"online")
    network.delete()
    status.hear_until(b"waiting")
    again = make(chain(), network.id)
    status.hear_until(b"online")
    again.step()
    heard.hear()


def test_the_last_will_tells_of_a_bridge_that_was_killed(make, chain, bridge, listen):
    status = listen("robot/status")
    process = bridge(make(chain()).id, *OUTPUT)
    status.hear_until(b"online")
    process.kill()
    status.hear_until(b"offline")


def test_a_bridge_that_is_asked_to_end_says_so(make, chain, bridge, listen):
    status = listen("robot/status")
    process = bridge(make(chain()).id, *OUTPUT)
    status.hear_until(b"online")
    process.send_signal(signal.SIGTERM)
    status.hear_until(b"offline")
    assert process.wait(30) == 0


def test_a_bridge_ends_though_the_thread_of_paho_ends_first(
    make, chain, broker, server, monkeypatch
):
    def current_thread():
        """Holds `loop_stop` up where it has seen a thread and is about to join it."""
        for thread in threading.enumerate():
            if thread.name.startswith("paho-mqtt-client"):
                thread.join(30)
        return threading.current_thread()

    held_up = types.SimpleNamespace(**(vars(threading) | {"current_thread": current_thread}))
    monkeypatch.setattr("paho.mqtt.client.threading", held_up)
    outputs = (Output("output.r", "robot/arm"),)
    bridge = Bridge(Config(make(chain()).id, server.target, port=broker.port, outputs=outputs))
    threading.Timer(0.5, bridge.stop).start()
    bridge.run()


@pytest.mark.parametrize(
    "flags", [("--input", "robot/sensor=nothing"), ("--output", "nothing.r=robot/arm")]
)
def test_a_name_that_the_network_does_not_have_ends_it(make, chain, bridge, log, flags):
    process = bridge(make(chain(), clock="free").id, *flags)
    assert process.wait(60) == 1
    assert "nothing" in log()
