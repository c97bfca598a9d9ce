"""What was learned is kept, put back, and carried elsewhere."""

import asyncio
import io
import time

import numpy as np
import pytest
from conftest import Server
from relay import Relay
from safetensors import safe_open

import prospero


@pytest.fixture
def learnt(make, chain):
    """A network that has made 100 steps."""
    network = make(chain(precision="float64"))
    learn(network, 100)
    return network


def learn(network, steps, seed=1):
    """The outputs of some steps."""
    x = np.random.default_rng(seed).normal(size=(steps, 2))
    with network.drive() as drive:
        return drive.run({"input": x, "output": np.ones((steps, 1))})["output.r"]


def test_a_network_goes_on_from_a_snapshot_bit_for_bit(learnt):
    snapshot = learnt.snapshot("before", description="of a test")
    assert snapshot.id == "before" and snapshot.name == f"{learnt.name}/snapshots/before"
    assert snapshot.step == 100 and snapshot.origin == "call" and snapshot.damage is None
    assert snapshot.description == "of a test" and snapshot.expires_at is None
    assert abs(snapshot.created_at - time.time()) < 3600
    expected = learn(learnt, 50)
    learn(learnt, 200)
    assert learnt.restore(snapshot).cursor.step == 100
    assert np.array_equal(learn(learnt, 50), expected)
    with learnt.clone(snapshot=snapshot).drive() as drive:
        assert drive.cursor.step == 100
    learnt.delete(force=True)


def test_snapshots_are_listed_and_removed(learnt):
    ids = [learnt.snapshot().id for _ in range(5)]
    assert [s.id for s in learnt.snapshots(page_size=2)] == ids[::-1]
    assert learnt.get_snapshot(ids[0], verify=True).damage is None
    learnt.delete_snapshot(ids[0])
    with pytest.raises(prospero.NotFound):
        learnt.get_snapshot(ids[0])
    learnt.delete_snapshot(ids[0], allow_missing=True)
    assert learnt.snapshot(ttl=3600).expires_at > time.time()
    with pytest.raises(prospero.HasSnapshots):
        learnt.delete()
    learnt.delete(force=True)


def test_the_public_package_reads_an_exported_file(learnt, tmp_path):
    path = tmp_path / "net.safetensors"
    snapshot = learnt.snapshot()
    assert learnt.export_snapshot(snapshot, path) == snapshot.size_bytes == path.stat().st_size
    saved = ("state", "weight", "parameter", "input")
    names = [v.name for v in learnt.schema().values() if v.role in saved and not v.computed]
    present = learnt.read("*.W", "*.u", "*.b")
    with safe_open(path, "np") as file:
        assert set(present.values) <= set(file.keys()) <= set(names)
        for name, values in present.values.items():
            array = file.get_tensor(name)
            assert array.dtype == values.dtype and np.array_equal(array, values)
        metadata = file.metadata()
    assert metadata["format"] == "prospero-snapshot" and metadata["model"] == "gle"
    assert metadata["network"] == learnt.name and metadata["uid"] == learnt.uid
    assert metadata["step"] == "100" and metadata["precision"] == "FLOAT64"
    assert float(metadata["dt_ms"]) == 0.5 and metadata["seed"] == "1"
    assert "xxh3:hidden.u" in metadata and metadata["checksum"]
    assert not list(tmp_path.glob("*.part"))
    learnt.delete(force=True)


def test_a_file_becomes_a_snapshot_of_another_network(learnt, make, chain):
    file = io.BytesIO()
    learnt.export_snapshot(learnt.snapshot(), file)
    expected = learn(learnt, 50)
    other = make(chain(precision="float64", seed=7))
    file.seek(0)
    snapshot = other.import_snapshot(file, "moved", description="moved")
    assert snapshot.origin == "import" and snapshot.step == 100 and snapshot.id == "moved"
    other.restore(snapshot)
    assert np.array_equal(learn(other, 50), expected)
    for network in (learnt, other):
        network.delete(force=True)


def test_a_file_that_is_none_is_refused(learnt, make, chain, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"no snapshot at all")
    with pytest.raises(prospero.BadSnapshot):
        learnt.import_snapshot(path)
    learnt.export_snapshot(learnt.snapshot("mine"), path)
    with pytest.raises(prospero.SnapshotMismatch):
        make(chain((2, 4, 1), precision="float64")).import_snapshot(str(path))
    with pytest.raises(prospero.AlreadyExists):
        learnt.import_snapshot(path, "mine")
    with pytest.raises(prospero.InvalidArgument):
        learnt.export_snapshot("", path)
    learnt.delete(force=True)


def test_nothing_is_left_of_an_export_that_failed(learnt, tmp_path):
    path = tmp_path / "net.safetensors"
    with pytest.raises(prospero.NotFound):
        learnt.export_snapshot("none", path)
    assert list(tmp_path.iterdir()) == []


