"""The client and its networks, for asyncio."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import grpc.aio
import numpy.typing as npt

from prospero import _channel, _requests, errors, v1
from prospero._frames import Inputs
from prospero._requests import AnySpec, ClockMode, Scope, names
from prospero._resource import Resource
from prospero._samples import Aggregation, Selection, subscription
from prospero.aio.drive import Drive
from prospero.aio.subscription import Subscription
from prospero.v1 import (
    network_service_pb2_grpc,
    server_service_pb2_grpc,
    simulation_service_pb2_grpc,
)
from prospero.values import (
    Advanced,
    Cursor,
    Sample,
    Schema,
    ServerInfo,
    cursor_from,
    server_info_from,
)


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
        self._networks = network_service_pb2_grpc.NetworkServiceStub(self._channel)
        self._server = server_service_pb2_grpc.ServerServiceStub(self._channel)
        self._simulation = simulation_service_pb2_grpc.SimulationServiceStub(self._channel)
        self._live = simulation_service_pb2_grpc.SimulationServiceStub(self._live_channel)

    async def create_network(
        self,
        spec: AnySpec,
        id: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        clock: ClockMode = "lockstep",
        learning: bool = True,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Network:
        """As `prospero.Client.create_network`."""
        request = _requests.create(spec, id, labels, clock, learning, request_id, False)
        response = await self._call(self._networks.CreateNetwork, request, timeout)
        return Network(self, response.network)

    async def validate_network(
        self, spec: AnySpec, id: str | None = None, *, timeout: float | None = None
    ) -> None:
        """As `prospero.Client.validate_network`."""
        request = _requests.create(spec, id, None, "lockstep", True, None, True)
        await self._call(self._networks.CreateNetwork, request, timeout)

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
        self, id: str, *, allow_missing: bool = False, timeout: float | None = None
    ) -> None:
        """As `prospero.Client.delete_network`."""
        request = _requests.delete(id, allow_missing)
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


class Network(Resource):
    """As `prospero.Network`."""

    def __init__(self, client: Client, proto: v1.Network) -> None:
        super().__init__(proto)
        self._client = client
        self._stub = client._networks
        self._schema: Schema | None = None

    async def refresh(self) -> Network:
        """As `prospero.Network.refresh`."""
        return await self._tell(self._stub.GetNetwork, v1.GetNetworkRequest(name=self.name))

    async def schema(self) -> Schema:
        """As `prospero.Network.schema`."""
        if self._schema is None:
            request = v1.GetNetworkSchemaRequest(name=self.name)
            response = await self._call(self._stub.GetNetworkSchema, request)
            self._schema = _requests.schema(response)
        return self._schema

    async def update(
        self,
        *,
        labels: Mapping[str, str] | None = None,
        clock: ClockMode | None = None,
        learning: bool | None = None,
        parameters: Mapping[str, npt.ArrayLike] | None = None,
        etag: str = "",
    ) -> Cursor:
        """As `prospero.Network.update`."""
        request = _requests.update(self.name, labels, clock, learning, parameters, etag)
        response = await self._call(self._stub.UpdateNetwork, request)
        self._proto = response.network
        return cursor_from(response.applied_at)

    async def set(
        self, values: Mapping[str, npt.ArrayLike] | None = None, /, **more: npt.ArrayLike
    ) -> Cursor:
        """As `prospero.Network.set`."""
        return await self.update(parameters={**(values or {}), **more})

    async def start(self) -> Network:
        """As `prospero.Network.start`."""
        return await self._tell(self._stub.StartNetwork, v1.StartNetworkRequest(name=self.name))

    async def pause(self) -> Network:
        """As `prospero.Network.pause`."""
        return await self._tell(self._stub.PauseNetwork, v1.PauseNetworkRequest(name=self.name))

    async def reset(self, *scopes: Scope, seed: int | None = None, etag: str = "") -> Network:
        """As `prospero.Network.reset`."""
        request = _requests.reset(self.name, scopes, seed, etag)
        return await self._tell(self._stub.ResetNetwork, request)

    async def clone(
        self, id: str | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Network:
        """As `prospero.Network.clone`."""
        request = _requests.clone(self.name, id, labels)
        response = await self._call(self._stub.CloneNetwork, request)
        return Network(self._client, response.network)

    async def delete(self, *, allow_missing: bool = False) -> None:
        """As `prospero.Network.delete`."""
        await self._client.delete_network(self.name, allow_missing=allow_missing)

    async def step(
        self,
        inputs: Inputs | None = None,
        *,
        steps: int | None = None,
        outputs: str | Iterable[str] = (),
        at_step: int | None = None,
        output_every: int = 1,
        timeout: float | None = None,
    ) -> Advanced:
        """As `prospero.Network.step`."""
        request, single = _requests.step(
            self.name, await self.schema(), inputs, steps, names(outputs), at_step, output_every
        )
        response = await self._client._call(self._client._simulation.Step, request, timeout)
        return _requests.stepped(response, request.steps, single)

    def drive(
        self,
        inputs: str | Iterable[str] = (),
        outputs: str | Iterable[str] = (),
        *,
        preempt: bool = False,
        heartbeat: float | None = None,
    ) -> Drive:
        """As `prospero.Network.drive`, for `async with`."""
        return Drive(
            self._client._simulation.Drive,
            _requests.attach(self.name, names(inputs), names(outputs), preempt, heartbeat),
            attach_timeout=self._client.timeout,
            lockstep=self.clock == "lockstep",
        )

    def subscribe(
        self,
        *variables: str | Iterable[str] | Selection,
        every: int = 1,
        max_rate: float = 0.0,
        aggregation: Aggregation = "last",
        slice: builtins.slice | None = None,
        start_with_snapshot: bool = False,
        max_pending: int = 0,
        heartbeat: float | None = None,
        credits: int = 256,
    ) -> Subscription:
        """As `prospero.Network.subscribe`, for `async for` and `async with`."""
        if credits < 1:
            raise errors.invalid("credits", f"must be at least 1, got {credits}")
        selections = _requests.selections(variables, every, max_rate, aggregation, slice)
        proto = subscription(self.name, selections, start_with_snapshot, max_pending, heartbeat)
        return Subscription(self._client._live.Subscribe, proto, self._client.timeout, credits)

    def watch(
        self,
        *variables: str | Iterable[str] | Selection,
        every: int = 1,
        max_rate: float = 0.0,
        aggregation: Aggregation = "last",
        slice: builtins.slice | None = None,
        start_with_snapshot: bool = False,
        max_pending: int = 0,
        heartbeat: float | None = None,
    ) -> Subscription:
        """As `prospero.Network.watch`, for `async for` and `async with`."""
        selections = _requests.selections(variables, every, max_rate, aggregation, slice)
        proto = subscription(self.name, selections, start_with_snapshot, max_pending, heartbeat)
        return Subscription(self._client._live.Watch, proto, self._client.timeout, 0)

    async def read(self, *variables: str | Iterable[str]) -> Sample:
        """As `prospero.Network.read`."""
        async with self.watch(*variables, start_with_snapshot=True) as samples:
            return await samples.__anext__()

    async def _call(self, method: Callable[..., Any], request: Any) -> Any:
        return await self._client._call(method, request, None)

    async def _tell(self, method: Callable[..., Any], request: Any) -> Network:
        self._proto = (await self._call(method, request)).network
        return self
