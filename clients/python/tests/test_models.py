"""Networks of every model and way of feedback, on a real server."""

import asyncio

import numpy as np
import pytest

import prospero
from prospero import gle, microcircuit
from prospero import latent_equilibrium as le

NOISE = prospero.OrnsteinUhlenbeck(sigma=0.05, tau=1.0)
ALIGNED = prospero.Aligned(prospero.SGD(0.5, weight_decay=1e-4), tau_hp=1.0)
WAYS = [prospero.Transpose(), prospero.Random(), prospero.Direct(), ALIGNED]


def gle_chain(**arguments):
    defaults = {"dt_ms": 0.1, "tau_m": 10.0, "learning_rate": 0.01, "noise": NOISE, "seed": 1}
    return gle.chain([3, 5, 4, 2], **{**defaults, **arguments})


def le_chain(**arguments):
    defaults = {"dt_ms": 0.1, "tau": 10.0, "learning_rate": 0.01, "noise": NOISE, "seed": 1}
    return le.chain([3, 5, 4, 2], **{**defaults, **arguments})


def circuit(**arguments):
    rate = prospero.SGD(0.01)
    defaults = {"dt_ms": 0.1, "learn_W": rate, "learn_V": rate, "learn_C": rate, "seed": 1}
    return microcircuit.chain([3, 5, 4, 2], **{**defaults, **arguments})


def inputs(steps=50):
    rng = np.random.default_rng(1)
    return {"input": rng.normal(size=(steps, 3)), "output": rng.random((steps, 2))}


@pytest.mark.parametrize("feedback", WAYS, ids=lambda way: type(way).__name__)
@pytest.mark.parametrize("chain", [gle_chain, le_chain])
def test_layers_learn_on_every_way_back(make, chain, feedback):
    network = make(chain(feedback=feedback))
    before = network.read("*.W")
    network.step(inputs())
    after = network.read("*.W")
    assert len(before.values) == 3
    assert all(not np.array_equal(before[name], after[name]) for name in before.values)


@pytest.mark.parametrize("feedback", [WAYS[0], WAYS[1], ALIGNED])
def test_a_circuit_learns_all_its_synapses_at_once(make, feedback):
    noise = NOISE if feedback is ALIGNED else None
    learn_C = prospero.SGD(0.01) if feedback is ALIGNED else None
    network = make(circuit(feedback=feedback, noise=noise, learn_C=learn_C))
    before = network.read("*.W", "*.V", "*.B")
    network.step(inputs())
    after = network.read("*.W", "*.V", "*.B")
    changed = {name for name in before.values if not np.array_equal(before[name], after[name])}
    constant = {name for name in before.values if name.endswith(".B")}
    assert changed == set(before.values) - (constant if feedback is WAYS[1] else set())


@pytest.mark.parametrize(
    ("chain", "B", "shape"),
    [
        (gle_chain, "hidden2_to_output.B", (4, 2)),
        (le_chain, "output.B", (4, 2)),
        (circuit, "hidden2.B", (4, 2)),
    ],
)
def test_feedback_is_switched_off_alone(make, chain, B, shape):
    network = make(chain(feedback=ALIGNED, noise=NOISE))
    assert network.schema()[B].shape == shape
    network.set({f"{B}.plastic": 0})
    before = network.read("*.B")
    network.step(inputs())
    after = network.read("*.B")
    assert [name for name in before.values if np.array_equal(before[name], after[name])] == [B]


@pytest.mark.parametrize("chain", [gle_chain, le_chain])
def test_noise_can_be_driven_from_outside(make, chain):
    network = make(chain(feedback=ALIGNED, precision="float64"))
    w = np.random.default_rng(2).normal(size=(20, 5))
    with network.drive(outputs="hidden1.xi") as drive:
        told = drive.run({**inputs(20), "hidden1.w": w})["hidden1.xi"]
    xi = np.zeros(5)
    for n in range(20):
        xi = xi + (np.sqrt(0.1 * 1.0) * 0.05 * w[n] - 0.1 * xi) / 1.0
        assert np.allclose(told[n, 0], xi, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("chain", [gle_chain, le_chain, circuit])
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"feedback": prospero.Aligned(ALIGNED.plasticity, tau_hp=0.01)}, "tau_hp_ms"),
        ({"noise": prospero.OrnsteinUhlenbeck(sigma=-1.0, tau=1.0)}, "noise.sigma"),
        ({"noise": prospero.OrnsteinUhlenbeck(sigma=1.0, tau=0.01)}, "noise.tau_ms"),
        ({"feedback": prospero.Random(np.zeros((7, 7))), "noise": None}, "initializer"),
    ],
)
def test_a_bad_parameter_is_refused_by_the_path_of_its_field(client, chain, arguments, field):
    with pytest.raises(prospero.InvalidArgument) as error:
        client.create_network(chain(**{"feedback": ALIGNED, "noise": NOISE, **arguments}))
    assert any(field in violation.field for violation in error.value.field_violations), error.value


def test_a_loop_that_will_diverge_is_warned_of(client):
    spec = microcircuit.chain(
        [2, 10, 10, 2], dt_ms=0.01, activation="linear", W=prospero.Uniform(-3, 3)
    )
    with pytest.warns(prospero.ProsperoWarning, match="LOOP_GAIN"):
        network = client.create_network(spec)
    assert {warning.reason for warning in network.warnings} == {"LOOP_GAIN"}
    assert client.get_network(network.id).warnings == network.warnings
    network.delete()


def test_layers_convolve_and_pool(make):
    sizes = [(1, 6, 6), le.Convolution(2, 3), le.MaxPool(2), 4, 3]
    network = make(le.chain(sizes, dt_ms=0.1, tau=10.0, learning_rate=0.1, batch=5))
    schema = network.schema()
    assert schema["input.r"].shape == (5, 1, 6, 6)
    assert schema["hidden1.u"].shape == (5, 2, 4, 4) and schema["hidden1.W"].shape == (2, 9)
    assert schema["hidden2.r"].shape == (5, 2, 2, 2) and schema["hidden3.W"].shape == (4, 8)
    images = np.random.default_rng(3).random((10, 5, 1, 6, 6))
    with network.drive(outputs="hidden2.r") as drive:
        assert drive.run({"input": images, "output": np.ones((10, 5, 3))}).steps == 10


def test_an_asynchronous_client_makes_circuits_too(server):
    async def scenario():
        async with prospero.aio.Client(server.target) as client:
            network = await client.create_network(circuit(feedback=ALIGNED, noise=NOISE))
            try:
                async with network.drive() as drive:
                    assert (await drive.run(inputs())).steps == 50
                angle = (await network.read("hidden1.alignment_angle"))["hidden1.alignment_angle"]
                assert 0 < angle < 180
            finally:
                await network.delete()

    asyncio.run(scenario())