class Cutting(io.BytesIO):
    """A file that cuts the line, and mends it at once, after each of some numbers of bytes."""

    def __init__(self, relay, at, data=b""):
        super().__init__(data)
        self._relay, self._at, self.cuts = relay, list(at), 0

    def _look(self):
        if self._at and self.tell() >= self._at[0]:
            del self._at[0]
            self.cuts += 1
            self._relay.cut()
            self._relay.mend()

    def write(self, data):
        count = super().write(data)
        self._look()
        return count

    def read(self, size=-1):
        self._look()
        return super().read(size)


@pytest.fixture
def relay(server):
    relay = Relay(server.target)
    yield relay
    relay.close()


def test_transfers_go_on_where_their_line_was_cut(relay, make, chain):
    network = make(chain((2000, 700, 1), precision="float64"))
    straight = io.BytesIO()
    snapshot = network.snapshot("straight")
    network.export_snapshot(snapshot, straight)
    data = straight.getvalue()
    cuts = (len(data) // 3, len(data) // 2)
    with prospero.Client(relay.target) as client:
        far = client.get_network(network.id)
        broken = Cutting(relay, cuts)
        assert far.export_snapshot(snapshot, broken) == len(data)
        assert broken.cuts == 2 and broken.getvalue() == data
        source = Cutting(relay, cuts, data)
        assert far.import_snapshot(source, "copy").size_bytes == len(data)
        assert source.cuts == 2
    assert network.get_snapshot("copy", verify=True).damage is None
    network.delete(force=True)


def test_a_transfer_gives_up_when_nothing_comes(relay, learnt):
    snapshot = learnt.snapshot()
    with prospero.Client(relay.target) as client:
        far = client.get_network(learnt.id)
        relay.cut()
        with pytest.raises(prospero.Unavailable):
            far.export_snapshot(snapshot, io.BytesIO(), patience=0.0)
    learnt.delete(force=True)


def test_the_asynchronous_client_keeps_and_carries_alike(server, learnt, tmp_path):
    path = tmp_path / "net.safetensors"

    async def scenario():
        async with prospero.aio.Client(server.target) as client:
            network = await client.get_network(learnt.id)
            snapshot = await network.snapshot("one")
            assert [s.id async for s in network.snapshots()] == ["one"]
            assert await network.export_snapshot(snapshot, path) == snapshot.size_bytes
            assert (await network.import_snapshot(path, "two")).step == 100
            assert (await network.get_snapshot("two", verify=True)).damage is None
            await network.delete_snapshot("one")
            await network.step(steps=5)
            assert (await network.restore("two")).cursor.step == 100
            clone = await network.clone(snapshot="two")
            assert clone.cursor.step == 100
            await clone.delete()
            await network.delete(force=True)

    asyncio.run(scenario())


def test_a_policy_and_a_durability_are_told_and_changed(server, make, chain, client):
    policy = prospero.SnapshotPolicy(every=3600, keep=2)
    network = make(chain(), snapshot_policy=policy, durability="none")
    assert network.snapshot_policy == policy and network.durability == "none"
    network.update(snapshot_policy=prospero.SnapshotPolicy())
    assert network.snapshot_policy is None
    with pytest.raises(prospero.InvalidArgument) as error:
        network.update(snapshot_policy=prospero.SnapshotPolicy(every=0.5))
    assert error.value.field_violations[0].field == "network.snapshot_policy.every"
    with pytest.raises(prospero.InvalidArgument):
        network.update(durability="always")
    storage = client.server_info().storage
    assert storage.group_commit == pytest.approx(0.01) and not storage.degraded


def test_what_was_learned_outlives_the_server(tmp_path, chain):
    kept = ("--data-dir", str(tmp_path / "data"), "--durability", "sync")
    server = Server(tmp_path, *kept)
    with prospero.Client(server.target) as client:
        assert client.server_info().storage.default_durability == "sync"
        network = client.create_network(chain(precision="float64"), "n")
        assert network.durability == "sync" and network.storage.state == "kept"
        learn(network, 100)
        snapshot = network.snapshot("one")
        twin = network.clone("twin")
        expected = learn(network, 50)
    server.process.kill()
    server.process.wait(30)
    (tmp_path / "port").unlink()
    server = Server(tmp_path, *kept)
    with prospero.Client(server.target) as client:
        network, twin = client.get_network("n"), client.get_network("twin")
        assert len(network.schema()) > 0  # It is there now: GetNetwork alone does not wait.
        assert network.refresh().cursor.step == 150 and network.recovery.loss is None
        assert network.restore(snapshot.id).cursor.step == 100
        for one in (network, twin):
            assert np.array_equal(learn(one, 50), expected)
        assert client.server_info().storage.networks_recovered == 2
    assert server.stop() == 0
