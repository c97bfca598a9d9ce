"""Errors as exceptions.

Every error of the server arrives as a `ProsperoError`: a refused call, a refused frame
inside a stream, a stream that ended. Its class says what kind it is, first by the stable
reason (`LeaseHeld`), else by the canonical code (`FailedPrecondition`), so a caller can
catch as narrowly or as widely as it likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class FieldViolation:
    """One field of a request that is wrong."""

    field: str
    """Path of the field, such as `network.spec.gle.populations[1].tau_m_ms`."""
    description: str
    """What is wrong with it, what was given and what is allowed."""


class ProsperoError(Exception):
    """An error of the server, or a request that the client knows it would refuse.

    Attributes:
        code: canonical code, a `grpc.StatusCode`.
        reason: stable and for programs, such as `"LEASE_HELD"`; `""` when there is none.
        message: one sentence for humans.
        metadata: the values that the message speaks of, by name.
        field_violations: the fields that are wrong.
    """

    default_code: grpc.StatusCode = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        field_violations: Iterable[FieldViolation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.field_violations = list(field_violations)

    def __str__(self) -> str:
        head = f"{self.code.name} {self.reason}".strip()
        fields = [f"{v.field}: {v.description}" for v in self.field_violations]
        more = "".join(f"\n  {field}" for field in fields if field != self.message)
        return f"{head}: {self.message}{more}"


class ProsperoWarning(UserWarning):
    """What the server finds strange about a network that it makes: allowed, and it will hardly do
    what is wished. `warnings.simplefilter("ignore", ProsperoWarning)` silences it.

    Attributes:
        reason: stable and for programs, such as `"LOOP_GAIN"`.
        field: path of the field, as in an error; may be empty.
        message: for humans.
    """

    def __init__(self, message: str, reason: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field

    def __str__(self) -> str:
        return f"{f'{self.reason} {self.field}'.strip()}: {self.message}"


class Cancelled(ProsperoError):
    default_code = grpc.StatusCode.CANCELLED


class InvalidArgument(ProsperoError, ValueError):
    """A bad value. Shapes and types of arrays are checked before they are sent."""

    default_code = grpc.StatusCode.INVALID_ARGUMENT


class DeadlineExceeded(ProsperoError, TimeoutError):
    default_code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFound(ProsperoError, LookupError):
    """There is none of that name, or the caller may not see it."""

    default_code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(ProsperoError):
    default_code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDenied(ProsperoError):
    default_code = grpc.StatusCode.PERMISSION_DENIED


class Unauthenticated(ProsperoError):
    default_code = grpc.StatusCode.UNAUTHENTICATED


class ResourceExhausted(ProsperoError):
    default_code = grpc.StatusCode.RESOURCE_EXHAUSTED


class FailedPrecondition(ProsperoError):
    """The network is not in a state that allows this."""

    default_code = grpc.StatusCode.FAILED_PRECONDITION


class Aborted(ProsperoError):
    default_code = grpc.StatusCode.ABORTED


class OutOfRange(ProsperoError):
    default_code = grpc.StatusCode.OUT_OF_RANGE


class Unimplemented(ProsperoError):
    default_code = grpc.StatusCode.UNIMPLEMENTED


class Internal(ProsperoError):
    """A mistake of the server."""

    default_code = grpc.StatusCode.INTERNAL


class Unavailable(ProsperoError, ConnectionError):
    """No server answers at the address."""

    default_code = grpc.StatusCode.UNAVAILABLE


class DataLoss(ProsperoError):
    """What was kept is damaged."""

    default_code = grpc.StatusCode.DATA_LOSS


class LeaseHeld(FailedPrecondition):
    """Another driver holds the network; `preempt=True` takes it over."""


class NetworkPaused(FailedPrecondition):
    """The network is PAUSED; `start()` lets it go on."""


class NetworkFailed(FailedPrecondition):
    """The network is FAILED; `reset()` puts it back."""


class Diverged(FailedPrecondition):
    """The network left the finite range in this step and is FAILED now.
    `metadata` names the `step` and the `variable`."""


class LeaseLost(Aborted):
    """Another driver took the network over."""


class NetworkDeleted(Aborted):
    """The network was deleted."""


class EtagMismatch(Aborted):
    """Somebody else has changed the network meanwhile."""


class StepMismatch(OutOfRange):
    """The frame belongs to another step than the present one. It changed nothing."""


class HeartbeatMissed(DeadlineExceeded):
    """No sign of life came for longer than the heartbeat allows; the lease is given back."""


class ClockMismatch(FailedPrecondition):
    """The network's clock does not allow this: no feeds in LOCKSTEP."""


