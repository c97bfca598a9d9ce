"""The requests of StateService, for both kinds of client."""

from __future__ import annotations

from typing import Union

from prospero import v1
from prospero._requests import request_id
from prospero._time import duration
from prospero.durability import Snapshot
from prospero.errors import invalid

AnySnapshot = Union[Snapshot, str]
"""A snapshot, its id, or its whole name."""


def name_of(network: str, snapshot: AnySnapshot) -> str:
    """ "networks/<network>/snapshots/<id>"."""
    name = snapshot.name if isinstance(snapshot, Snapshot) else snapshot
    if not name:
        raise invalid("snapshot", "must be a snapshot, its id or its name, got ''")
    return name if "/" in name else f"{network}/snapshots/{name}"


def create(
    network: str, id: str | None, description: str, ttl: float | None
) -> v1.CreateSnapshotRequest:
    return v1.CreateSnapshotRequest(
        network=network,
        snapshot_id=id or "",
        description=description,
        ttl=duration(ttl, "ttl"),
        request_id=request_id(),
    )


def delete(network: str, snapshot: AnySnapshot, allow_missing: bool) -> v1.DeleteSnapshotRequest:
    return v1.DeleteSnapshotRequest(
        name=name_of(network, snapshot), allow_missing=allow_missing, request_id=request_id()
    )


def restore(network: str, snapshot: AnySnapshot, etag: str) -> v1.RestoreSnapshotRequest:
    return v1.RestoreSnapshotRequest(
        name=name_of(network, snapshot), etag=etag, request_id=request_id()
    )
