"""What the tests say to a prosperod: bare calls, which never try again by themselves."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import grpc
import numpy as np
import safetensors.numpy
from google.rpc import error_details_pb2, status_pb2

from hosting import PATIENCE, await_true
from prospero import v1
from prospero.v1 import (
    network_service_pb2_grpc,
    server_service_pb2_grpc,
    simulation_service_pb2_grpc,
    state_service_pb2_grpc,
)

SAVED = (
    v1.VARIABLE_ROLE_INPUT,
    v1.VARIABLE_ROLE_STATE,
    v1.VARIABLE_ROLE_WEIGHT,
    v1.VARIABLE_ROLE_PARAMETER,
)
SERVING, NOT_SERVING = 1, 2  # of health

_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.enable_retries", 0),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
]


def info_of(error: grpc.RpcError) -> error_details_pb2.ErrorInfo:
    """What stands in it for programs; empty when gRPC itself made the error."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return _info_in(status_pb2.Status.FromString(value))
    return error_details_pb2.ErrorInfo()


def reason_of(error: grpc.RpcError) -> str:
    return info_of(error).reason


def reason_in(status: status_pb2.Status) -> str:
    return _info_in(status).reason


def _info_in(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            break
    return info


@dataclass(frozen=True)
class State:
    """All that a network goes on from, at one step."""

    step: int
    seeds: tuple[str, str]  # of weights and noise
    values: Mapping[str, bytes]  # of each saved variable, by name

    def differences(self, other: State) -> list[str]:
        """What differs, for humans; nothing when every bit is the same."""
        found = []
        if self.step != other.step:
            found.append(f"step: {self.step} and {other.step}")
        if self.seeds != other.seeds:
            found.append(f"seeds: {self.seeds} and {other.seeds}")
        if self.values.keys() != other.values.keys():
            found.append(f"names: {sorted(self.values.keys() ^ other.values.keys())}")
        for name, value in self.values.items():
            if name in other.values and value != other.values[name]:
                found.append(name)
        return found


class Wire:
    """A connection to a server."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target, _OPTIONS)
        self.networks = network_service_pb2_grpc.NetworkServiceStub(self._channel)
        self.simulation = simulation_service_pb2_grpc.SimulationServiceStub(self._channel)
        self.states = state_service_pb2_grpc.StateServiceStub(self._channel)
        self.server = server_service_pb2_grpc.ServerServiceStub(self._channel)

    def call(self, method: Any, request: Any, timeout: float = PATIENCE) -> Any:
        """The answer, as soon as there is a connection. Raises grpc.RpcError."""
        return method(request, timeout=timeout, wait_for_ready=True)

    def get(self, id: str) -> v1.Network:
        return self.call(self.networks.GetNetwork, v1.GetNetworkRequest(name=_name(id))).network

    def create(self, id: str, network: v1.Network) -> v1.Network:
        request = v1.CreateNetworkRequest(network_id=id, network=network)
        return self.call(self.networks.CreateNetwork, request).network

    def relabel(self, id: str, labels: Mapping[str, str]) -> None:
        """A change of a network that no step sees."""
        network = v1.Network(name=_name(id), labels=labels)
        request = v1.UpdateNetworkRequest(network=network)
        request.update_mask.paths.append("labels")
        self.call(self.networks.UpdateNetwork, request)

    def all(self) -> list[v1.Network]:
        request = v1.ListNetworksRequest()
        found: list[v1.Network] = []
        while True:
            page = self.call(self.networks.ListNetworks, request)
            found += page.networks
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def schema(self, id: str) -> list[v1.VariableSchema]:
        """Waits for a network that is on its way back."""
        request = v1.GetNetworkSchemaRequest(name=_name(id))
        return list(self.call(self.networks.GetNetworkSchema, request).variables)

    def delete(self, id: str) -> None:
        self.call(self.networks.DeleteNetwork, v1.DeleteNetworkRequest(name=_name(id), force=True))

    def step(
        self, id: str, steps: int = 1, inputs: Mapping[str, np.ndarray] | None = None
    ) -> v1.StepResponse:
        """Moves it; `inputs` have the variable's shape, or a row for each step."""
        request = v1.StepRequest(network=_name(id), steps=steps)
        for name, value in (inputs or {}).items():
            request.inputs[name].CopyFrom(tensor(value))
        return self.call(self.simulation.Step, request)

    def values(self, id: str) -> State:
        """Its state as an observer sees it; the seeds cannot be seen."""
        subscription = v1.Subscription(
            network=_name(id),
            selections=[v1.Selection(variables=["*"])],
            start=v1.Subscription.START_SNAPSHOT,
        )
        saved = {
            variable.uid: variable.name for variable in self.schema(id) if variable.role in SAVED
        }
        events = self.simulation.Watch(
            v1.WatchRequest(subscription=subscription), timeout=PATIENCE, wait_for_ready=True
        )
        try:
            for response in events:
                for sample in response.event.samples.samples:
                    values = {
                        saved[block.uid]: block.data
                        for block in sample.values
                        if block.uid in saved
                    }
                    return State(sample.cursor.step, ("", ""), values)
        finally:
            events.cancel()
        raise AssertionError(f"no values of {id}")

    def state(self, id: str) -> State:
        """Its state, out of a snapshot that is taken for it, exported and deleted again."""
        request = v1.CreateSnapshotRequest(network=_name(id))
        name = self.call(self.states.CreateSnapshot, request).snapshot.name
        state = self.exported(name)
        self.call(self.states.DeleteSnapshot, v1.DeleteSnapshotRequest(name=name))
        return state

    def export(self, snapshot: str) -> bytes:
        """The file of networks/<id>/snapshots/<id>."""
        request = v1.ExportSnapshotRequest(name=snapshot)
        return b"".join(part.data for part in self.states.ExportSnapshot(request, timeout=PATIENCE))

    def exported(self, snapshot: str) -> State:
        """What networks/<id>/snapshots/<id> holds."""
        return state_in(self.export(snapshot))

    def snapshots(self, id: str) -> list[str]:
        """Ids of a network's snapshots, the newest first."""
        request = v1.ListSnapshotsRequest(network=_name(id), page_size=1000)
        listed = self.call(self.states.ListSnapshots, request).snapshots
        return [snapshot.name.rpartition("/")[2] for snapshot in listed]

    def health(self, service: str = "") -> int:
        """SERVING, NOT_SERVING, or another number. Raises grpc.RpcError for what is not known."""
        check = self._channel.unary_unary("/grpc.health.v1.Health/Check")
        request = b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
        response = self.call(check, request)
        return response[1] if len(response) > 1 else 0

    def await_back(self, id: str) -> v1.Network:
        """The network, as soon as it is no longer on its way back."""

        def there() -> v1.Network | None:
            network = self.get(id)
            return None if network.state == v1.Network.STATE_RECOVERING else network

        return await_true(there, f"the return of {id}")

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def state_in(file: bytes) -> State:
    """What a snapshot file holds, read by the public package."""
    (length,) = struct.unpack_from("<Q", file)
    about = json.loads(file[8 : 8 + length])["__metadata__"]
    assert about["format"] == "prospero-snapshot"
    arrays = safetensors.numpy.load(file)
    values = {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}
    return State(int(about["step"]), (about["seed"], about["noise_seed"]), values)


def tensor(value: Any) -> v1.Tensor:
    array = np.asarray(value)
    kind = {"f4": v1.DATA_TYPE_FLOAT32, "f8": v1.DATA_TYPE_FLOAT64}[array.dtype.str[1:]]
    return v1.Tensor(data_type=kind, shape=array.shape, data=array.tobytes())


def attach(id: str, inputs: Iterable[str], outputs: Iterable[str]) -> v1.DriveRequest:
    """The first message of a driver."""
    return v1.DriveRequest(attach=v1.DriveAttach(network=_name(id), inputs=inputs, outputs=outputs))


def _name(id: str) -> str:
    return f"networks/{id}"
