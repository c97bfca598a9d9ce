"""The client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc

from prospero import _channel, _requests, errors, v1
from prospero._requests import AnySpec
from prospero._resource import warn
from prospero.clock import Clock
from prospero.durability import Durability, SnapshotPolicy
from prospero.network import Network
from prospero.safety import Safety
from prospero.server import ServerInfo, server_info_from
from prospero.v1 import (
    network_service_pb2_grpc,
    server_service_pb2_grpc,
    simulation_service_pb2_grpc,
    state_service_pb2_grpc,
)
from prospero.values import Footprint, footprint_from


class Client:
    """A connection to a server. Thread-safe; one is enough for a program.

        with prospero.Client("127.0.0.1:50051") as client:
            network = client.create_network(prospero.gle.chain([40, 100, 1], ...))

    Calls that only read or that carry a request id are repeated, up to four times, while
    the server is UNAVAILABLE. Streams and `Network.step` are never repeated.

    Args:
        target: host:port of the server.
        timeout: deadline [s] of every call that is not a stream, unless the call gives its
            own.
        credentials: of gRPC, for TLS; None for a plain connection.
        options: further gRPC channel options.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        timeout: float = 30.0,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        self.target = target
        self.timeout = timeout

        def channel(settings: list[tuple[str, Any]]) -> grpc.Channel:
            if credentials is None:
                return grpc.insecure_channel(target, settings)
            return grpc.secure_channel(target, credentials, settings)

        self._channel = channel(_channel.options(options))
        self._live_channel = channel(_channel.live_options(options))
        self._networks = network_service_pb2_grpc.NetworkServiceStub(self._channel)
        self._server = server_service_pb2_grpc.ServerServiceStub(self._channel)
        self._simulation = simulation_service_pb2_grpc.SimulationServiceStub(self._channel)
        self._state = state_service_pb2_grpc.StateServiceStub(self._channel)
        self._live = simulation_service_pb2_grpc.SimulationServiceStub(self._live_channel)

    def create_network(
        self,
        spec: AnySpec,
        id: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        clock: Clock = "lockstep",
        learning: bool = True,
        safety: Safety | None = None,
        durability: Durability | None = None,
        snapshot_policy: SnapshotPolicy | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Network:
        """Makes a network. What the server finds strange about it is told as a ProsperoWarning.

        Args:
            spec: from the builders, such as `prospero.gle`, or the message itself.
            id: lower-case letters, digits and -; None lets the server choose.
            labels: free key-value pairs.
            clock: "lockstep" advances with each frame, "free" as fast as possible, "realtime" or
                a `Realtime` with wall time. Only a lockstep network starts running; `start` the
                others.
            learning: False switches all plasticity off.
            safety: what happens when inputs or the driver stop.
            durability: what is kept when the server is killed: "none", "async" or "sync"; None
                is the server's default.
            snapshot_policy: snapshots that the server takes by itself.
            request_id: makes the call repeatable; None takes a new one.

        Raises:
            AlreadyExists: the id is taken.
            InvalidArgument: the spec is wrong; `field_violations` says where.
            LimitExceeded: the network is larger than the server allows.
            RealtimeOverload: it does not fit beside what is REALTIME already.
        """
        request = _requests.create(
            spec,
            id,
            labels,
            clock,
            learning,
            safety,
            durability,
            snapshot_policy,
            request_id,
            validate_only=False,
        )
        made = self._call(self._networks.CreateNetwork, request, timeout).network
        warn(made)
        return Network(self, made)

    def validate_network(
        self, spec: AnySpec, id: str | None = None, *, timeout: float | None = None
    ) -> Footprint:
        """Checks all that `create_network` checks, tells what the network would take, and makes
        nothing. Raises as it does."""
        request = _requests.create(spec, id, None, "lockstep", True, None, None, None, None, True)
        checked = self._call(self._networks.CreateNetwork, request, timeout).network
        warn(checked)
        return footprint_from(checked.footprint)

    def get_network(self, id: str, *, timeout: float | None = None) -> Network:
        """The network of that id or name. Raises NotFound."""
        request = v1.GetNetworkRequest(name=_requests.name_of(id))
        return Network(self, self._call(self._networks.GetNetwork, request, timeout).network)

    def list_networks(self, filter: str = "", *, page_size: int = 0) -> Iterator[Network]:
        """All networks by name, fetched page by page.

        Args:
            filter: conditions joined by AND, such as `state = RUNNING AND labels.team = "a"`.
            page_size: networks in one page; 0 lets the server choose.
        """
        request = v1.ListNetworksRequest(filter=filter, page_size=page_size)
        while True:
            page = self._call(self._networks.ListNetworks, request, None)
            for network in page.networks:
                yield Network(self, network)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def delete_network(
        self,
        id: str,
        *,
        allow_missing: bool = False,
        force: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Removes a network and all that was kept of it; its streams end.

        Args:
            allow_missing: no error when there is none.
            force: its snapshots are deleted, too.

        Raises:
            NotFound: there is none.
            HasSnapshots: it has snapshots.
        """
        request = _requests.delete(id, allow_missing, force)
        self._call(self._networks.DeleteNetwork, request, timeout)

    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """What the server is and how much it bears."""
        request = v1.GetServerInfoRequest()
        return server_info_from(self._call(self._server.GetServerInfo, request, timeout))

    def wait_ready(self, timeout: float = 30.0) -> None:
        """Waits until the server answers. Raises DeadlineExceeded."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout)
        except grpc.FutureTimeoutError:
            raise errors.not_ready(self.target, timeout) from None

    def close(self) -> None:
        """Ends all streams and the connection. Networks on the server live on."""
        self._channel.close()
        self._live_channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<prospero.Client {self.target}>"

    def _call(self, method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        try:
            return method(request, timeout=self.timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None
