import numpy as np
import pytest

import prospero
from prospero import microcircuit, v1

ALIGNED = prospero.Aligned(prospero.SGD(0.5, weight_decay=1e-5), tau_hp=0.1)
NOISE = prospero.OrnsteinUhlenbeck(sigma=0.05, tau=0.1)


def layers(spec):
    return spec.to_proto().microcircuit.layers


def test_a_chain_has_named_layers():
    proto = microcircuit.chain([5, 20, 10, 5], dt_ms=0.01).to_proto()
    assert [(layer.name, layer.size) for layer in proto.microcircuit.layers] == [
        ("input", 5),
        ("hidden1", 20),
        ("hidden2", 10),
        ("output", 5),
    ]
    assert proto.microcircuit.feedback == v1.FEEDBACK_PATH_TRANSPOSE
    assert proto.microcircuit.start == v1.MicrocircuitSpec.START_SELF_PREDICTING
    assert proto.microcircuit.prospectivity == 1.0
    assert not proto.microcircuit.HasField("conductances")
    assert proto.microcircuit.layers[0] == v1.MicrocircuitLayer(name="input", size=5)


def test_a_chain_gives_the_output_only_what_it_has():
    spec = microcircuit.chain(
        [4, 3, 2, 1],
        dt_ms=0.01,
        W=prospero.Uniform(-5, 5),
        learn_W=[prospero.SGD(0.5), prospero.SGD(0.25), prospero.SGD(0.125)],
        learn_V=prospero.SGD(0.2),
        learn_C=[prospero.SGD(0.1), None],
        feedback=ALIGNED,
        noise=NOISE,
        potential=prospero.Normal(),
    )
    _, first, second, output = layers(spec)
    hidden = (first, second)
    rates = [layer.forward.plasticity.learning_rate for layer in (first, second, output)]
    assert rates == [0.5, 0.25, 0.125]
    assert all(layer.forward.initializer.uniform.high == 5 for layer in (first, second, output))
    assert [layer.to_interneurons.plasticity.learning_rate for layer in hidden] == [0.2, 0.2]
    assert first.from_interneurons.plasticity.learning_rate == 0.1
    assert not second.HasField("from_interneurons")
    assert all(layer.HasField("alignment") and layer.noise.sigma == 0.05 for layer in hidden)
    assert first.alignment.plasticity.weight_decay == 1e-5
    assert all(layer.interneuron_potential.HasField("normal") for layer in hidden)
    for field in ("to_interneurons", "from_interneurons", "alignment", "noise"):
        assert not output.HasField(field)
    assert output.HasField("potential") and not output.HasField("interneuron_potential")


def test_a_circuit_is_built_layer_by_layer():
    B = np.random.default_rng(1).normal(size=(3, 1))
    proto = (
        microcircuit.Spec(
            0.01,
            feedback=prospero.Random(),
            connection="skip",
            start="given",
            conductances=microcircuit.Conductances(leak=0.02),
            prospectivity=0.0,
            comparison="potentials",
            tau_presynaptic=1.0,
            tau_postsynaptic=2.0,
            tau_dendrite=3.0,
            decay="slopes",
            noise_scale="apical",
            high_pass=False,
            precision="float64",
            seed=5,
            batch=2,
        )
        .input("eye", 2)
        .layer("cortex", 3, activation="softplus", V=0.5, C=-0.5, feedback=prospero.Random(B))
        .layer("arm", 1, activation="linear", W=np.ones((1, 3)))
    ).to_proto()
    spec, kind = proto.microcircuit, v1.MicrocircuitSpec
    assert (proto.precision, proto.seed, proto.batch_size) == (v1.DATA_TYPE_FLOAT64, 5, 2)
    assert spec.feedback == v1.FEEDBACK_PATH_RANDOM
    assert spec.connection == kind.CONNECTION_SKIP and spec.start == kind.START_GIVEN
    assert spec.conductances.leak == 0.02 and spec.conductances.target == 0.06
    assert spec.HasField("prospectivity") and spec.prospectivity == 0.0
    assert spec.comparison == kind.COMPARISON_POTENTIALS
    assert spec.tau_presynaptic_ms == 1.0
    assert (spec.tau_postsynaptic_ms, spec.tau_dendrite_ms) == (2.0, 3.0)
    assert spec.decay == kind.DECAY_SLOPES and spec.noise_scale == kind.NOISE_SCALE_APICAL
    assert spec.without_high_pass
    eye, cortex, arm = spec.layers
    assert cortex.activation == v1.ACTIVATION_SOFTPLUS
    assert cortex.to_interneurons.initializer.constant == 0.5
    assert cortex.from_interneurons.initializer.constant == -0.5
    assert cortex.feedback_initializer.values.data == B.tobytes()
    assert arm.activation == v1.ACTIVATION_LINEAR
    assert arm.forward.initializer.values.shape == [1, 3]


def test_a_layer_may_give_its_own_feedback_of_the_same_kind():
    fixed = prospero.Aligned(None, tau_hp=0.1)
    spec = microcircuit.Spec(0.01, feedback=ALIGNED).input("input", 2)
    spec.layer("a", 3).layer("b", 3, feedback=fixed).layer("c", 1)
    assert [layer.HasField("alignment") for layer in layers(spec)] == [False, True, False, False]
    with pytest.raises(prospero.InvalidArgument, match="'d'.*Aligned.*Random"):
        spec.layer("d", 1, feedback=prospero.Random())


def test_what_is_hidden_follows_from_what_lies_above():
    spec = microcircuit.Spec(0.01, feedback=ALIGNED).input("input", 2).layer("a", 3)
    assert not layers(spec)[1].HasField("alignment")
    spec.layer("b", 1)
    assert layers(spec)[1].HasField("alignment") and not layers(spec)[2].HasField("alignment")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"sizes": [2]}, "sizes"),
        ({"activation": ["linear"]}, "activation"),
        ({"learn_V": [None, None]}, "learn_V"),
        ({"feedback": [ALIGNED] * 2}, "feedback"),
        ({"start": "self-predicting"}, "start"),
        ({"connection": "sideways"}, "connection"),
    ],
)
def test_a_slip_is_told_by_its_name(arguments, field):
    with pytest.raises(prospero.InvalidArgument, match=field):
        microcircuit.chain(**{"sizes": [2, 3, 1], "dt_ms": 0.01, **arguments})
