"""A network on the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from prospero import _requests, _snapshots, errors, v1
from prospero._feeds import Between, Late, feed_open, feed_variable
from prospero._frames import Inputs
from prospero._requests import Scope, names
from prospero._resource import Resource
from prospero._samples import Options, Selection, subscription
from prospero._snapshots import AnySnapshot
from prospero._tape import selections
from prospero._transfer import AnyFile, Transfer, new_id
from prospero.clock import Clock
from prospero.drive import Drive
from prospero.durability import Durability, Snapshot, SnapshotPolicy, snapshot_from
from prospero.feed import Feed
from prospero.record import Record
from prospero.safety import Safety
from prospero.subscription import Subscription
from prospero.values import Advanced, Cursor, Sample, Schema, cursor_from

if TYPE_CHECKING:
    from typing_extensions import Unpack

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
        clock: Clock | None = None,
        learning: bool | None = None,
        safety: Safety | None = None,
        durability: Durability | None = None,
        snapshot_policy: SnapshotPolicy | None = None,
        parameters: Mapping[str, npt.ArrayLike] | None = None,
        etag: str = "",
    ) -> Cursor:
        """Changes what is given, at a step boundary, and returns the step that it holds from.

        Args:
            labels: replace all labels.
            clock: "lockstep", "free", "realtime" or a `Realtime`. A network that runs goes on
                running.
            learning: all plasticity on or off.
            safety: what happens when inputs or the driver stop; `Safety()` for nothing.
            durability: what is kept when the server is killed: "none", "async" or "sync".
            snapshot_policy: snapshots that the server takes by itself; `SnapshotPolicy()` for
                none.
            parameters: new values of variables of role parameter, input or weight, by name;
                a number fills the whole array.
            etag: of the network as the caller knows it; EtagMismatch when it has changed.

        Raises:
            RealtimeOverload: it does not fit beside what is REALTIME already.
        """
        request = _requests.update(
            self.name,
            labels,
            clock,
            learning,
            safety,
            durability,
            snapshot_policy,
            parameters,
            etag,
        )
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

    def clone(
        self,
        id: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        snapshot: AnySnapshot | None = None,
    ) -> Network:
        """A new network that goes on, bit for bit, from the present state of this one, or from
        one of its snapshots."""
        origin = "" if snapshot is None else _snapshots.name_of(self.name, snapshot)
        request = _requests.clone(self.name, id, labels, origin)
        return Network(self._client, self._call(self._stub.CloneNetwork, request).network)

    def delete(self, *, allow_missing: bool = False, force: bool = False) -> None:
        """Removes the network and all that was kept of it; its streams end. Raises HasSnapshots
        unless `force`."""
        self._client.delete_network(self.name, allow_missing=allow_missing, force=force)

    def snapshot(
        self,
        id: str | None = None,
        *,
        description: str = "",
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> Snapshot:
        """Keeps the whole state, as it is between two steps, in a file on the server.

        Args:
            id: lower-case letters, digits and -; None lets the server choose.
            description: free text.
            ttl: the server deletes it after this time [s]; None: never.
            timeout: of the call [s]; a large network takes as long as its disk.
        """
        request = _snapshots.create(self.name, id, description, ttl)
        call = self._client._call(self._client._state.CreateSnapshot, request, timeout)
        return snapshot_from(call.snapshot)

    def snapshots(self, *, page_size: int = 0) -> Iterator[Snapshot]:
        """All snapshots, the newest first, fetched page by page."""
        request = v1.ListSnapshotsRequest(network=self.name, page_size=page_size)
        while True:
            page = self._call(self._client._state.ListSnapshots, request)
            yield from map(snapshot_from, page.snapshots)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def get_snapshot(self, snapshot: AnySnapshot, *, verify: bool = False) -> Snapshot:
        """A snapshot as the server knows it. Raises NotFound.

        Args:
            verify: the server reads the whole file and compares its checksums: `damage` tells.
        """
        name = _snapshots.name_of(self.name, snapshot)
        request = v1.GetSnapshotRequest(name=name, verify=verify)
        return snapshot_from(self._call(self._client._state.GetSnapshot, request).snapshot)

    def delete_snapshot(self, snapshot: AnySnapshot, *, allow_missing: bool = False) -> None:
        """Removes a snapshot and its file. Raises NotFound unless `allow_missing`."""
        request = _snapshots.delete(self.name, snapshot, allow_missing)
        self._call(self._client._state.DeleteSnapshot, request)

    def restore(self, snapshot: AnySnapshot, *, etag: str = "") -> Network:
        """Puts the network into the state of one of its snapshots. Its epoch grows; one that has
        failed can go on. Clock, labels and safety stay.

        Raises:
            SnapshotDamaged: the file is not what was written; the network is as it was.
            SnapshotMismatch: it is of a network with other arrays.
        """
        request = _snapshots.restore(self.name, snapshot, etag)
        return self._tell(self._client._state.RestoreSnapshot, request)

    def export_snapshot(
        self,
        snapshot: AnySnapshot,
        to: AnyFile,
        *,
        progress: bool | None = None,
        patience: float = 60.0,
    ) -> int:
        """Copies the file of a snapshot here, and returns its size [bytes]. The public package
        `safetensors` opens it.

        Args:
            to: a path, or a binary file to write to. At a path there is all of it or nothing.
            progress: None shows it on a terminal.
            patience: when the connection breaks it is tried again, and goes on where it was,
                until nothing has come for this time [s].
        """
        transfer = Transfer(self._client, progress, patience)
        return transfer.export(_snapshots.name_of(self.name, snapshot), to)

    def import_snapshot(
        self,
        source: AnyFile,
        id: str | None = None,
        *,
        description: str = "",
        progress: bool | None = None,
        patience: float = 60.0,
    ) -> Snapshot:
        """Makes a snapshot of this network from a file, perhaps of another server.

        Args:
            source: a path, or a binary file, from where it stands.
            id: of the snapshot; None chooses one.
            progress, patience: as in `export_snapshot`.

        Raises:
            BadSnapshot: the file is no snapshot, or damaged.
            SnapshotMismatch: it is of a network with other arrays.
        """
        transfer = Transfer(self._client, progress, patience)
        return transfer.upload(self.name, source, id or new_id(), description)

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
            heartbeat: silence [s] after which the server takes the lease back. A thread of the
                client gives signs of life, also while the caller computes or waits; so what
                is noticed is a process that was killed or stopped, and a line that is cut.
                None is 2 s with the clocks "realtime" and "free", and never with "lockstep",
                where a network stands still without its driver. 0 is never.

        Raises (on entering):
            LeaseHeld: another driver is attached.
        """
        window = _requests.heartbeat_window(heartbeat, self.clock)
        return Drive(
            self._client._simulation.Drive,
            _requests.attach(self.name, names(inputs), names(outputs), preempt, window),
            attach_timeout=self._client.timeout,
            lockstep=self.clock == "lockstep",
            heartbeat=window,
        )

    def feed(
        self,
        input: str,
        *,
        between: Between = "hold",
        late: Late = "drop",
        max_age: float | None = None,
        preempt: bool = False,
        max_pending: int = 0,
        queue: int = 64,
    ) -> Feed:
        """A sensor that pushes into one input at its own rate; not in LOCKSTEP.

            with network.feed("camera", between="linear") as feed:
                for image in camera:
                    feed.push(image)

        Args:
            input: a variable, or a population for its port.
            between: what the input is between two frames: "hold" the last one, on the straight
                "linear" way from one to the next, or "zero" (absent for a target).
            late: what happens to a frame that comes after its step or too old: "drop" it,
                "apply" it at once, or "refuse" it and end the feed.
            max_age: frames with `captured_at` that are older [s] are late; None: none is.
            preempt: take the input from a present feed.
            max_pending: frames stamped with later steps that the server keeps; 0 is 64.
            queue: frames that wait here to be sent; then the oldest gives way.
        """
        request = feed_open(self.name, input, between, late, max_age, preempt, max_pending)
        return Feed(
            self._client._simulation.Feed,
            request,
            feed_variable(self.schema(), input),
            timeout=self._client.timeout,
            queue=queue,
        )

    def subscribe(
        self,
        *variables: str | Iterable[str] | Selection,
        credits: int = 256,
        reconnect: bool = False,
        **options: Unpack[Options],
    ) -> Subscription:
        """Watches variables, without disturbing the network.

            with network.subscribe("*.W.norm", "loss", every=100) as samples:
                for sample in samples:
                    print(sample.step, sample["loss"])

        Args:
            variables: names or globs with the common rhythm of the arguments below, or
                `Selection`s with a rhythm each.
            every, max_rate, aggregation, slice, on_change: see `Selection`.
            start: "now", with the first sample due; "snapshot", with the present values at
                once; or a Cursor, behind which to go on (`Subscription.position`).
            delivery: "latest": old samples give way to new ones when the reader is slow, and
                `Sample.gap` tells. "reliable": every sample, as long as it is retained;
                CursorEvicted for a reader who falls behind that.
            max_pending: "latest" only: samples the server keeps for a slow reader; 0 lets the
                server choose.
            retained_bytes: of samples that the server keeps for later; 0 lets it choose.
            heartbeat: a `Heartbeat` event comes after so much silence [s].
            credits: samples that may be on their way; granted anew as they are taken.
            reconnect: when the connection breaks or the server is unavailable, try again, with
                growing pauses, until closed, and go on behind the last sample. A line that is
                cut without a word is noticed within half a minute, by pings.
        """
        if credits < 1:
            raise errors.invalid("credits", f"must be at least 1, got {credits}")
        return self._subscription(subscription(self.name, variables, **options), credits, reconnect)

    def watch(
        self,
        *variables: str | Iterable[str] | Selection,
        reconnect: bool = False,
        **options: Unpack[Options],
    ) -> Subscription:
        """As `subscribe`, with the transport's flow control in the place of credits."""
        return self._subscription(subscription(self.name, variables, **options), 0, reconnect)

    def record(self, *, retained_bytes: int = 0) -> Record:
        """Records what goes into the network, to play it back in LOCKSTEP; see `Record`.

        Args:
            retained_bytes: what the server keeps for a time in which this process is slow or
                cut off; 0 lets it choose.
        """

        def open() -> Subscription:
            return self.subscribe(
                *selections(self.schema()),
                delivery="reliable",
                retained_bytes=retained_bytes,
                credits=4096,
                reconnect=True,
            )

        return Record(open, lambda: self.refresh().cursor)

    def read(self, *variables: str | Iterable[str]) -> Sample:
        """The present values of variables, by name or glob, all of one step."""
        with self.watch(*variables, start="snapshot") as samples:
            return next(samples)

    def _subscription(self, proto: v1.Subscription, credits: int, reconnect: bool) -> Subscription:
        same = self._check_same if reconnect else None
        return Subscription(self._client._live, proto, self._client.timeout, credits, same)

    def _check_same(self) -> None:
        """Raises unless the server still has this very network."""
        request = v1.GetNetworkRequest(name=self.name)
        _requests.check_uid(self.uid, self._call(self._stub.GetNetwork, request).network)

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        return self._client._call(method, request, None)

    def _tell(self, method: Callable[..., Any], request: Any) -> Network:
        self._proto = self._call(method, request).network
        return self
