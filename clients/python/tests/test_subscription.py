import threading
from itertools import islice

import numpy as np
import pytest

import prospero


def drive_on(network, steps, chunk=10):
    with network.drive() as drive:
        drive.run({"input": np.ones((steps, 2)), "output": np.ones((steps, 1))}, chunk=chunk)


@pytest.fixture(params=["subscribe", "watch"])
def watching(request):
    """`subscribe` and its server-stream twin answer alike."""
    return lambda network, *args, **kwargs: getattr(network, request.param)(*args, **kwargs)


def test_samples_come_at_the_steps_asked_for(make, chain, watching):
    network = make(chain())
    with watching(network, "output.r", "hidden.u", every=20) as samples:
        drive_on(network, 200)
        taken = list(islice(samples, 10))
    assert [s.step for s in taken] == list(range(20, 201, 20))
    assert taken[0]["hidden.u"].shape == (1, 3) and all(s.gap is None for s in taken)


def test_samples_hold_what_a_driver_gets(make, chain, watching):
    network = make(chain())
    with watching(network, "output.r") as samples:
        with network.drive() as drive:
            run = drive.run({"input": np.ones((30, 2)), "output": np.ones((30, 1))})
        taken = list(islice(samples, 30))
    assert np.array_equal(np.stack([s["output.r"] for s in taken]), run["output.r"])


def test_a_snapshot_comes_at_once(make, chain, watching):
    network = make(chain(), learning=False)
    network.step(steps=7)
    with watching(network, "*.W", start="snapshot") as samples:
        first = next(samples)
    assert first.step == 7
    assert set(first.values) == {"input_to_hidden.W", "hidden_to_output.W"}


def test_read_gives_the_present_values(make, chain):
    network = make(chain(weights=[np.arange(6.0).reshape(3, 2), np.ones((1, 3))]))
    sample = network.read("input_to_hidden.W", "input_to_hidden.W.norm")
    assert np.array_equal(sample["input_to_hidden.W"], np.arange(6.0).reshape(3, 2))
    assert sample["input_to_hidden.W.norm"] == pytest.approx(np.sqrt(55))


def test_weight_statistics_are_those_of_the_weights(make, chain, watching):
    network = make(chain(precision="float64"))
    with watching(network, ["*.W", "*.W.mean", "*.W.std", "*.W.norm"], every=10) as samples:
        drive_on(network, 50)
        for sample in islice(samples, 5):
            W = sample["input_to_hidden.W"]
            assert sample["input_to_hidden.W.mean"] == pytest.approx(W.mean())
            assert sample["input_to_hidden.W.std"] == pytest.approx(W.std())
            assert sample["input_to_hidden.W.norm"] == pytest.approx(np.linalg.norm(W))


def test_aggregations_tell_of_all_steps_between(make, chain, watching):
    network = make(chain(precision="float64"))
    selections = [
        prospero.Selection("output.r"),
        prospero.Selection("output.r", every=25, aggregation="mean"),
        prospero.Selection("output.r", every=25, aggregation="min_max"),
    ]
    with watching(network, *selections) as samples:
        drive_on(network, 25)
        taken = list(islice(samples, 27))
    every = np.array([s["output.r"].item() for s in taken if s.selection == 0])
    (mean,) = (s["output.r"] for s in taken if s.selection == 1)
    (extremes,) = (s["output.r"] for s in taken if s.selection == 2)
    assert mean.item() == pytest.approx(every.mean())
    assert extremes.ravel() == pytest.approx([every.min(), every.max()])


def test_a_slice_is_part_of_a_variable(make, chain, watching):
    network = make(chain(weights=[np.arange(6.0).reshape(3, 2), np.ones((1, 3))]))
    with watching(network, "input_to_hidden.W", slice=slice(1, 6, 2), start="snapshot") as samples:
        assert np.array_equal(next(samples)["input_to_hidden.W"], [1.0, 3.0, 5.0])


def test_a_rate_bounds_the_samples_per_second(make, chain, watching):
    network = make(chain())
    with watching(network, "output.r", max_rate=5.0) as samples:
        drive_on(network, 500)
        drive_on(network, 1)
        first = next(samples)
    assert first.step <= 501


def test_a_slow_reader_gets_gaps_and_does_not_hold_the_network(make, chain):
    network = make(chain())
    with network.subscribe("output.r", credits=4, max_pending=8) as samples:
        drive_on(network, 1000)
        steps, lost = [], 0
        for sample in samples:
            steps.append(sample.step)
            lost += sample.gap.count if sample.gap else 0
            if sample.step == 1000:
                break
    assert len(steps) < 1000 and steps == sorted(steps)
    assert len(steps) + lost == 1000


@pytest.mark.parametrize("names", [["nothing"], []])
def test_a_subscription_to_nothing_is_refused(make, chain, watching, names):
    with pytest.raises(prospero.ProsperoError):
        watching(make(chain()), *names)


def test_a_deleted_network_ends_its_observers(make, chain, watching):
    network = make(chain())
    with watching(network, "output.r") as samples:
        network.delete()
        with pytest.raises(prospero.NetworkDeleted):
            next(samples)


def test_observers_are_told_of_a_reset(make, chain, watching):
    network = make(chain())
    with watching(network, "output.r") as samples:
        network.step()
        network.reset()
        network.step()
        epochs = [s.cursor.epoch for s in islice(samples, 2)]
    assert epochs[1] == epochs[0] + 1
    assert "epoch_changed" in [notice.kind for notice in samples.notices]


def test_a_silent_stream_sends_heartbeats(make, chain, watching):
    with watching(make(chain()), "output.r", heartbeat=0.05) as samples:
        assert isinstance(next(samples.events()), prospero.Heartbeat)


def test_an_observer_can_be_closed_from_another_thread(make, chain, watching):
    samples = watching(make(chain()), "output.r")
    threading.Timer(0.05, samples.close).start()
    assert list(samples) == []


def test_many_observers_see_the_same(make, chain):
    network = make(chain())
    streams = [network.subscribe("hidden.r") for _ in range(10)]
    drive_on(network, 50)
    seen = [np.stack([s["hidden.r"] for s in islice(stream, 50)]) for stream in streams]
    for stream in streams:
        stream.close()
    assert all(np.array_equal(seen[0], other) for other in seen[1:])
