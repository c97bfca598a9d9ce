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


ALIGNED = prospero.Aligned(prospero.SGD(0.5, weight_decay=1e-4), tau_hp=2.0, B=np.zeros((2, 1)))
NOISE = prospero.OrnsteinUhlenbeck(sigma=0.05, tau=3.0)


def test_a_projection_hands_errors_back_as_it_is_told():
    spec = gle.Spec(dt_ms=1.0).population("a", 2, role="input")
    for name in ("b", "c", "d"):
        spec.population(name, 2, tau_m=10.0, noise=prospero.HeldWhite(0.1, hold_steps=7))
    spec.population("arm", 1, role="output", tau_m=10.0)
    spec.projection("a", "b").projection("b", "c", feedback=prospero.Transpose())
    spec.projection("c", "d", feedback=prospero.Random(prospero.Normal(0, 0.5)))
    spec.projection("d", "arm", feedback=ALIGNED)
    spec.projection("b", "d", feedback=prospero.Direct(prospero.Uniform(-1, 1), output="arm"))
    proto = spec.to_proto().gle
    default, transpose, random, aligned, direct = (p.feedback for p in proto.projections)
    assert not proto.projections[0].HasField("feedback")
    assert transpose == v1.GleFeedback(path=v1.FEEDBACK_PATH_TRANSPOSE)
    assert random.path == v1.FEEDBACK_PATH_RANDOM and random.initializer.normal.std == 0.5
    assert aligned.path == v1.FEEDBACK_PATH_ALIGNED and aligned.alignment.tau_hp_ms == 2.0
    assert aligned.alignment.plasticity.weight_decay == 1e-4
    assert aligned.alignment.plasticity.learning_rate == 0.5
    assert list(aligned.initializer.values.shape) == [2, 1]
    assert direct.path == v1.FEEDBACK_PATH_DIRECT and direct.output == "arm"
    assert direct.initializer.uniform.low == -1
    noise = proto.populations[1].noise
    assert (noise.kind, noise.sigma, noise.hold_steps) == (v1.Noise.KIND_HELD_WHITE, 0.1, 7)


def test_aligned_feedback_without_plasticity_is_constant():
    spec = gle.Spec(1.0).population("a", 1, role="input").population("b", 1)
    spec.projection("a", "b", feedback=prospero.Aligned(None, tau_hp=2.0))
    alignment = spec.to_proto().gle.projections[0].feedback.alignment
    assert not alignment.HasField("plasticity") and alignment.tau_hp_ms == 2.0


def test_a_chain_aligns_its_hidden_populations():
    spec = gle.chain([4, 3, 2, 1], dt_ms=1, tau_m=10, feedback=ALIGNED, noise=NOISE).to_proto().gle
    assert [p.feedback.path for p in spec.projections] == [
        v1.FEEDBACK_PATH_UNSPECIFIED,
        v1.FEEDBACK_PATH_ALIGNED,
        v1.FEEDBACK_PATH_ALIGNED,
    ]
    assert [p.HasField("noise") for p in spec.populations] == [False, True, True, False]
    noise = spec.populations[1].noise
    assert noise.kind == v1.Noise.KIND_ORNSTEIN_UHLENBECK
    assert (noise.sigma, noise.tau_ms) == (0.05, 3.0)


def test_each_layer_of_a_chain_may_have_its_own_feedback_and_noise():
    spec = gle.chain(
        [4, 3, 2, 1],
        dt_ms=1,
        tau_m=10,
        feedback=[prospero.Random(), ALIGNED],
        noise=[None, NOISE, NOISE],
    ).to_proto()
    paths = [p.feedback.path for p in spec.gle.projections[1:]]
    assert paths == [v1.FEEDBACK_PATH_RANDOM, v1.FEEDBACK_PATH_ALIGNED]
    assert [p.HasField("noise") for p in spec.gle.populations] == [False, False, True, True]
    with pytest.raises(prospero.InvalidArgument, match="feedback"):
        gle.chain([4, 3, 2, 1], dt_ms=1, tau_m=10, feedback=[ALIGNED] * 3)
