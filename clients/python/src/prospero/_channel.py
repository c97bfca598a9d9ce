"""How a channel to the server is set up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Option = tuple[str, Any]

_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# Calls of these services can be repeated: they only read, or carry a request id. Step and
# the streams that move a network are never repeated.
_REPEATABLE: list[dict[str, str]] = [
    {"service": "prospero.v1.NetworkService"},
    {"service": "prospero.v1.ServerService"},
    *(
        {"service": "prospero.v1.StateService", "method": method}
        for method in (
            "CreateSnapshot",
            "DeleteSnapshot",
            "GetSnapshot",
            "GetUpload",
            "ListSnapshots",
            "RestoreSnapshot",
        )
    ),
]

_SERVICE_CONFIG = json.dumps({"methodConfig": [{"name": _REPEATABLE, "retryPolicy": _RETRY}]})


def options(extra: Sequence[Option] = ()) -> list[Option]:
    """For control and drives. The server states and enforces the size of messages."""
    return [
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 5_000),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        *extra,
    ]


def live_options(extra: Sequence[Option] = ()) -> list[Option]:
    """For observers: a connection of their own, whose small window keeps no seconds of
    stale samples in buffers."""
    return options([("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536), *extra])
