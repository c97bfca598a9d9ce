"""The bridge itself."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from prospero._resume import Backoff
from prospero._samples import Selection
from prospero.client import Client
from prospero.errors import InvalidArgument, ProsperoError
from prospero.mqtt.config import Config, Output
from prospero.mqtt.payload import encode
from prospero.mqtt.sensor import Sensor
from prospero.subscription import Subscription
from prospero.values import Gap, Notice, Sample

log = logging.getLogger("prospero.mqtt")


class Bridge:
    """Connects the topics of one broker with one network until it is stopped.

        bridge = Bridge(config)
        bridge.run()                # `bridge.stop()` from another thread ends it

    Threads: paho's own, one for each input, one for the outputs. What a broken side would have
    got is lost, on purpose: an old command or an old measurement is worse than none. So are
    retained messages on topics of inputs.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._client = Client(config.target)
        self._sensors = {
            route.topic: Sensor(self._client, config.network, route, self._over)
            for route in config.inputs
        }
        self._status = "waiting"
        self._undelivered = 0
        self._stream: Subscription | None = None
        self._mqtt = self._make_mqtt()

    def run(self) -> None:
        """Bridges until `stop`. Raises InvalidArgument when the network has no such input or
        variable, whichever thread finds out."""
        config = self._config
        threads = [
            threading.Thread(target=self._guard, args=(work,), daemon=True)
            for work in [self._watch, *(s.keep for s in self._sensors.values())]
        ]
        self._mqtt.connect_async(config.host, config.port, config.keepalive)
        self._mqtt.loop_start()
        for thread in threads:
            thread.start()
        self._over.wait()
        while any(thread.is_alive() for thread in threads):
            if self._stream is not None:
                self._stream.close()
            for thread in threads:
                thread.join(0.1)
        self._tell_status("offline")
        self._mqtt.disconnect()
        # After `disconnect` paho's thread ends, and forgets itself, by itself: perhaps between the
        # two looks that `loop_stop` of paho 2.1 takes at it.
        with contextlib.suppress(AttributeError):
            self._mqtt.loop_stop()
        self._client.close()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ends `run`. Any thread, or a signal handler."""
        self._over.set()

    def _make_mqtt(self) -> paho.Client:
        config = self._config
        client = paho.Client(CallbackAPIVersion.VERSION2, config.client_id)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.reconnect_delay_set(1, 5)
        client.max_queued_messages_set(100)
        if config.username:
            password = (
                Path(config.password_file).read_text().strip() if config.password_file else ""
            )
            client.username_pw_set(config.username, password)
        if config.ca_file:
            client.tls_set(config.ca_file)
        if config.status:
            client.will_set(config.status, "offline", qos=1, retain=True)
        return client

    def _guard(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:
            self._failure = error
            self._over.set()

    # The broker's side, on paho's thread.

    def _on_connect(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, _: Any
    ) -> None:
        if reason.is_failure:
            log.error("the broker refuses: %s", reason)
            return
        log.info("connected to the broker %s:%d", self._config.host, self._config.port)
        if self._undelivered:
            log.warning("%d messages were not delivered meanwhile", self._undelivered)
            self._undelivered = 0
        for sensor in self._sensors.values():
            client.subscribe(sensor.route.topic, sensor.route.qos)
        self._tell_status(self._status)

    def _on_disconnect(
        self, client: paho.Client, userdata: Any, flags: Any, reason: ReasonCode, _: Any
    ) -> None:
        if not self._over.is_set():
            log.warning("the broker is gone: %s", reason)

    def _on_connect_fail(self, client: paho.Client, userdata: Any) -> None:
        log.warning("no broker answers at %s:%d", self._config.host, self._config.port)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        if message.retain:
            log.info("%s: a retained message is an old one, left out", message.topic)
            return
        self._sensors[message.topic].take(message.payload)

    # The network's side, on a thread of its own.

    def _watch(self) -> None:
        """Samples and notices to topics, until it is over. Raises InvalidArgument."""
        backoff, said = Backoff(), ""
        while not self._over.is_set():
            try:
                self._watch_once()
                backoff, said = Backoff(), ""
            except InvalidArgument:
                raise
            except ProsperoError as error:
                self._tell_status("waiting")
                if str(error) != said:
                    log.warning("cannot watch %s: %s", self._config.network, error)
                    said = str(error)
                self._over.wait(backoff.next())

    def _watch_once(self) -> None:
        outputs = self._config.outputs
        network = self._client.get_network(self._config.network)
        with network.subscribe(*map(_selection, outputs or (_NOTHING,)), max_pending=256) as stream:
            self._stream = stream
            for output in outputs:
                log.info("%s goes to %s", output.variable, output.topic)
            self._tell_status("online")
            for event in stream.events():
                if isinstance(event, Sample) and outputs:
                    self._publish_sample(outputs[event.selection], event)
                elif isinstance(event, Gap):
                    log.warning("%d samples were left out: %s", event.count, event.reason)
                elif isinstance(event, Notice):
                    self._publish_notice(event)

    def _publish_sample(self, output: Output, sample: Sample) -> None:
        """Nothing is kept for a broker that is away."""
        if not self._mqtt.is_connected():
            self._undelivered += 1
            return
        for values in sample.values.values():
            payload = encode(values, output.format, output.field)
            if self._mqtt.publish(output.topic, payload, output.qos, output.retain).rc != 0:
                self._undelivered += 1

    def _publish_notice(self, notice: Notice) -> None:
        log.info("%s: %s at step %d", notice.kind, notice.message, notice.cursor.step)
        if self._config.notices:
            message = {
                "kind": notice.kind,
                "epoch": notice.cursor.epoch,
                "step": notice.cursor.step,
                "message": notice.message,
                "variable": notice.variable,
            }
            self._mqtt.publish(self._config.notices, json.dumps(message), qos=1)

    def _tell_status(self, status: str) -> None:
        self._status = status
        if self._config.status and self._mqtt.is_connected():
            told = self._mqtt.publish(self._config.status, status, qos=1, retain=True)
            if status == "offline":
                told.wait_for_publish(5.0)


# A subscription wants something to watch, for its notices too.
_NOTHING = Output("learning", "", on_change=0.0)


def _selection(output: Output) -> Selection:
    return Selection(output.variable, output.every, output.max_rate, on_change=output.on_change)
