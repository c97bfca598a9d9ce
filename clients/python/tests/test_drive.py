import threading

import numpy as np
import pytest

import prospero


def signal(steps, seed=0):
    rng = np.random.default_rng(seed)
    return {"input": rng.normal(size=(steps, 2)), "output": rng.normal(size=(steps, 1))}


def test_one_step_has_no_axis_for_the_steps(make, chain):
    with make(chain()).drive(outputs=["output.r", "hidden.u"]) as drive:
        advanced = drive.advance({"input": [1.0, 2.0], "output": [0.5]})
        assert advanced["output.r"].shape == (1, 1) and advanced["hidden.u"].shape == (1, 3)
        assert advanced.cursor.step == drive.cursor.step == 1
        assert advanced.loss is not None and advanced.stepping >= 0


def test_rows_make_steps_and_output_every_thins_them(make, chain):
    with make(chain()).drive() as drive:
        advanced = drive.advance(signal(10), output_every=3)
        assert advanced["output.r"].shape == (4, 1, 1) and advanced.cursor.step == 10


def test_a_value_holds_for_many_steps(make, chain):
    network, twin = make(chain()), make(chain())
    with network.drive() as drive, twin.drive() as other:
        held = drive.advance({"input": [1.0, -1.0], "output": [0.5]}, steps=20)
        rows = other.advance({"input": [[1.0, -1.0]] * 20, "output": [[0.5]] * 20})
    assert np.array_equal(held["output.r"], rows["output.r"])


def test_arrays_are_cast_to_the_precision_of_the_network(make, chain):
    for precision in ("float32", "float64"):
        with make(chain(precision=precision)).drive() as drive:
            advanced = drive.advance({"input": np.array([1, 2], dtype=np.int16)})
            assert advanced["output.r"].dtype == np.dtype(precision)


def test_a_batch_is_the_first_axis(make, chain):
    with make(chain(batch=4)).drive() as drive:
        x = np.arange(8.0).reshape(4, 2)
        assert drive.advance({"input": x})["output.r"].shape == (4, 1)
        assert drive.advance({"input": np.stack([x] * 5)})["output.r"].shape == (5, 4, 1)
        with pytest.raises(prospero.InvalidArgument, match="shape"):
            drive.advance({"input": [1.0, 2.0]})


def test_without_a_target_there_is_no_loss_and_no_learning(make, chain):
    network = make(chain())
    before = network.read("*.W")
    with network.drive() as drive:
        assert drive.advance({"input": [1.0, 2.0]}).loss is None
        assert drive.advance({"input": [1.0, 2.0], "output": None}).loss is None
    after = network.read("*.W")
    assert all(np.array_equal(before[name], after[name]) for name in before.values)


def test_step_does_what_drive_does(make, chain):
    network, twin = make(chain()), make(chain())
    frames = signal(30)
    with network.drive() as drive:
        driven = drive.advance(frames)
    stepped = twin.step(frames)
    assert np.array_equal(driven["output.r"], stepped["output.r"])
    assert driven.loss == stepped.loss and driven.cursor.step == stepped.cursor.step
    assert twin.step({"input": [0.0, 0.0]})["output.r"].shape == (1, 1)


@pytest.mark.parametrize("chunk", [1, 7, 1000, None])
def test_a_run_is_the_same_as_step_by_step(make, chain, chunk):
    network, twin = make(chain()), make(chain())
    frames = signal(500)
    with twin.drive() as drive:
        steps = [
            drive.advance({"input": x, "output": t})["output.r"]
            for x, t in zip(frames["input"], frames["output"])
        ]
    with network.drive() as drive:
        run = drive.run(frames, chunk=chunk)
    assert np.array_equal(run["output.r"], np.stack(steps))
    assert run.cursor.step == run.steps == 500 and np.isfinite(run.loss).all()


def test_a_thinned_run_gives_the_rows_of_one_advance(make, chain):
    network, twin = make(chain()), make(chain())
    frames = signal(500)
    with network.drive() as drive, twin.drive() as other:
        run = drive.run(frames, chunk=30, output_every=7)
        assert np.array_equal(run["output.r"], other.advance(frames, output_every=7)["output.r"])


def test_a_list_with_none_teaches_only_in_its_steps(make, chain):
    network, twin = make(chain()), make(chain())
    frames = signal(90)
    target = [None] * 30 + list(frames["output"][:30]) + [None] * 30
    with network.drive() as drive:
        run = drive.run({"input": frames["input"], "output": target}, chunk=20)
    with twin.drive() as drive:
        steps = [
            drive.advance({"input": x, "output": t})["output.r"]
            for x, t in zip(frames["input"], target)
        ]
    assert np.array_equal(run["output.r"], np.stack(steps))


def test_a_network_learns_a_constant(make, chain):
    network = make(chain(learning_rate=0.05))
    with network.drive(outputs=["loss"]) as drive:
        run = drive.run({"input": [1.0, 0.5], "output": [0.7]}, steps=4000, chunk=200)
    assert run.loss[-1] < 1e-3 * run.loss[0]
    assert run["loss"].shape == (4000,)


