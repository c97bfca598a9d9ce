import numpy as np
import pytest

import prospero
from prospero import latent_equilibrium as le
from prospero import v1

ALIGNED = prospero.Aligned(prospero.SGD(0.5, weight_decay=1e-4), tau_hp=1.0)
NOISE = prospero.OrnsteinUhlenbeck(sigma=0.05, tau=1.0)


def layers(spec):
    return spec.to_proto().latent_equilibrium.layers


def test_a_chain_has_named_layers_on_an_input():
    proto = le.chain([784, 300, 100, 10], dt_ms=0.1, tau=10.0).to_proto()
    spec = proto.latent_equilibrium
    assert list(spec.input_shape) == [784] and proto.dt_ms == 0.1
    assert [(layer.name, layer.dense.size) for layer in spec.layers] == [
        ("hidden1", 300),
        ("hidden2", 100),
        ("output", 10),
    ]
    assert [layer.activation for layer in spec.layers] == [
        v1.ACTIVATION_TANH,
        v1.ACTIVATION_TANH,
        v1.ACTIVATION_LINEAR,
    ]
    assert spec.feedback == v1.FEEDBACK_PATH_TRANSPOSE and spec.beta == 0.1
    assert all(list(layer.tau_ms) == [10.0] and not layer.tau_m_ms for layer in spec.layers)
    assert not any(layer.HasField("plasticity") for layer in spec.layers)


def test_a_chain_convolves_and_pools():
    sizes = [(3, 32, 32), le.Convolution(20, 5, padding=[1, 2]), le.MaxPool(2), 500, 10]
    spec = le.chain(sizes, dt_ms=0.1, tau=10.0, learning_rate=0.1).to_proto().latent_equilibrium
    convolution, pool, hidden, output = spec.layers
    assert list(spec.input_shape) == [3, 32, 32]
    assert convolution.convolution == v1.LatentEquilibriumLayer.Convolution(
        channels=20, kernel=[5], stride=[1], padding=[1, 2]
    )
    assert pool == v1.LatentEquilibriumLayer(
        name="hidden2",
        pool=v1.LatentEquilibriumLayer.Pool(
            kind=v1.LatentEquilibriumLayer.Pool.KIND_MAX, window=[2]
        ),
    )
    assert hidden.dense.size == 500 and output.dense.size == 10


def test_pools_take_means_and_strides():
    spec = le.Spec((1, 8), 0.1).layer("p", le.AveragePool([4], stride=2), noise=NOISE)
    (pool,) = layers(spec)
    assert pool.pool.kind == v1.LatentEquilibriumLayer.Pool.KIND_AVERAGE
    assert list(pool.pool.window) == [4] and list(pool.pool.stride) == [2]
    assert pool.noise.sigma == 0.05


def test_each_layer_of_a_chain_has_its_own_rate_and_one_of_rate_0_is_constant():
    first, middle, last = layers(
        le.chain([2, 3, 3, 1], dt_ms=0.1, tau=10.0, learning_rate=[0.16, 0.0, 0.016])
    )
    assert first.plasticity.learning_rate == 0.16 == first.bias.plasticity.learning_rate
    assert not middle.HasField("plasticity") and not middle.bias.HasField("plasticity")
    assert last.plasticity.learning_rate == 0.016 and last.plasticity.HasField("sgd")
    (only,) = layers(
        le.chain([2, 1], dt_ms=1, tau=10, learning_rate=0.5, optimizer=prospero.LowPass(mix=0.1))
    )
    assert only.plasticity.low_pass.mix == 0.1 and only.plasticity.learning_rate == 0.5


def test_aligned_feedback_is_of_the_layers_above_and_noise_of_the_hidden_ones():
    first, middle, last = layers(
        le.chain([2, 3, 4, 1], dt_ms=0.1, tau=10.0, feedback=ALIGNED, noise=NOISE)
    )
    assert [layer.HasField("alignment") for layer in (first, middle, last)] == [False, True, True]
    assert [layer.HasField("noise") for layer in (first, middle, last)] == [True, True, False]
    assert middle.alignment.tau_hp_ms == 1.0 and middle.alignment.plasticity.weight_decay == 1e-4


