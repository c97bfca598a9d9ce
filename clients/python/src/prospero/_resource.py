"""What both kinds of client know of a network."""

from __future__ import annotations

import warnings

from prospero import errors, v1
from prospero.clock import ClockMode, Realtime, mode_from, realtime_from
from prospero.durability import (
    Durability,
    Recovery,
    SnapshotPolicy,
    Storage,
    durability_from,
    policy_from,
    recovery_from,
    storage_from,
)
from prospero.errors import ProsperoError, ProsperoWarning
from prospero.safety import Safety, safety_from
from prospero.values import (
    Cursor,
    Footprint,
    NetworkWarning,
    cursor_from,
    footprint_from,
    warning_from,
)


class Resource:
    """A network as the server described it last."""

    def __init__(self, proto: v1.Network) -> None:
        self._proto = proto

    @property
    def proto(self) -> v1.Network:
        """The message itself."""
        return self._proto

    @property
    def name(self) -> str:
        """ "networks/<id>"."""
        return self._proto.name

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self._proto.name.rpartition("/")[2]

    @property
    def uid(self) -> str:
        """Unique over all time, also when a name is used again."""
        return self._proto.uid

    @property
    def spec(self) -> v1.NetworkSpec:
        """What it is made of."""
        return self._proto.spec

    @property
    def dt_ms(self) -> float:
        """Length of a step [ms]."""
        return self._proto.spec.dt_ms

    @property
    def labels(self) -> dict[str, str]:
        return dict(self._proto.labels)

    @property
    def clock(self) -> ClockMode:
        """ "lockstep", "free" or "realtime"."""
        return mode_from(self._proto.clock)

    @property
    def realtime(self) -> Realtime | None:
        """How it follows wall time; None with another clock."""
        return realtime_from(self._proto.clock)

    @property
    def learning(self) -> bool:
        """False: all plasticity is off. What is wished: `unsafe` may have frozen it all the
        same."""
        return self._proto.learning

    @property
    def safety(self) -> Safety | None:
        """What happens when inputs or the driver stop; None: nothing."""
        return safety_from(self._proto.safety) if self._proto.HasField("safety") else None

    @property
    def unsafe(self) -> bool:
        """An input is silent or the driver is missing: `safety` is in force."""
        return self._proto.unsafe

    @property
    def state(self) -> str:
        """ "running", "paused" or "failed"; "recovering" while the server, which was started,
        brings it back: calls wait; "damaged": nothing good is left of it, see `failure`."""
        return str(v1.Network.State.Name(self._proto.state)).removeprefix("STATE_").lower()

    @property
    def failure(self) -> ProsperoError | None:
        """Why it failed: `metadata` names the `step` and the `variable`; or what is damaged."""
        if not self._proto.HasField("failure"):
            return None
        return errors.from_status(self._proto.failure)

    @property
    def durability(self) -> Durability:
        """What is kept of it when its server is killed."""
        return durability_from(self._proto.durability)

    @property
    def snapshot_policy(self) -> SnapshotPolicy | None:
        """Snapshots that the server takes by itself; None: none."""
        if not self._proto.HasField("snapshot_policy"):
            return None
        return policy_from(self._proto.snapshot_policy)

    @property
    def storage(self) -> Storage:
        """How well it is kept at present."""
        return storage_from(self._proto.storage)

    @property
    def recovery(self) -> Recovery | None:
        """How it came back with its server; None: it was made since."""
        return recovery_from(self._proto.recovery) if self._proto.HasField("recovery") else None

    @property
    def warnings(self) -> tuple[NetworkWarning, ...]:
        """What the server found strange when it made the network. Empty: nothing."""
        return tuple(warning_from(warning) for warning in self._proto.warnings)

    @property
    def footprint(self) -> Footprint:
        """What it takes; `validate_network` tells it before it is made."""
        return footprint_from(self._proto.footprint)

    @property
    def cursor(self) -> Cursor:
        """Where it was when the server described it."""
        return cursor_from(self._proto.cursor)

    @property
    def driven(self) -> bool:
        """A driver holds the lease."""
        return self._proto.driven

    @property
    def etag(self) -> str:
        """Changes whenever a call changes the network."""
        return self._proto.etag

    def __repr__(self) -> str:
        kind, what = type(self).__name__, self.footprint
        return f"<{kind} {self.name} {self.state} at {self.cursor.step}, {what.weights:,} weights>"


def warn(proto: v1.Network) -> None:
    """Tells the caller of the client's method, as Python tells warnings."""
    for warning in proto.warnings:
        told = ProsperoWarning(warning.message, warning.reason, warning.field)
        warnings.warn(told, stacklevel=3)
