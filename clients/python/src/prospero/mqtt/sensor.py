"""One topic that feeds one input."""

from __future__ import annotations

import logging
import threading

from prospero._resume import Backoff
from prospero.client import Client
from prospero.errors import InvalidArgument, ProsperoError
from prospero.feed import Feed
from prospero.mqtt.config import Input
from prospero.mqtt.payload import decode

log = logging.getLogger("prospero.mqtt")


class Sensor:
    """Keeps a feed open on a thread of its own; messages come on another one."""

    def __init__(self, client: Client, network: str, route: Input, over: threading.Event) -> None:
        self._client = client
        self._network = network
        self._over = over
        self._feed: Feed | None = None
        self._lost = 0
        self._bad = 0
        self.route = route

    def take(self, payload: bytes | bytearray) -> None:
        """Never waits. What cannot be read, or comes while the feed is broken, is counted."""
        feed = self._feed
        if feed is None:
            self._lost += 1
            return
        try:
            route = self.route
            feed.push(decode(payload, route.format, route.field, feed.variable.shape))
        except (ValueError, RecursionError) as error:
            self._bad += 1
            if self._bad & (self._bad - 1) == 0:  # the first, second, fourth, eighth ...
                log.warning("%s: cannot read message %d: %s", route.topic, self._bad, error)
        except ProsperoError:
            self._lost += 1  # the feed has ended: its keeper says why

    def keep(self) -> None:
        """Returns when it is over. Raises InvalidArgument when the input cannot be fed."""
        backoff, said = Backoff(), ""
        while not self._over.is_set():
            try:
                self._hold()
                backoff, said = Backoff(), ""
            except InvalidArgument:
                raise
            except ProsperoError as error:
                if str(error) != said:
                    log.warning("%s: no feed of %s: %s", self.route.topic, self.route.input, error)
                    said = str(error)
                self._over.wait(backoff.next())

    def _hold(self) -> None:
        """One feed from its beginning to its end. Raises what has ended it."""
        route = self.route
        feed = self._client.get_network(self._network).feed(
            route.input,
            between=route.between,
            late=route.late,
            max_pending=route.max_pending,
            preempt=route.preempt,
        )
        with feed:
            log.info("%s feeds %s", route.topic, feed.variable.name)
            if self._lost:
                log.warning("%s: %d messages came meanwhile", route.topic, self._lost)
                self._lost = 0
            self._feed = feed
            try:
                while not feed.wait(0.2) and not self._over.is_set():
                    pass
            finally:
                self._feed = None
        summary = feed.summary
        if summary is not None:
            log.info(
                "%s: %d frames, %d took effect, %d were late, %d invalid",
                *(route.topic, summary.received, summary.applied, summary.late, summary.invalid),
            )
