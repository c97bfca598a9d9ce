"""Client of Prospero, a server for networks that learn while they run.

    import prospero

    with prospero.Client("127.0.0.1:50051") as client:
        network = client.create_network(
            prospero.gle.chain([40, 100, 1], dt_ms=1.0, tau_m=10.0,
                               optimizer=prospero.Adam(1e-3)))
        with network.drive() as drive:
            run = drive.run({"input": x, "output": target})   # arrays [T, 40] and [T, 1]

`prospero.aio` is the same for asyncio, `prospero.gle` builds networks, `prospero.plot` draws
them (with matplotlib).
"""

from importlib.metadata import version as _version

from prospero import aio, errors, gle, v1
from prospero._samples import Selection
from prospero.client import Client
from prospero.components import (
    SGD,
    Adam,
    Constant,
    FanIn,
    Momentum,
    Normal,
    Plasticity,
    Uniform,
)
from prospero.drive import Drive
from prospero.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    Diverged,
    Draining,
    EtagMismatch,
    FailedPrecondition,
    FieldViolation,
    HeartbeatMissed,
    Internal,
    InvalidArgument,
    LeaseHeld,
    LeaseLost,
    LimitExceeded,
    NetworkDeleted,
    NetworkFailed,
    NetworkPaused,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ProsperoError,
    ResourceExhausted,
    StepMismatch,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from prospero.network import Network
from prospero.subscription import Subscription
from prospero.values import (
    Advanced,
    Cursor,
    Gap,
    Heartbeat,
    Notice,
    Run,
    Sample,
    Schema,
    ServerInfo,
    Variable,
)

__version__ = _version("prospero")
__all__ = [
    "Aborted",
    "Adam",
    "Advanced",
    "AlreadyExists",
    "Cancelled",
    "Client",
    "Constant",
    "Cursor",
    "DeadlineExceeded",
    "Diverged",
    "Draining",
    "Drive",
    "EtagMismatch",
    "FailedPrecondition",
    "FanIn",
    "FieldViolation",
    "Gap",
    "Heartbeat",
    "HeartbeatMissed",
    "Internal",
    "InvalidArgument",
    "LeaseHeld",
    "LeaseLost",
    "LimitExceeded",
    "Momentum",
    "Network",
    "NetworkDeleted",
    "NetworkFailed",
    "NetworkPaused",
    "Normal",
    "NotFound",
    "Notice",
    "OutOfRange",
    "PermissionDenied",
    "Plasticity",
    "ProsperoError",
    "ResourceExhausted",
    "Run",
    "SGD",
    "Sample",
    "Schema",
    "Selection",
    "ServerInfo",
    "StepMismatch",
    "Subscription",
    "Unauthenticated",
    "Unavailable",
    "Uniform",
    "Unimplemented",
    "Variable",
    "aio",
    "errors",
    "gle",
    "v1",
]
