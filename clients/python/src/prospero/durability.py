"""What is kept of networks, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prospero import errors, v1
from prospero._time import duration, seconds, unix
from prospero.errors import ProsperoError, invalid
from prospero.values import Cursor, cursor_from

Durability = Literal["none", "async", "sync"]
"""What is kept of a network when its server is killed: "none" its last snapshot or checkpoint,
"async" what happened up to some ten milliseconds ago, "sync" everything that was acknowledged."""

_DURABILITIES: dict[v1.Durability, Durability] = {
    v1.DURABILITY_NONE: "none",
    v1.DURABILITY_ASYNC: "async",
    v1.DURABILITY_SYNC: "sync",
}


@dataclass(frozen=True)
class SnapshotPolicy:
    """Snapshots that the server takes by itself.

        network.update(snapshot_policy=prospero.SnapshotPolicy(every=3600, keep=24))
        network.update(snapshot_policy=prospero.SnapshotPolicy())    # none any more

    Args:
        every: wall time between two [s], from 1 second to 365 days; none is taken while the
            network has not moved. None: the server takes none.
        keep: the newest so many stay. Those that a call made are not counted and stay.
    """

    every: float | None = None
    keep: int = 10

    def to_proto(self) -> v1.SnapshotPolicy | None:
        """None when nothing is to be taken."""
        if self.every is None:
            return None
        return v1.SnapshotPolicy(every=duration(self.every, "every"), keep=self.keep)


@dataclass(frozen=True)
class Snapshot:
    """A network's whole state at one step, in a file on the server."""

    name: str
    """ "networks/<network>/snapshots/<id>"."""
    cursor: Cursor
    """Where the network was."""
    created_at: float
    """Seconds since 1970, as `time.time()` gives them."""
    size_bytes: int
    """Of the file."""
    origin: str
    """ "call", "policy" or "import"."""
    expires_at: float | None
    """The server deletes it then; None: it stays."""
    description: str
    damage: ProsperoError | None
    """The file was found to be damaged."""

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def step(self) -> int:
        """Steps that the network had completed."""
        return self.cursor.step


@dataclass(frozen=True)
class Storage:
    """How well a network is kept."""

    state: str
    """ "kept" as its durability says; "degraded": the disk refuses, and what would change the
    network is refused, too, until it can be written again; "ephemeral": the server keeps
    nothing."""
    error: ProsperoError | None
    """What the disk said."""
    journal_bytes: int
    """What a recovery would replay."""
    checkpoint_step: int | None
    """Where a recovery would start from; None: from the creation."""


@dataclass(frozen=True)
class Recovery:
    """How a network came back when its server was started."""

    steps: int
    """Replayed so far."""
    progress: float
    """From 0 to 1: how much of the journal was replayed."""
    loss: ProsperoError | None
    """Less came back than was kept: what was damaged, and what stands instead."""


def durability_to(value: Durability | None) -> v1.Durability:
    """None is the server's default."""
    if value is None:
        return v1.DURABILITY_UNSPECIFIED
    for number, name in _DURABILITIES.items():
        if name == value:
            return number
    raise invalid("durability", f"must be 'none', 'async' or 'sync', got {value!r}")


def durability_from(value: v1.Durability) -> Durability:
    return _DURABILITIES.get(value, "none")


def policy_from(proto: v1.SnapshotPolicy) -> SnapshotPolicy:
    return SnapshotPolicy(seconds(proto.every), proto.keep or 10)


def snapshot_from(proto: v1.Snapshot) -> Snapshot:
    return Snapshot(
        name=proto.name,
        cursor=cursor_from(proto.cursor),
        created_at=unix(proto.create_time),
        size_bytes=proto.size_bytes,
        origin=v1.Snapshot.Origin.Name(proto.origin).removeprefix("ORIGIN_").lower(),
        expires_at=unix(proto.expire_time) if proto.HasField("expire_time") else None,
        description=proto.description,
        damage=errors.from_status(proto.damage) if proto.HasField("damage") else None,
    )


def storage_from(proto: v1.Storage) -> Storage:
    return Storage(
        state=v1.Storage.State.Name(proto.state).removeprefix("STATE_").lower(),
        error=errors.from_status(proto.error) if proto.HasField("error") else None,
        journal_bytes=proto.journal_bytes,
        checkpoint_step=proto.checkpoint_step if proto.HasField("checkpoint_step") else None,
    )


def recovery_from(proto: v1.Recovery) -> Recovery:
    loss = errors.from_status(proto.loss) if proto.HasField("loss") else None
    return Recovery(proto.steps, proto.progress, loss)
