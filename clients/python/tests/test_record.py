import asyncio

import numpy as np
import pytest

import prospero
from prospero._tape import INPUTS, PARAMETERS, Tape
from prospero.values import Cursor, Sample

STEPS = 6


def tape():
    """Inputs x and a target that is there in steps 2 and 3; eta changes in step 4."""
    tape = Tape(Cursor(0, 10), 0.5)
    for index in range(STEPS):
        cursor = Cursor(0, 11 + index)
        if index in (0, 4):
            values = {"W.eta": np.float32(0.1 if index == 0 else 0.2), "learning": np.float32(1)}
            tape.add(Sample(cursor, values, PARAMETERS))
        values = {
            "input.r": np.full((1, 2), index, np.float32),
            "output.target": np.full((1, 1), -index, np.float32),
            "output.teach": np.float32(index in (2, 3)),
        }
        tape.add(Sample(cursor, values, INPUTS))
    return tape


def test_a_tape_is_cut_where_parameters_change():
    first, second = tape().segments()
    assert (first.steps, second.steps) == (4, 2)
    assert first.parameters == {"W.eta": np.float32(0.1)} and first.learning is True
    assert second.parameters == {"W.eta": np.float32(0.2)} and second.learning is None


def test_what_was_absent_is_absent_again():
    first, second = tape().segments()
    assert set(first.inputs) == {"input.r", "output.target"}
    assert [row is None for row in first.inputs["output.target"]] == [True, True, False, False]
    assert second.inputs["output.target"] == [None, None]
    assert np.array_equal(first.inputs["input.r"][:, 0, 0], [0, 1, 2, 3])


def test_a_step_that_is_missing_is_an_error():
    recorded = tape()
    with pytest.raises(prospero.Aborted, match="step 17 was not recorded"):
        recorded.add(Sample(Cursor(0, 18), {}, INPUTS))
    with pytest.raises(prospero.Aborted, match="reset"):
        recorded.add(Sample(Cursor(1, 17), {}, INPUTS))


def test_a_record_comes_back_from_its_file(tmp_path):
    path = tmp_path / "run.npz"
    tape().save(path)
    record = prospero.Record.load(path)
    assert record.start == (0, 10) and record.cursor == (0, 16) and record.steps == STEPS
    assert np.array_equal(record["input.r"], tape().array("input.r"))
    for a, b in zip(record.tape.segments(), tape().segments()):
        assert a.steps == b.steps and a.parameters == b.parameters and a.learning == b.learning
    np.savez(tmp_path / "other.npz", x=1)
    with pytest.raises(prospero.InvalidArgument, match="other.npz"):
        prospero.Record.load(tmp_path / "other.npz")


def test_an_empty_tape_has_nothing_to_do():
    assert list(Tape(Cursor(0, 0), 1.0).segments()) == []


def drive_and_feed(network, steps):
    """A driver that comes and goes, a sensor at a rate of its own, changes in between."""
    rng = np.random.default_rng(3)
    with network.feed("input", between="linear") as feed:
        with network.drive(inputs=["output"]) as drive:
            for n in range(steps):
                feed.push(rng.normal(size=2))
                drive.advance({"output": rng.normal(size=1)}, steps=1 + n % 3)
        network.set({"hidden_to_output.W.eta": 0.02})
        with network.drive() as drive:
            drive.run({"input": rng.normal(size=(50, 2)), "output": [[0.5]] * 25 + [None] * 25})
        network.update(learning=False)
        with network.drive() as drive:
            drive.advance({"output": [1.0]}, steps=20)
    network.update(learning=True)
    with network.drive() as drive:
        drive.advance()  # A record tells of steps, so there must be one with the last change.


def everything(network):
    """All that is saved of a network."""
    roles = ("state", "weight", "parameter")
    names = [v.name for v in network.schema().values() if v.role in roles and not v.computed]
    return network.read(*names).values


@pytest.mark.parametrize("noise", [None, prospero.OrnsteinUhlenbeck(0.1, 5.0)])
def test_a_realtime_run_is_repeated_in_lockstep_bit_for_bit(make, chain, tmp_path, noise):
    network = make(chain(dt_ms=1.0, noise=noise), clock="realtime")
    twin = make(chain(dt_ms=1.0, noise=noise))
    clone = network.clone()
    try:
        with network.record() as record:
            network.start()
            drive_and_feed(network, 60)
            network.pause()
        assert record.steps > 150 and record.cursor == network.refresh().cursor
        expected = everything(network)
        record.save(tmp_path / "run.npz")
        run = record.replay(twin, outputs=["output.r"])
        assert run["output.r"].shape == (record.steps, 1, 1)
        prospero.Record.load(tmp_path / "run.npz").replay(clone)
        for other in (twin, clone):
            again = everything(other)
            assert all(np.array_equal(expected[name], again[name]) for name in expected)
        with pytest.raises(prospero.InvalidArgument, match="stands at"):
            record.replay(twin)
    finally:
        clone.delete()


def test_an_asynchronous_record_is_repeated_too(server, client, make, chain):
    name, twin = make(chain(dt_ms=1.0), clock="realtime").id, make(chain(dt_ms=1.0))

    async def scenario():
        async with prospero.aio.Client(server.target) as client:
            network = await client.get_network(name)
            async with network.record() as record:
                await network.start()
                async with network.drive() as drive:
                    await drive.run({"input": np.ones((100, 2)), "output": [1.0]})
                await network.pause()
            other = await client.get_network(twin.id)
            run = await record.replay(other)
            assert run.steps == record.taken.steps >= 100

    asyncio.run(scenario())
    expected = everything(client.get_network(name))
    again = everything(twin)
    assert all(np.array_equal(expected[name], again[name]) for name in expected)


def test_a_network_that_is_reset_cannot_be_recorded_on(make, chain):
    network = make(chain())
    with pytest.raises(prospero.Aborted, match="reset"):
        with network.record():
            network.step(steps=5)
            network.reset()
            network.step(steps=5)
