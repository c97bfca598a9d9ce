"""A network on the server, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from prospero import _requests, _snapshots, errors, v1
from prospero import feed as feeds
from prospero import network as networks
from prospero._feeds import Between, Late, feed_open, feed_variable
from prospero._frames import Inputs
from prospero._requests import Scope, names
from prospero._resource import Resource
from prospero._samples import Options, Selection, subscription
from prospero._snapshots import AnySnapshot
from prospero._transfer import AnyFile, Transfer, new_id
from prospero.aio._stream import Stream
from prospero.aio._threaded import ThreadedStream
from prospero.aio._transfer import on_thread
from prospero.aio.drive import Drive
from prospero.aio.feed import Feed
from prospero.aio.record import Record
from prospero.aio.subscription import Subscription
from prospero.clock import Clock
from prospero.durability import Durability, Snapshot, SnapshotPolicy, snapshot_from
from prospero.safety import Safety
from prospero.values import Advanced, Cursor, Sample, Schema, cursor_from

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from prospero.aio.client import Client


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
        clock: Clock | None = None,
        learning: bool | None = None,
        safety: Safety | None = None,
        durability: Durability | None = None,
        snapshot_policy: SnapshotPolicy | None = None,
        parameters: Mapping[str, npt.ArrayLike] | None = None,
        etag: str = "",
    ) -> Cursor:
        """As `prospero.Network.update`."""
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
        self,
        id: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        snapshot: AnySnapshot | None = None,
    ) -> Network:
        """As `prospero.Network.clone`."""
        origin = "" if snapshot is None else _snapshots.name_of(self.name, snapshot)
        request = _requests.clone(self.name, id, labels, origin)
        response = await self._call(self._stub.CloneNetwork, request)
        return Network(self._client, response.network)

    async def delete(self, *, allow_missing: bool = False, force: bool = False) -> None:
        """As `prospero.Network.delete`."""
        await self._client.delete_network(self.name, allow_missing=allow_missing, force=force)

    async def snapshot(
        self,
        id: str | None = None,
        *,
        description: str = "",
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> Snapshot:
        """As `prospero.Network.snapshot`."""
        request = _snapshots.create(self.name, id, description, ttl)
        call = await self._client._call(self._client._state.CreateSnapshot, request, timeout)
        return snapshot_from(call.snapshot)

    async def snapshots(self, *, page_size: int = 0) -> AsyncIterator[Snapshot]:
        """As `prospero.Network.snapshots`."""
        request = v1.ListSnapshotsRequest(network=self.name, page_size=page_size)
        while True:
            page = await self._call(self._client._state.ListSnapshots, request)
            for snapshot in page.snapshots:
                yield snapshot_from(snapshot)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def get_snapshot(self, snapshot: AnySnapshot, *, verify: bool = False) -> Snapshot:
        """As `prospero.Network.get_snapshot`."""
        name = _snapshots.name_of(self.name, snapshot)
        request = v1.GetSnapshotRequest(name=name, verify=verify)
        return snapshot_from((await self._call(self._client._state.GetSnapshot, request)).snapshot)

    async def delete_snapshot(self, snapshot: AnySnapshot, *, allow_missing: bool = False) -> None:
        """As `prospero.Network.delete_snapshot`."""
        request = _snapshots.delete(self.name, snapshot, allow_missing)
        await self._call(self._client._state.DeleteSnapshot, request)

    async def restore(self, snapshot: AnySnapshot, *, etag: str = "") -> Network:
        """As `prospero.Network.restore`."""
        request = _snapshots.restore(self.name, snapshot, etag)
        return await self._tell(self._client._state.RestoreSnapshot, request)

    async def export_snapshot(
        self,
        snapshot: AnySnapshot,
        to: AnyFile,
        *,
        progress: bool | None = None,
        patience: float = 60.0,
    ) -> int:
        """As `prospero.Network.export_snapshot`, on a thread: files would block the loop."""
        transfer = Transfer(self._client._threaded, progress, patience)
        name = _snapshots.name_of(self.name, snapshot)
        return await on_thread(transfer, lambda: transfer.export(name, to))

    async def import_snapshot(
        self,
        source: AnyFile,
        id: str | None = None,
        *,
        description: str = "",
        progress: bool | None = None,
        patience: float = 60.0,
    ) -> Snapshot:
        """As `prospero.Network.import_snapshot`, on a thread."""
        transfer = Transfer(self._client._threaded, progress, patience)
        chosen = id or new_id()
        return await on_thread(
            transfer, lambda: transfer.upload(self.name, source, chosen, description)
        )

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
        window = _requests.heartbeat_window(heartbeat, self.clock)

        def connect() -> Stream | ThreadedStream:
            if window:
                return ThreadedStream(self._client._threaded._simulation.Drive, window)
            return Stream(self._client._simulation.Drive())

        return Drive(
            connect,
            _requests.attach(self.name, names(inputs), names(outputs), preempt, window),
            attach_timeout=self._client.timeout,
            lockstep=self.clock == "lockstep",
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
        """As `prospero.Network.feed`, for `async with`."""
        request = feed_open(self.name, input, between, late, max_age, preempt, max_pending)

        async def make() -> feeds.Feed:
            return feeds.Feed(
                self._client._threaded._simulation.Feed,
                request,
                feed_variable(await self.schema(), input),
                timeout=self._client.timeout,
                queue=queue,
            )

        return Feed(make)

    def subscribe(
        self,
        *variables: str | Iterable[str] | Selection,
        credits: int = 256,
        reconnect: bool = False,
        **options: Unpack[Options],
    ) -> Subscription:
        """As `prospero.Network.subscribe`, for `async for` and `async with`."""
        if credits < 1:
            raise errors.invalid("credits", f"must be at least 1, got {credits}")
        return self._subscription(subscription(self.name, variables, **options), credits, reconnect)

    def watch(
        self,
        *variables: str | Iterable[str] | Selection,
        reconnect: bool = False,
        **options: Unpack[Options],
    ) -> Subscription:
        """As `prospero.Network.watch`, for `async for` and `async with`."""
        return self._subscription(subscription(self.name, variables, **options), 0, reconnect)

    def record(self, *, retained_bytes: int = 0) -> Record:
        """As `prospero.Network.record`, for `async with`."""
        return Record(lambda: self.threaded().record(retained_bytes=retained_bytes))

    def threaded(self) -> networks.Network:
        """The same network, of the client that is not asynchronous, on a connection of its
        own: for threads."""
        return networks.Network(self._client._threaded, self._proto)

    async def read(self, *variables: str | Iterable[str]) -> Sample:
        """As `prospero.Network.read`."""
        async with self.watch(*variables, start="snapshot") as samples:
            return await samples.__anext__()

    def _subscription(self, proto: v1.Subscription, credits: int, reconnect: bool) -> Subscription:
        same = self._check_same if reconnect else None
        return Subscription(self._client._live, proto, self._client.timeout, credits, same)

    async def _check_same(self) -> None:
        """As in prospero.Network."""
        request = v1.GetNetworkRequest(name=self.name)
        response = await self._call(self._stub.GetNetwork, request)
        _requests.check_uid(self.uid, response.network)

    async def _call(self, method: Callable[..., Any], request: Any) -> Any:
        return await self._client._call(method, request, None)

    async def _tell(self, method: Callable[..., Any], request: Any) -> Network:
        self._proto = (await self._call(method, request)).network
        return self
