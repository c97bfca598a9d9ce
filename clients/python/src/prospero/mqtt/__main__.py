"""The program `python -m prospero.mqtt`."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from typing import Any

from prospero import mqtt
from prospero.errors import ProsperoError, invalid
from prospero.mqtt import Config, Input, Output
from prospero.mqtt import config as configs


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m prospero.mqtt",
        description=mqtt.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--config", metavar="FILE", help="TOML; flags come on top of it")
    add("--network", metavar="ID", help="the network")
    add("--target", metavar="HOST:PORT", help="of the Prospero server (127.0.0.1:50051)")
    add("--broker", metavar="HOST[:PORT]", help="the MQTT broker (127.0.0.1:1883)")
    add("--username", help="for the broker")
    add("--password-file", metavar="FILE", help="its first line is the password")
    add("--ca-file", metavar="FILE", help="connects to the broker with TLS")
    add("--status", metavar="TOPIC", help='retained: "online", "waiting" or "offline"')
    add("--notices", metavar="TOPIC", help="what happens to the network, as JSON objects")
    add("--input", action="append", default=[], metavar="TOPIC=INPUT", help="any number of them")
    add("--output", action="append", default=[], metavar="VARIABLE=TOPIC", help="likewise")
    add("--format", default="json", choices=["json", "float32", "float64"], help="of the flags'")
    add("--qos", type=int, default=0, choices=[0, 1, 2], help="of the flags'")
    add("--max-rate", type=float, default=0.0, metavar="HZ", help="of the flags' outputs; 0: any")
    add("--verbose", action="store_true", help="log more")
    return parser


def config_from(arguments: argparse.Namespace) -> Config:
    """Raises InvalidArgument."""
    table: dict[str, Any] = configs.load(arguments.config) if arguments.config else {}
    for name in ("network", "target", "username", "password_file", "ca_file", "status", "notices"):
        if getattr(arguments, name) is not None:
            table[name] = getattr(arguments, name)
    if arguments.broker:
        host, colon, port = arguments.broker.rpartition(":")
        table["host"] = host if colon else arguments.broker
        if colon:
            if not port.isdigit():
                raise invalid("broker", f"must be HOST or HOST:PORT, got {arguments.broker!r}")
            table["port"] = int(port)
    more = {"format": arguments.format, "qos": arguments.qos}
    table["inputs"] = (
        *table.get("inputs", ()),
        *(Input(*_pair(p, "input"), **more) for p in arguments.input),
    )
    table["outputs"] = (
        *table.get("outputs", ()),
        *(
            Output(*_pair(p, "output"), **more, max_rate=arguments.max_rate)
            for p in arguments.output
        ),
    )
    return configs.made(Config, table)


def main(arguments: list[str] | None = None) -> int:
    parsed = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if parsed.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    try:
        bridge = mqtt.Bridge(config_from(parsed))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: bridge.stop())
        bridge.run()
    except (ProsperoError, OSError) as error:
        print(f"prospero.mqtt: {error}", file=sys.stderr)
        return 1
    return 0


def _pair(text: str, flag: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not (left and equals and right):
        raise invalid(f"--{flag}", f"must be two names with = between them, got {text!r}")
    return left, right


if __name__ == "__main__":
    sys.exit(main())
