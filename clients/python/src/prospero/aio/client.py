"""The client, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from prospero import _channel, _requests, errors, v1
from prospero import client as threaded
from prospero._requests import AnySpec
from prospero._resource import warn
from prospero.aio.network import Network
from prospero.clock import Clock
from prospero.durability import Durability, SnapshotPolicy
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
    """As `prospero.Client`. Make it inside the event loop that uses it."""

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

        def channel(settings: list[tuple[str, Any]]) -> grpc.aio.Channel:
            if credentials is None:
                return grpc.aio.insecure_channel(target, settings)
            return grpc.aio.secure_channel(target, credentials, settings)

        self._channel = channel(_channel.options(options))
        self._live_channel = channel(_channel.live_options(options))
        # For what must not stop when the event loop is blocked.
        self._threaded = threaded.Client(
            target, timeout=timeout, credentials=credentials, options=options
        )
        self._networks = network_service_pb2_grpc.NetworkServiceStub(self._channel)
        self._server = server_service_pb2_grpc.ServerServiceStub(self._channel)
        self._simulation = simulation_service_pb2_grpc.SimulationServiceStub(self._channel)
        self._state = state_service_pb2_grpc.StateServiceStub(self._channel)
        self._live = simulation_service_pb2_grpc.SimulationServiceStub(self._live_channel)

    async def create_network(
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
        """As `prospero.Client.create_network`."""
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
        made = (await self._call(self._networks.CreateNetwork, request, timeout)).network
        warn(made)
        return Network(self, made)

    async def validate_network(
        self, spec: AnySpec, id: str | None = None, *, timeout: float | None = None
    ) -> Footprint:
        """As `prospero.Client.validate_network`."""
        request = _requests.create(spec, id, None, "lockstep", True, None, None, None, None, True)
        checked = (await self._call(self._networks.CreateNetwork, request, timeout)).network
        warn(checked)
        return footprint_from(checked.footprint)

    async def get_network(self, id: str, *, timeout: float | None = None) -> Network:
        """As `prospero.Client.get_network`."""
        request = v1.GetNetworkRequest(name=_requests.name_of(id))
        response = await self._call(self._networks.GetNetwork, request, timeout)
        return Network(self, response.network)

    async def list_networks(
        self, filter: str = "", *, page_size: int = 0
    ) -> AsyncIterator[Network]:
        """As `prospero.Client.list_networks`."""
        request = v1.ListNetworksRequest(filter=filter, page_size=page_size)
        while True:
            page = await self._call(self._networks.ListNetworks, request, None)
            for network in page.networks:
                yield Network(self, network)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def delete_network(
        self,
        id: str,
        *,
        allow_missing: bool = False,
        force: bool = False,
        timeout: float | None = None,
    ) -> None:
        """As `prospero.Client.delete_network`."""
        request = _requests.delete(id, allow_missing, force)
        await self._call(self._networks.DeleteNetwork, request, timeout)

    async def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """As `prospero.Client.server_info`."""
        request = v1.GetServerInfoRequest()
        return server_info_from(await self._call(self._server.GetServerInfo, request, timeout))

    async def wait_ready(self, timeout: float = 30.0) -> None:
        """As `prospero.Client.wait_ready`."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), timeout)
        except asyncio.TimeoutError:
            raise errors.not_ready(self.target, timeout) from None

    async def close(self) -> None:
        """Ends all streams and the connection. Networks on the server live on."""
        await self._channel.close()
        await self._live_channel.close()
        self._threaded.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<prospero.aio.Client {self.target}>"

    async def _call(self, method: Callable[..., Any], request: Any, timeout: float | None) -> Any:
        try:
            return await method(request, timeout=self.timeout if timeout is None else timeout)
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None