class InputFed(FailedPrecondition):
    """Another feed has this input; `preempt=True` takes it over."""


class FeedTaken(Aborted):
    """Another feed took the input over."""


class FrameLate(OutOfRange):
    """A frame came after its step, and the feed refuses such frames (`late="refuse"`)."""


class CursorEvicted(OutOfRange):
    """Samples that the reader has not had are no longer retained. `metadata` tells the oldest
    cursor that can be asked for: `oldest_epoch`, `oldest_step`."""


class RealtimeOverload(ResourceExhausted):
    """The network's steps do not fit beside those of the networks that are REALTIME already.
    `metadata` has `step_cost_ns`, `rate_hz`, and `wanted`, `taken` and `max` in cores."""


class LimitExceeded(ResourceExhausted):
    """Beyond a limit of the server; `metadata` names it. See `Client.server_info()`."""


class Draining(Unavailable):
    """The server is shutting down."""


class StorageDegraded(Unavailable):
    """The server's disk refuses what is to be kept: full, or an error. Of a call or frame that
    had begun, look at the cursor: it may still be kept. `Network.storage` tells more."""


class HasSnapshots(FailedPrecondition):
    """The network has snapshots: `delete(force=True)` deletes them, too."""


class StorageEphemeral(FailedPrecondition):
    """The server keeps nothing, so the durability can only be "none"."""


class SnapshotMismatch(FailedPrecondition):
    """The snapshot is not of a network with exactly these arrays."""


class BadSnapshot(InvalidArgument):
    """What was imported is no snapshot, or damaged."""


class SnapshotDamaged(DataLoss):
    """The file of the snapshot is not what was written."""


class NetworkDamaged(DataLoss):
    """What was kept of the network is damaged and no good state is left; delete it."""


_BY_CODE: dict[grpc.StatusCode, type[ProsperoError]] = {
    kind.default_code: kind for kind in ProsperoError.__subclasses__()
}
_BY_REASON: dict[str, type[ProsperoError]] = {
    "LEASE_HELD": LeaseHeld,
    "NETWORK_PAUSED": NetworkPaused,
    "NETWORK_FAILED": NetworkFailed,
    "DIVERGED": Diverged,
    "LEASE_LOST": LeaseLost,
    "NETWORK_DELETED": NetworkDeleted,
    "ETAG_MISMATCH": EtagMismatch,
    "STEP_MISMATCH": StepMismatch,
    "HEARTBEAT_MISSED": HeartbeatMissed,
    "CLOCK_MISMATCH": ClockMismatch,
    "INPUT_FED": InputFed,
    "FEED_TAKEN": FeedTaken,
    "FRAME_LATE": FrameLate,
    "CURSOR_EVICTED": CursorEvicted,
    "REALTIME_OVERLOAD": RealtimeOverload,
    "LIMIT_EXCEEDED": LimitExceeded,
    "DRAINING": Draining,
    "STORAGE_DEGRADED": StorageDegraded,
    "HAS_SNAPSHOTS": HasSnapshots,
    "STORAGE_EPHEMERAL": StorageEphemeral,
    "SNAPSHOT_MISMATCH": SnapshotMismatch,
    "BAD_SNAPSHOT": BadSnapshot,
    "SNAPSHOT_DAMAGED": SnapshotDamaged,
    "NETWORK_DAMAGED": NetworkDamaged,
}


def from_status(status: status_pb2.Status) -> ProsperoError:
    """The exception of an error that stands in a message (`DriveError`, `Network.failure`)."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    reason, metadata, violations = "", {}, []
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            violations += [FieldViolation(v.field, v.description) for v in bad.field_violations]
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ProsperoError)
    return kind(
        status.message, code=code, reason=reason, metadata=metadata, field_violations=violations
    )


def from_rpc_error(error: Any) -> ProsperoError:
    """The exception of a call that failed (`grpc.RpcError`, of grpc or grpc.aio)."""
    return from_parts(error.code(), error.details(), error.trailing_metadata())


def from_parts(code: grpc.StatusCode, details: str | None, trailing: Any) -> ProsperoError:
    """The exception of a status as gRPC tells it."""
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            return from_status(status_pb2.Status.FromString(value))
    return from_status(status_pb2.Status(code=code.value[0], message=details or ""))


def invalid(field: str, description: str) -> InvalidArgument:
    """A request that is wrong before it is sent."""
    violation = FieldViolation(field, description)
    return InvalidArgument(f"{field}: {description}", field_violations=[violation])


def not_ready(target: str, timeout: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"no server answers at {target} after {timeout:g} s")
