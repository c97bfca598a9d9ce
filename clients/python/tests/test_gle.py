import numpy as np
import pytest

import prospero
from prospero import gle, v1


def test_a_chain_has_named_populations_and_projections():
    spec = gle.chain([40, 100, 1], dt_ms=0.5, tau_m=10.0).to_proto()
    assert [(p.name, p.size) for p in spec.gle.populations] == [
        ("input", 40),
        ("hidden", 100),
        ("output", 1),
    ]
    assert [(p.pre, p.post) for p in spec.gle.projections] == [
        ("input", "hidden"),
        ("hidden", "output"),
    ]
    assert spec.dt_ms == 0.5 and spec.precision == v1.DATA_TYPE_FLOAT32


def test_several_hidden_populations_are_numbered():
    spec = gle.chain([1, 2, 3, 4], dt_ms=1, tau_m=10).to_proto()
    assert [p.name for p in spec.gle.populations] == ["input", "hidden1", "hidden2", "output"]


def test_a_chain_without_hidden_neurons_joins_input_and_output():
    spec = gle.chain([2, 3], dt_ms=1, tau_m=10).to_proto()
    assert [(p.pre, p.post) for p in spec.gle.projections] == [("input", "output")]


def test_a_chain_takes_values_for_each_layer_and_each_neuron():
    spec = gle.chain(
        [1, 2, 1],
        dt_ms=0.1,
        tau_m=[np.array([1.0, 2.0]), 3.0],
        tau_r=[[0.1, 0.2], 0.3],
        activation=["softplus", "sigmoid"],
        gamma=[0.5, 1.0],
        error=["instantaneous", "prospective"],
        learn_tau=[prospero.Adam(1e-4), None],
    ).to_proto()
    hidden, output = spec.gle.populations[1:]
    assert list(hidden.tau_m_ms) == [1, 2] and list(hidden.tau_r_ms) == [0.1, 0.2]
    assert list(output.tau_m_ms) == [3] and list(output.tau_r_ms) == [0.3]
    assert hidden.activation == v1.ACTIVATION_SOFTPLUS
    assert output.activation == v1.ACTIVATION_SIGMOID
    assert (hidden.gamma, output.gamma) == (0.5, 1.0)
    assert hidden.error_mode == v1.GlePopulation.ERROR_MODE_INSTANTANEOUS
    assert hidden.HasField("tau_m_plasticity") and not output.HasField("tau_m_plasticity")


def test_latent_equilibrium_leaves_tau_r_out():
    spec = gle.chain([1, 2, 1], dt_ms=1, tau_m=10).to_proto()
    assert all(len(p.tau_r_ms) == 0 for p in spec.gle.populations)


def test_without_a_learning_rate_a_chain_is_constant():
    spec = gle.chain([1, 2, 1], dt_ms=1, tau_m=10).to_proto()
    assert not any(p.HasField("plasticity") for p in spec.gle.projections)


def test_a_learning_rate_alone_is_gradient_descent():
    spec = gle.chain([1, 2, 1], dt_ms=1, tau_m=10, learning_rate=0.25).to_proto()
    plasticity = spec.gle.projections[0].plasticity
    assert plasticity.HasField("sgd") and plasticity.learning_rate == 0.25


def test_a_learning_rate_replaces_that_of_the_optimizer():
    spec = gle.chain(
        [1, 2, 1], dt_ms=1, tau_m=10, learning_rate=0.5, optimizer=prospero.Momentum(momentum=0.8)
    ).to_proto()
    plasticity = spec.gle.populations[1].bias.plasticity
    assert plasticity.momentum.momentum == 0.8 and plasticity.learning_rate == 0.5


def test_given_weights_are_exact():
    W = np.random.default_rng(1).normal(size=(3, 2))
    spec = gle.chain([2, 3], dt_ms=1, tau_m=1, weights=[W], biases=[[0.1, 0.2, 0.3]]).to_proto()
    values = spec.gle.projections[0].initializer.values
    assert list(values.shape) == [3, 2] and values.data == W.tobytes()
    bias = spec.gle.populations[1].bias.initializer.values
    assert bias.data == np.array([0.1, 0.2, 0.3]).tobytes()


def test_a_layer_may_have_no_bias():
    spec = gle.chain([2, 3, 1], dt_ms=1, tau_m=1, biases=[None, 0.5]).to_proto()
    hidden, output = spec.gle.populations[1:]
    assert not hidden.HasField("bias") and output.bias.initializer.constant == 0.5
    spec = gle.chain([2, 3, 1], dt_ms=1, tau_m=1, bias=False).to_proto()
    assert not any(p.HasField("bias") for p in spec.gle.populations)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"tau_m": [1.0]}, "tau_m"),
        ({"weights": [np.zeros((2, 1))] * 3}, "weights"),
        ({"activation": "tahn"}, "activation"),
        ({"precision": "float16"}, "precision"),
    ],
)
def test_a_slip_is_told_by_its_name(arguments, field):
    with pytest.raises(prospero.InvalidArgument, match=field):
        gle.chain([1, 2, 1], **{"dt_ms": 1, "tau_m": 10, **arguments})


def test_a_graph_is_built_by_names():
    spec = (
        gle.Spec(dt_ms=1.0, precision="float64", seed=7, batch=3)
        .population("eye", 2, role="input")
        .population("cortex", 4, tau_m=10.0, tau_r=1.0, gamma=0.1, bias=prospero.Normal(0, 0.5))
        .population("arm", 1, role="output", activation="linear", tau_m=5.0, beta=0.5)
        .projection("eye", "cortex", prospero.FanIn(2.0), plasticity=prospero.SGD(0.1, clip=1.0))
        .projection("cortex", "cortex", np.zeros((4, 4)), name="recurrent")
        .projection("cortex", "arm", 0.25, plasticity=prospero.Adam(enabled=False))
    ).to_proto()
    assert (spec.precision, spec.seed, spec.batch_size) == (v1.DATA_TYPE_FLOAT64, 7, 3)
    eye, cortex, arm = spec.gle.populations
    assert eye == v1.GlePopulation(name="eye", size=2, role=v1.GlePopulation.ROLE_INPUT)
    assert cortex.bias.initializer.normal.std == 0.5 and not cortex.bias.HasField("plasticity")
    assert arm.beta == 0.5 and arm.loss == v1.LOSS_MSE
    first, recurrent, last = spec.gle.projections
    assert first.initializer.fan_in.gain == 2.0 and first.plasticity.clip == 1.0
    assert recurrent.name == "recurrent" and recurrent.initializer.values.shape == [4, 4]
    assert last.initializer.constant == 0.25 and last.plasticity.disabled


def test_a_spec_can_be_extended_without_touching_what_it_gave():
    spec = gle.chain([1, 2, 1], dt_ms=1, tau_m=10)
    before = spec.to_proto()
    spec.projection("input", "output")
    assert len(before.gle.projections) == 2 and len(spec.to_proto().gle.projections) == 3
