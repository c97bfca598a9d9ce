"""Snapshots on their way from and to a server, over lines that break."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, Union

import grpc

from prospero import errors, v1
from prospero._progress import Progress
from prospero._resume import Backoff, is_broken
from prospero.durability import Snapshot, snapshot_from
from prospero.errors import ProsperoError, invalid

if TYPE_CHECKING:
    from prospero.client import Client

AnyPath = Union[str, "os.PathLike[str]"]
AnyFile = Union[AnyPath, BinaryIO]

_CHUNK = 1 << 20  # [bytes] of one message


class Transfer:
    """One export or import: it goes on where a stream broke, until nothing has moved for
    `patience` [s]. `cancel` ends it from another thread."""

    def __init__(self, client: Client, progress: bool | None, patience: float) -> None:
        self._stub = client._state
        self._call = client._call
        self._progress = progress
        self._patience = patience
        self._cancelled = threading.Event()
        self._stream: Any = None

    def cancel(self) -> None:
        self._cancelled.set()
        if (stream := self._stream) is not None:
            stream.cancel()

    def export(self, name: str, to: AnyFile) -> int:
        """Writes the file and returns its size [bytes]."""
        with _open_to_write(to) as file, ExitStack() as stack:
            received = 0
            bar: Progress | None = None

            def attempt() -> bool:
                nonlocal received, bar
                size = -1
                request = v1.ExportSnapshotRequest(name=name, offset=received)
                for message in self._watched(self._stub.ExportSnapshot(request)):
                    size = message.size_bytes
                    bar = bar or stack.enter_context(self._bar(size, "export"))
                    file.write(message.data)
                    received += len(message.data)
                    bar.advance(len(message.data), None)
                return received == size

            self._until_done(attempt, lambda: received)
            return received

    def upload(self, network: str, source: AnyFile, id: str, description: str) -> Snapshot:
        """Sends the file and returns the snapshot that it has become."""
        with _open_to_read(source) as file:
            begin, end = file.tell(), file.seek(0, os.SEEK_END)
            open = v1.ImportSnapshotRequest.Open(
                network=network,
                snapshot_id=id,
                description=description,
                upload_id=str(uuid.uuid4()),
                size_bytes=end - begin,
            )
            with self._bar(end - begin, "import") as bar:
                made: list[Snapshot] = []
                shown = 0

                def attempt() -> bool:
                    found = self._find(open) if attempted else None
                    attempted.append(True)
                    made.append(found or snapshot_from(self._send(messages()).snapshot))
                    return True

                def messages() -> Iterator[v1.ImportSnapshotRequest]:
                    nonlocal shown
                    yield v1.ImportSnapshotRequest(open=open)
                    file.seek(begin + open.offset)
                    while data := file.read(_CHUNK):
                        chunk = v1.ImportSnapshotRequest.Chunk(data=data)
                        yield v1.ImportSnapshotRequest(chunk=chunk)
                        bar.advance(max(file.tell() - begin - shown, 0), None)
                        shown = max(file.tell() - begin, shown)

                attempted: list[bool] = []
                self._until_done(attempt, lambda: open.offset)
            return made[0]

    def _find(self, open: v1.ImportSnapshotRequest.Open) -> Snapshot | None:
        """The snapshot, if the upload is complete; else sets the offset to go on at."""
        request = v1.GetUploadRequest(network=open.network, upload_id=open.upload_id)
        try:
            open.offset = self._call(self._stub.GetUpload, request, None).received_bytes
            return None
        except errors.NotFound as error:
            if error.reason != "UPLOAD_NOT_FOUND":
                raise
        name = f"{open.network}/snapshots/{open.snapshot_id}"
        try:
            found = self._call(self._stub.GetSnapshot, v1.GetSnapshotRequest(name=name), None)
            return snapshot_from(found.snapshot)
        except errors.NotFound:
            open.offset = 0
            return None

    def _send(self, messages: Iterator[v1.ImportSnapshotRequest]) -> v1.ImportSnapshotResponse:
        try:
            self._stream = self._stub.ImportSnapshot.future(messages)
            self._check_cancelled()
            response: v1.ImportSnapshotResponse = self._stream.result()
            return response
        except grpc.FutureCancelledError:
            raise errors.Cancelled("the transfer was cancelled") from None
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None

    def _watched(self, stream: Any) -> Iterator[Any]:
        """The messages of a stream that `cancel` can end."""
        self._stream = stream
        self._check_cancelled()
        try:
            yield from stream
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from None
        finally:
            stream.cancel()

    def _until_done(self, attempt: Callable[[], bool], progress: Callable[[], int]) -> None:
        """Tries again when the stream broke, as long as it gets anywhere."""
        backoff, moved_at, before = Backoff(), time.monotonic(), progress()
        while True:
            try:
                if attempt():
                    return
                error = ProsperoError("the stream ended too early")
            except ProsperoError as raised:
                if not is_broken(raised) or self._cancelled.is_set():
                    raise
                error = raised
            if progress() != before:
                backoff, moved_at, before = Backoff(), time.monotonic(), progress()
            if time.monotonic() - moved_at > self._patience:
                raise error
            self._cancelled.wait(backoff.next())
            self._check_cancelled()

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise errors.Cancelled("the transfer was cancelled")

    def _bar(self, total: int, title: str) -> Progress:
        return Progress(total, self._progress, title, unit="B")


def new_id() -> str:
    return f"import-{uuid.uuid4().hex[:12]}"


@contextmanager
def _open_to_write(to: AnyFile) -> Iterator[BinaryIO]:
    """A path is written aside and renamed, so that nobody finds half of it."""
    if not isinstance(to, (str, os.PathLike)):
        yield to
        return
    aside = f"{os.fspath(to)}.{uuid.uuid4().hex[:8]}.part"
    try:
        with open(aside, "xb") as file:
            yield file
        os.replace(aside, to)
    except BaseException:
        with suppress(OSError):
            os.remove(aside)
        raise


@contextmanager
def _open_to_read(source: AnyFile) -> Iterator[BinaryIO]:
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            yield file
        return
    if not source.seekable():
        raise invalid("source", "must be a path or a file that can be read from any place")
    yield source