def test_aligned_feedback_without_plasticity_is_constant():
    fixed = prospero.Aligned(None, tau_hp=1.0, B=0.5)
    middle, last = layers(le.chain([2, 3, 4, 1], dt_ms=0.1, tau=10, feedback=[fixed, ALIGNED]))[1:]
    assert not middle.HasField("alignment") and middle.feedback_initializer.constant == 0.5
    assert last.HasField("alignment") and not last.HasField("feedback_initializer")


def test_random_feedback_is_not_of_the_first_layer_and_direct_feedback_not_of_the_last():
    B = prospero.Normal(0, 0.05)
    random = layers(le.chain([2, 3, 4, 1], dt_ms=1, tau=10, feedback=prospero.Random(B)))
    direct = layers(le.chain([2, 3, 4, 1], dt_ms=1, tau=10, feedback=prospero.Direct(B)))
    assert [layer.HasField("feedback_initializer") for layer in random] == [False, True, True]
    assert [layer.HasField("feedback_initializer") for layer in direct] == [True, True, False]


def test_a_layer_may_give_its_own_feedback_of_the_same_kind():
    spec = le.Spec(2, 1.0, feedback=prospero.Random(1.0))
    spec.layer("a", 3).layer("b", 4, feedback=prospero.Random(2.0)).layer("c", 1)
    assert [layer.feedback_initializer.constant for layer in layers(spec)] == [0.0, 2.0, 1.0]
    with pytest.raises(prospero.InvalidArgument, match="'d'.*Random.*Direct"):
        spec.layer("d", 1, feedback=prospero.Direct())


def test_the_layers_of_a_network_are_told_one_by_one():
    W = np.random.default_rng(1).normal(size=(3, 2))
    proto = (
        le.Spec(
            2,
            0.1,
            order="dynamics",
            target_error="potential",
            beta=0.0,
            gamma=-1.0,
            tau_error=0.5,
            tau_rate=0.6,
            tau_target=0.7,
            errors_from_rate_potential=True,
            precision="float64",
            seed=9,
            batch=5,
        ).layer(
            "only",
            3,
            activation="hard_logistic",
            tau=[1.0, 2.0, 3.0],
            tau_m=4.0,
            tau_spread=0.2,
            tau_m_plasticity=prospero.SGD(0.1),
            W=W,
            plasticity=prospero.SGD(0.2),
            bias=0.0,
            bias_plasticity=prospero.SGD(0.3),
            noise=NOISE,
            rate_noise=0.01,
        )
    ).to_proto()
    spec = proto.latent_equilibrium
    assert (proto.precision, proto.seed, proto.batch_size) == (v1.DATA_TYPE_FLOAT64, 9, 5)
    assert spec.order == v1.LatentEquilibriumSpec.ORDER_DYNAMICS
    assert spec.target_error == v1.LatentEquilibriumSpec.TARGET_ERROR_POTENTIAL
    assert spec.HasField("beta") and spec.beta == 0.0 and spec.gamma == -1.0
    assert (spec.tau_error_ms, spec.tau_rate_ms, spec.tau_target_ms) == (0.5, 0.6, 0.7)
    assert spec.errors_from_rate_potential
    (layer,) = spec.layers
    assert layer.activation == v1.ACTIVATION_HARD_LOGISTIC
    assert list(layer.tau_ms) == [1.0, 2.0, 3.0] and list(layer.tau_m_ms) == [4.0]
    assert layer.tau_spread == 0.2 and layer.tau_m_plasticity.learning_rate == 0.1
    assert layer.initializer.values.data == W.tobytes() and layer.plasticity.learning_rate == 0.2
    assert layer.bias.initializer.HasField("constant")
    assert layer.bias.plasticity.learning_rate == 0.3
    assert layer.noise.sigma == 0.05 and layer.rate_noise == 0.01


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sizes": [2]}, "sizes"),
        ({"sizes": [le.MaxPool(2), 1]}, r"sizes\[0\]"),
        ({"sizes": [2, 3.5, 1]}, r"sizes\[1\]"),
        ({"learning_rate": [0.1]}, "learning_rate"),
        ({"feedback": [ALIGNED] * 2}, "feedback"),
        ({"order": "jacobi"}, "order"),
        ({"target_error": "rates"}, "target_error"),
    ],
)
def test_a_slip_is_told_by_its_name(arguments, field):
    with pytest.raises(prospero.InvalidArgument, match=field):
        le.chain(**{"sizes": [2, 3, 1], "dt_ms": 1.0, "tau": 10.0, **arguments})
