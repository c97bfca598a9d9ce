"""The requests of NetworkService and SimulationService, for both kinds of client."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Union

import numpy.typing as npt

from prospero import clock as clocks
from prospero import v1
from prospero._arrays import Array, from_tensor, to_tensor
from prospero._frames import Inputs, Ports
from prospero._spec import Spec
from prospero._time import duration
from prospero.clock import Clock, ClockMode
from prospero.durability import Durability, SnapshotPolicy, durability_to
from prospero.errors import NetworkDeleted, invalid
from prospero.safety import Safety
from prospero.values import Advanced, Schema, cursor_from, variable_from

Scope = Literal["state", "weights", "noise", "step"]
AnySpec = Union[Spec, v1.NetworkSpec]

DEFAULT_HEARTBEAT = 2.0  # [s]


def name_of(network: str) -> str:
    """ "networks/<id>" from that or from the id alone."""
    return network if "/" in network else f"networks/{network}"


def request_id() -> str:
    return str(uuid.uuid4())


def create(
    spec: AnySpec,
    id: str | None,
    labels: Mapping[str, str] | None,
    clock: Clock,
    learning: bool,
    safety: Safety | None,
    durability: Durability | None,
    snapshot_policy: SnapshotPolicy | None,
    request: str | None,
    validate_only: bool,
) -> v1.CreateNetworkRequest:
    proto = spec.to_proto() if isinstance(spec, Spec) else spec
    network = v1.Network(
        labels=dict(labels or {}),
        spec=proto,
        clock=clocks.to_proto(clock),
        learning=learning,
        safety=None if safety is None else safety.to_proto(),
        durability=durability_to(durability),
        snapshot_policy=None if snapshot_policy is None else snapshot_policy.to_proto(),
    )
    return v1.CreateNetworkRequest(
        network_id=id or "",
        network=network,
        request_id=request or request_id(),
        validate_only=validate_only,
    )


def update(
    name: str,
    labels: Mapping[str, str] | None,
    clock: Clock | None,
    learning: bool | None,
    safety: Safety | None,
    durability: Durability | None,
    snapshot_policy: SnapshotPolicy | None,
    parameters: Mapping[str, npt.ArrayLike] | None,
    etag: str,
) -> v1.UpdateNetworkRequest:
    request = v1.UpdateNetworkRequest(
        network=v1.Network(name=name), etag=etag, request_id=request_id()
    )
    request.update_mask.SetInParent()
    if labels is not None:
        request.network.labels.update(labels)
        request.update_mask.paths.append("labels")
    if clock is not None:
        request.network.clock.CopyFrom(clocks.to_proto(clock))
        request.update_mask.paths.append("clock")
    if learning is not None:
        request.network.learning = learning
        request.update_mask.paths.append("learning")
    if safety is not None:
        request.network.safety.CopyFrom(safety.to_proto())
        request.update_mask.paths.append("safety")
    if durability is not None:
        request.network.durability = durability_to(durability)
        request.update_mask.paths.append("durability")
    if snapshot_policy is not None:
        if (policy := snapshot_policy.to_proto()) is not None:
            request.network.snapshot_policy.CopyFrom(policy)
        request.update_mask.paths.append("snapshot_policy")
    for variable, value in (parameters or {}).items():
        request.parameters[variable].CopyFrom(to_tensor(value, variable))
    return request


def check_uid(uid: str, network: v1.Network) -> None:
    """Raises NetworkDeleted when the network is not the one with that uid."""
    if network.uid != uid:
        raise NetworkDeleted(f"'{network.name}' was deleted, and another one has its name now")


def delete(id: str, allow_missing: bool, force: bool) -> v1.DeleteNetworkRequest:
    return v1.DeleteNetworkRequest(
        name=name_of(id), allow_missing=allow_missing, force=force, request_id=request_id()
    )


def clone(
    name: str, id: str | None, labels: Mapping[str, str] | None, snapshot: str
) -> v1.CloneNetworkRequest:
    """snapshot: its whole name, or ""."""
    return v1.CloneNetworkRequest(
        name=name,
        network_id=id or "",
        labels=dict(labels or {}),
        request_id=request_id(),
        snapshot=snapshot,
    )


def reset(
    name: str, scopes: Iterable[Scope], seed: int | None, etag: str
) -> v1.ResetNetworkRequest:
    known = ("state", "weights", "noise", "step")
    for scope in (scopes := list(scopes)):
        if scope not in known:
            raise invalid("scopes", f"must be some of {', '.join(known)}, got {scope!r}")
    return v1.ResetNetworkRequest(
        name=name,
        scopes=[f"RESET_SCOPE_{scope.upper()}" for scope in scopes],
        seed=seed,
        etag=etag,
        request_id=request_id(),
    )


def schema(response: v1.GetNetworkSchemaResponse) -> Schema:
    return Schema({v.name: variable_from(v) for v in response.variables})


def step(
    name: str,
    schema: Schema,
    inputs: Inputs | None,
    steps: int | None,
    outputs: Sequence[str],
    at_step: int | None,
    output_every: int,
) -> tuple[v1.StepRequest, bool]:
    """The request, and whether its outputs shall have no axis for the steps."""
    ports = Ports(v for v in schema.values() if v.role == "input")
    frames, count, single = ports.frames(inputs, steps)
    tensors = {
        variable.name: to_tensor(values[0] if len(values) == 1 else values)
        for variable, values in frames
    }
    request = v1.StepRequest(
        network=name,
        steps=count,
        inputs=tensors,
        outputs=outputs,
        at_step=at_step,
        output_every=output_every,
    )
    return request, single


def stepped(response: v1.StepResponse, steps: int, single: bool) -> Advanced:
    outputs: dict[str, Array] = {}
    for name, tensor in response.outputs.items():
        array = from_tensor(tensor)
        outputs[name] = array[0] if single else array
    loss = response.loss if response.HasField("loss") else None
    return Advanced(outputs, loss, cursor_from(response.cursor), steps)


def heartbeat_window(heartbeat: float | None, clock: ClockMode) -> float:
    """How long a driver may be silent [s]; 0 is for ever. None chooses: where a clock runs on
    without its driver a robot could run on, too."""
    if heartbeat is None:
        return 0.0 if clock == "lockstep" else DEFAULT_HEARTBEAT
    return heartbeat


def attach(
    name: str, inputs: Iterable[str], outputs: Iterable[str], preempt: bool, heartbeat: float
) -> v1.DriveRequest:
    """heartbeat: [s], 0 for none."""
    window = duration(heartbeat, "heartbeat") if heartbeat else None
    attach = v1.DriveAttach(
        network=name,
        inputs=list(inputs),
        outputs=list(outputs),
        preempt=preempt,
        heartbeat=window,
    )
    return v1.DriveRequest(attach=attach)


def names(value: str | Iterable[str]) -> list[str]:
    """A list, also of a lone name."""
    return [value] if isinstance(value, str) else list(value)
