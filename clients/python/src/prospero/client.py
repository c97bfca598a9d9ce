"""The client and its networks."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy.typing as npt

from prospero import _channel, _requests, errors, v1
from prospero._frames import Inputs
from prospero._requests import AnySpec, ClockMode, Scope, names
from prospero._resource import Resource
from prospero._samples import Aggregation, Selection, subscription
from prospero.drive import Drive
from prospero.subscription import Subscription
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
        self._live = simulation_service_pb2_grpc.SimulationServiceStub(self._live_channel)

    def create_network(
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
        """Makes a network.

        Args:
            spec: from the builders in `prospero.gle`, or the message itself.
            id: lower-case letters, digits and -; None lets the server choose.
            labels: free key-value pairs.
            clock: "lockstep" advances with each frame, "free" as fast as possible.
            learning: False switches all plasticity off.
            request_id: makes the call repeatable; None takes a new one.

        Raises:
            AlreadyExists: the id is taken.
            InvalidArgument: the spec is wrong; `field_violations` says where.
            LimitExceeded: the network is larger than the server allows.
        """
        request = _requests.create(spec, id, labels, clock, learning, request_id, False)
        return Network(self, self._call(self._networks.CreateNetwork, request, timeout).network)

    def validate_network(
        self, spec: AnySpec, id: str | None = None, *, timeout: float | None = None
    ) -> None:
        """Checks all that `create_network` checks and makes nothing. Raises as it does."""
        request = _requests.create(spec, id, None, "lockstep", True, None, True)
        self._call(self._networks.CreateNetwork, request, timeout)

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
        self, id: str, *, allow_missing: bool = False, timeout: float | None = None
    ) -> None:
        """Removes a network; its streams end. Raises NotFound unless `allow_missing`."""
        request = _requests.delete(id, allow_missing)
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


class Network(Resource):
    """A network on the server. It outlives this object and every connection.

    Properties tell what the server said last; `refresh()` asks again.
    """

    def __init__(self, client: Client, proto: v1.Network) -> None:
        super().__init__(proto)
        self._client = client
        self._stub = client._networks
        self._schema: Schema | None = None

    def refresh(self) -> Network:
        """Asks the server for the network as it is now."""
        return self._tell(self._stub.GetNetwork, v1.GetNetworkRequest(name=self.name))

    def schema(self) -> Schema:
        """Every variable of the network. Fixed for its life; asked for once."""
        if self._schema is None:
            request = v1.GetNetworkSchemaRequest(name=self.name)
            self._schema = _requests.schema(self._call(self._stub.GetNetworkSchema, request))
        return self._schema

    def update(
        self,
        *,
        labels: Mapping[str, str] | None = None,
        clock: ClockMode | None = None,
        learning: bool | None = None,
        parameters: Mapping[str, npt.ArrayLike] | None = None,
        etag: str = "",
    ) -> Cursor:
        """Changes what is given, at a step boundary, and returns the step that it holds from.

        Args:
            labels: replace all labels.
            clock: "lockstep" or "free".
            learning: all plasticity on or off.
            parameters: new values of variables of role parameter, input or weight, by name;
                a number fills the whole array.
            etag: of the network as the caller knows it; EtagMismatch when it has changed.
        """
        request = _requests.update(self.name, labels, clock, learning, parameters, etag)
        response = self._call(self._stub.UpdateNetwork, request)
        self._proto = response.network
        return cursor_from(response.applied_at)

    def set(
        self, values: Mapping[str, npt.ArrayLike] | None = None, /, **more: npt.ArrayLike
    ) -> Cursor:
        """Sets variables by name: `set({"hidden_to_output.W.eta": 1e-4})`, `set(learning=0)`.
        See `update`."""
        return self.update(parameters={**(values or {}), **more})

    def start(self) -> Network:
        """Lets the clock advance the network."""
        return self._tell(self._stub.StartNetwork, v1.StartNetworkRequest(name=self.name))

    def pause(self) -> Network:
        """Stops the clock between two steps."""
        return self._tell(self._stub.PauseNetwork, v1.PauseNetworkRequest(name=self.name))

    def reset(self, *scopes: Scope, seed: int | None = None, etag: str = "") -> Network:
        """Puts parts of the network back to the start. Its epoch grows.

        Args:
            scopes: some of "state", "weights", "noise", "step"; none means all.
            seed: None keeps the present one.
        """
        request = _requests.reset(self.name, scopes, seed, etag)
        return self._tell(self._stub.ResetNetwork, request)

    def clone(self, id: str | None = None, *, labels: Mapping[str, str] | None = None) -> Network:
        """A new network that goes on, bit for bit, from the present state of this one."""
        request = _requests.clone(self.name, id, labels)
        return Network(self._client, self._call(self._stub.CloneNetwork, request).network)

    def delete(self, *, allow_missing: bool = False) -> None:
        """Removes the network; its streams end."""
        self._client.delete_network(self.name, allow_missing=allow_missing)

    def step(
        self,
        inputs: Inputs | None = None,
        *,
        steps: int | None = None,
        outputs: str | Iterable[str] = (),
        at_step: int | None = None,
        output_every: int = 1,
        timeout: float | None = None,
    ) -> Advanced:
        """Advances the network in one call; `drive` is twice as fast. See `Drive.advance`.

        Args:
            outputs: variables to return, by name or glob; none means the rates of the
                output populations.

        Raises:
            LeaseHeld: a driver is attached.
        """
        request, single = _requests.step(
            self.name, self.schema(), inputs, steps, names(outputs), at_step, output_every
        )
        response = self._client._call(self._client._simulation.Step, request, timeout)
        return _requests.stepped(response, request.steps, single)

    def drive(
        self,
        inputs: str | Iterable[str] = (),
        outputs: str | Iterable[str] = (),
        *,
        preempt: bool = False,
        heartbeat: float | None = None,
    ) -> Drive:
        """The closed loop with the network, on one stream that holds its lease.

            with network.drive(outputs=["output.r"]) as drive:
                for x, target in samples:
                    y = drive.advance({"input": x, "output": target})["output.r"]

        Args:
            inputs: input variables to write, by name; the name of an input population
                stands for its rates, that of an output population for its target. None
                means all.
            outputs: variables to return, by name or glob; none means the rates of the
                output populations.
            preempt: take the lease from a present driver.
            heartbeat: the server ends the stream when no request comes for so long [s].

        Raises (on entering):
            LeaseHeld: another driver is attached.
        """
        request = _requests.attach(self.name, names(inputs), names(outputs), preempt, heartbeat)
        return Drive(
            self._client._simulation.Drive,
            request,
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
        """Watches variables, without disturbing the network.

            with network.subscribe("*.W.norm", "loss", every=100) as samples:
                for sample in samples:
                    print(sample.step, sample["loss"])

        Args:
            variables: names or globs with the common rhythm of the arguments below, or
                `Selection`s with a rhythm each.
            every, max_rate, aggregation, slice: see `Selection`.
            start_with_snapshot: the present values come first, at once.
            max_pending: samples the server keeps for a slow reader, then old ones give way
                and `Sample.gap` tells; 0 lets the server choose.
            heartbeat: a `Heartbeat` event comes after so much silence [s].
            credits: samples that may be on their way; granted anew as they are taken.
        """
        selections = _requests.selections(variables, every, max_rate, aggregation, slice)
        proto = subscription(self.name, selections, start_with_snapshot, max_pending, heartbeat)
        method = self._client._live.Subscribe
        return Subscription.with_credits(method, proto, self._client.timeout, credits)

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
        """As `subscribe`, with the transport's flow control in the place of credits."""
        selections = _requests.selections(variables, every, max_rate, aggregation, slice)
        proto = subscription(self.name, selections, start_with_snapshot, max_pending, heartbeat)
        return Subscription.plain(self._client._live.Watch, proto, self._client.timeout)

    def read(self, *variables: str | Iterable[str]) -> Sample:
        """The present values of variables, by name or glob, all of one step."""
        with self.watch(*variables, start_with_snapshot=True) as samples:
            return next(samples)

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        return self._client._call(method, request, None)

    def _tell(self, method: Callable[..., Any], request: Any) -> Network:
        self._proto = self._call(method, request).network
        return self
