"""What a bridge connects."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from prospero._feeds import Between, Late
from prospero.errors import invalid
from prospero.mqtt.payload import Format

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


@dataclass(frozen=True)
class Input:
    """A topic whose messages are frames of an input; the rest is as in `Network.feed`."""

    topic: str
    input: str
    format: Format = "json"
    field: str = ""
    """Of a JSON object, where the array is; empty: the payload is the array."""
    qos: int = 0
    between: Between = "hold"
    late: Late = "drop"
    max_pending: int = 0
    preempt: bool = False


@dataclass(frozen=True)
class Output:
    """A variable whose samples are messages; the rest is as in `Network.subscribe`."""

    variable: str
    topic: str
    format: Format = "json"
    field: str = ""
    """Puts the array into a JSON object; empty: the payload is the array."""
    qos: int = 0
    retain: bool = False
    every: int = 1
    max_rate: float = 0.0
    on_change: float | None = None


@dataclass(frozen=True)
class Config:
    """A bridge of one network and one broker."""

    network: str = ""
    target: str = "127.0.0.1:50051"
    """host:port of the Prospero server."""
    host: str = "127.0.0.1"
    """Of the broker."""
    port: int = 1883
    client_id: str = ""
    """Empty: the broker chooses."""
    username: str = ""
    password_file: str = ""
    ca_file: str = ""
    """Certificates that the broker's is checked against; empty: a plain connection."""
    keepalive: int = 20
    """Seconds between signs of life to the broker."""
    status: str = ""
    """Topic of the retained status: "online"; "waiting" while Prospero cannot be reached; and
    "offline", the last will. Empty: none."""
    notices: str = ""
    """Topic for what happens to the network, as JSON objects. Empty: none."""
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = ()

    def __post_init__(self) -> None:
        if not self.network:
            raise invalid("network", "is required")
        if not (self.inputs or self.outputs or self.notices):
            raise invalid("inputs", "or outputs, or notices: there is nothing to bridge")
        routes: list[Input | Output] = [*self.inputs, *self.outputs]
        for route in routes:
            if route.format not in ("json", "float32", "float64"):
                message = f"must be json, float32 or float64, got {route.format!r}"
                raise invalid(f"{route.topic}: format", message)
            if route.qos not in (0, 1, 2):
                raise invalid(f"{route.topic}: qos", f"must be 0, 1 or 2, got {route.qos!r}")
        topics = [route.topic for route in self.inputs]
        for topic in topics:
            if {"+", "#"} & set(topic):
                raise invalid(f"{topic}: topic", "must be one topic, without wildcards")
            if topics.count(topic) > 1:
                raise invalid(f"{topic}: topic", "stands for two inputs")


def load(path: str | Path) -> dict[str, Any]:
    """The fields of a Config in a TOML file. Raises InvalidArgument."""
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise invalid("config", f"'{path}': {error}") from None
    table["inputs"] = tuple(made(Input, t, "inputs") for t in table.get("inputs", ()))
    table["outputs"] = tuple(made(Output, t, "outputs") for t in table.get("outputs", ()))
    return table


def made(kind: type[T], table: Mapping[str, Any], path: str = "") -> T:
    """Raises InvalidArgument for a key that is missing or that there is not."""
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise invalid(f"{path}.{key}".lstrip("."), f"is none of {', '.join(known)}")
    try:
        return kind(**table)
    except TypeError as error:
        raise invalid(path or "config", str(error)) from None
