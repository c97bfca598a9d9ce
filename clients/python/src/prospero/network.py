"""A network on the server."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from prospero import _requests, v1
from prospero._frames import Inputs
from prospero._requests import ClockMode, Scope, names
from prospero._resource import Resource
from prospero._samples import Aggregation, Selection, subscription
from prospero.drive import Drive
from prospero.subscription import Subscription
from prospero.values import Advanced, Cursor, Sample, Schema, cursor_from

if TYPE_CHECKING:
    from prospero.client import Client


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
