"""Client of Prospero, a server for networks that learn while they run.

    import prospero

    with prospero.Client("127.0.0.1:50051") as client:
        network = client.create_network(
            prospero.gle.chain([40, 100, 1], dt_ms=1.0, tau_m=10.0,
                               optimizer=prospero.Adam(1e-3)))
        with network.drive() as drive:
            run = drive.run({"input": x, "output": target})   # arrays [T, 40] and [T, 1]

`prospero.gle`, `prospero.latent_equilibrium` and `prospero.microcircuit` build networks,
`prospero.plot` draws them (with matplotlib), `prospero.aio` is the same for asyncio.
"""

from importlib.metadata import version as _version

from prospero import aio, errors, gle, latent_equilibrium, microcircuit, v1
from prospero._samples import Selection
from prospero.client import Client
from prospero.clock import Realtime
from prospero.components import (
    SGD,
    Adam,
    Constant,
    FanIn,
    LowPass,
    Momentum,
    Normal,
    Plasticity,
    Uniform,
)
from prospero.drive import Drive
from prospero.durability import (
    Recovery,
    Snapshot,
    SnapshotPolicy,
    Storage,
)
from prospero.errors import (
    Aborted,
    AlreadyExists,
    BadSnapshot,
    Cancelled,
    ClockMismatch,
    CursorEvicted,
    DataLoss,
    DeadlineExceeded,
    Diverged,
    Draining,
    EtagMismatch,
    FailedPrecondition,
    FeedTaken,
    FieldViolation,
    FrameLate,
    HasSnapshots,
    HeartbeatMissed,
    InputFed,
    Internal,
    InvalidArgument,
    LeaseHeld,
    LeaseLost,
    LimitExceeded,
    NetworkDamaged,
    NetworkDeleted,
    NetworkFailed,
    NetworkPaused,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ProsperoError,
    ProsperoWarning,
    RealtimeOverload,
    ResourceExhausted,
    SnapshotDamaged,
    SnapshotMismatch,
    StepMismatch,
    StorageDegraded,
    StorageEphemeral,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from prospero.feed import Feed
from prospero.feedback import Aligned, Direct, Random, Transpose
from prospero.latency import Latency
from prospero.network import Network
from prospero.noise import HeldWhite, OrnsteinUhlenbeck
from prospero.record import Record
from prospero.safety import Safety
from prospero.server import ServerInfo, ServerStorage
from prospero.subscription import Subscription
from prospero.values import (
    Advanced,
    Cursor,
    FeedSummary,
    Footprint,
    Gap,
    Heartbeat,
    NetworkWarning,
    Notice,
    Run,
    Sample,
    Schema,
    Variable,
)

__version__ = _version("prospero")
__all__ = [
    "Aborted",
    "Adam",
    "Advanced",
    "Aligned",
    "AlreadyExists",
    "BadSnapshot",
    "Cancelled",
    "Client",
    "ClockMismatch",
    "Constant",
    "Cursor",
    "CursorEvicted",
    "DataLoss",
    "DeadlineExceeded",
    "Direct",
    "Diverged",
    "Draining",
    "Drive",
    "EtagMismatch",
    "FailedPrecondition",
    "FanIn",
    "Feed",
    "FeedSummary",
    "FeedTaken",
    "FieldViolation",
    "Footprint",
    "FrameLate",
    "Gap",
    "HasSnapshots",
    "Heartbeat",
    "HeartbeatMissed",
    "HeldWhite",
    "InputFed",
    "Internal",
    "InvalidArgument",
    "Latency",
    "LeaseHeld",
    "LeaseLost",
    "LimitExceeded",
    "LowPass",
    "Momentum",
    "Network",
    "NetworkDamaged",
    "NetworkDeleted",
    "NetworkFailed",
    "NetworkPaused",
    "NetworkWarning",
    "Normal",
    "NotFound",
    "Notice",
    "OrnsteinUhlenbeck",
    "OutOfRange",
    "PermissionDenied",
    "Plasticity",
    "ProsperoError",
    "ProsperoWarning",
    "Random",
    "Realtime",
    "RealtimeOverload",
    "Record",
    "Recovery",
    "ResourceExhausted",
    "Run",
    "SGD",
    "Safety",
    "Sample",
    "Schema",
    "Selection",
    "ServerInfo",
    "ServerStorage",
    "Snapshot",
    "SnapshotDamaged",
    "SnapshotMismatch",
    "SnapshotPolicy",
    "StepMismatch",
    "Storage",
    "StorageDegraded",
    "StorageEphemeral",
    "Subscription",
    "Transpose",
    "Unauthenticated",
    "Unavailable",
    "Uniform",
    "Unimplemented",
    "Variable",
    "aio",
    "errors",
    "gle",
    "latent_equilibrium",
    "microcircuit",
    "v1",
]
