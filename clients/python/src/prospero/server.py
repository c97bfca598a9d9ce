"""What a server says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from prospero import v1
from prospero._time import seconds
from prospero.durability import Durability, durability_from


@dataclass(frozen=True)
class ServerStorage:
    """What a server keeps of its networks."""

    ephemeral: bool
    """Nothing outlives the server."""
    default_durability: Durability
    """Of networks that are created without one."""
    group_commit: float
    """[s] What comes within this time is written together."""
    degraded: bool
    """The disk refuses what is to be kept."""
    networks_found: int
    """Since the server was started: networks that were there."""
    networks_recovered: int
    """Those that are back."""
    networks_damaged: int
    """Those that are damaged beyond recovery."""


@dataclass(frozen=True)
class ServerInfo:
    """What a server is and how much it bears."""

    product: str
    version: str
    api_version: str
    build: str
    limits: dict[str, float]
    """Bounds by name, such as "max_neurons" (of one network). Beyond one: LimitExceeded."""
    model_kinds: dict[str, str]
    """Kinds of networks, each with one line about it."""
    network_count: int
    workers: int
    """Threads that step networks."""
    storage: ServerStorage
    """What it keeps, and how."""


def server_info_from(proto: v1.GetServerInfoResponse) -> ServerInfo:
    limits = {f.name: getattr(proto.limits, f.name) for f in proto.limits.DESCRIPTOR.fields}
    return ServerInfo(
        product=proto.product,
        version=proto.version,
        api_version=proto.api_version,
        build=proto.build,
        limits=limits,
        model_kinds={kind.name: kind.summary for kind in proto.model_kinds},
        network_count=proto.network_count,
        workers=proto.workers,
        storage=server_storage_from(proto.storage),
    )


def server_storage_from(proto: v1.ServerStorage) -> ServerStorage:
    return ServerStorage(
        ephemeral=proto.ephemeral,
        default_durability=durability_from(proto.default_durability),
        group_commit=seconds(proto.group_commit),
        degraded=proto.degraded,
        networks_found=proto.networks_found,
        networks_recovered=proto.networks_recovered,
        networks_damaged=proto.networks_damaged,
    )