def test_a_frame_that_is_not_finite_is_refused_and_the_drive_goes_on(make, chain):
    with make(chain()).drive() as drive:
        for bad in (np.nan, np.inf):
            with pytest.raises(prospero.InvalidArgument):
                drive.advance({"input": [bad, 0.0]})
        assert drive.cursor.step == 0
        assert drive.advance({"input": [0.0, 0.0]}).cursor.step == 1


def test_a_frame_of_another_step_is_refused_and_the_drive_goes_on(make, chain):
    with make(chain()).drive() as drive:
        drive.advance(signal(5))
        with pytest.raises(prospero.StepMismatch):
            drive.advance({"input": [0.0, 0.0]}, at_step=4)
        assert drive.advance({"input": [0.0, 0.0]}, at_step=5).cursor.step == 6


def test_more_steps_than_allowed_are_refused(make, chain):
    with make(chain()).drive() as drive:
        with pytest.raises(prospero.ProsperoError):
            drive.advance(steps=10**12)
        assert drive.advance().cursor.step == 1


def test_only_attached_inputs_can_be_written(make, chain):
    with make(chain()).drive(inputs=["input"]) as drive:
        assert [v.name for v in drive.inputs] == ["input.r"]
        with pytest.raises(prospero.InvalidArgument, match="no input 'output'"):
            drive.advance({"output": [1.0]})


@pytest.mark.parametrize("names", [{"inputs": ["nothing"]}, {"outputs": ["nothing.r"]}])
def test_an_unknown_name_is_refused_on_attaching(make, chain, names):
    with pytest.raises(prospero.ProsperoError, match="nothing"):
        make(chain()).drive(**names).open()


def test_a_second_driver_must_preempt_and_the_first_one_is_told(make, chain):
    network = make(chain())
    with network.drive() as first:
        with pytest.raises(prospero.LeaseHeld):
            network.drive().open()
        with pytest.raises(prospero.LeaseHeld):
            network.step()
        assert network.refresh().driven
        with network.drive(preempt=True) as second:
            assert second.advance({"input": [0.0, 0.0]}).cursor.step == 1
            with pytest.raises(prospero.LeaseLost):
                first.advance({"input": [0.0, 0.0]})
    with network.drive() as third:
        assert third.cursor.step == 1


def test_a_closed_drive_gives_its_lease_back(make, chain):
    network = make(chain())
    for step in range(5):
        with network.drive() as drive:
            assert drive.advance({"input": [0.0, 0.0]}).cursor.step == step + 1


def test_a_driver_learns_that_its_network_was_deleted(make, chain):
    network = make(chain())
    with network.drive() as drive:
        network.delete()
        with pytest.raises(prospero.NetworkDeleted):
            for _ in range(1000):
                drive.advance({"input": [0.0, 0.0]})


def test_a_driver_learns_of_a_reset_by_a_notice(make, chain):
    network = make(chain())
    with network.drive() as drive:
        drive.advance(signal(5))
        network.reset()
        assert drive.advance({"input": [0.0, 0.0]}).cursor == (drive.cursor.epoch, 1)
        assert "epoch_changed" in [notice.kind for notice in drive.notices]


def test_a_network_that_diverges_says_where_and_can_be_reset(make, chain):
    network = make(chain(learning_rate=1e6))
    with network.drive() as drive:
        with pytest.raises(prospero.Diverged) as error:
            drive.run({"input": [1.0, 1.0], "output": [1.0]}, steps=5000)
        assert {"step", "variable"} <= set(error.value.metadata)
    assert network.refresh().state == "failed"
    assert isinstance(network.failure, prospero.Diverged)
    with pytest.raises(prospero.ProsperoError):
        network.step()
    network.reset()
    assert network.refresh().state == "running" and network.failure is None
    assert np.isfinite(network.step()["output.r"]).all()


def test_the_strength_of_the_teacher_can_be_driven(make, chain):
    network, twin = make(chain()), make(chain(beta=0.0))
    frames = signal(30)
    with network.drive() as drive, twin.drive() as other:
        quiet = drive.run({**frames, "output.beta": 0.0})
        assert np.array_equal(quiet["output.r"], other.run(frames)["output.r"])
        ramp = drive.run({**frames, "output.beta": np.linspace(0, 1, 30)})
        assert not np.array_equal(ramp["output.r"], quiet["output.r"])


def test_many_networks_do_not_disturb_each_other(make, chain):
    networks = [make(chain(seed=i)) for i in range(8)]
    alone = []
    for i, network in enumerate(networks):
        with network.drive() as drive:
            alone.append(drive.run(signal(300, seed=i))["output.r"])
        network.reset()
    together = [None] * 8

    def work(i):
        with networks[i].drive() as drive:
            together[i] = drive.run(signal(300, seed=i), chunk=10)["output.r"]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))


def test_messages_of_many_streams_keep_their_order(make, chain):
    """Large requests and answers on their way at once; each one names its step."""
    networks = [make(chain((1, 1), batch=100, precision="float64")) for _ in range(4)]
    done = []

    def work(network):
        with network.drive() as drive:
            for _ in range(5):
                run = drive.run({"input": np.ones((5000, 100, 1))}, chunk=50)
            done.append(run.cursor.step)

    threads = [threading.Thread(target=work, args=(network,)) for network in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [25000] * 4
