"""Builders of dendritic microcircuits that learn with all synapses plastic at once (Max et al.,
"Learning efficient backprojections across cortical hierarchies in real time", arXiv 2212.10249;
Sacramento et al., NeurIPS 2018; Haider et al., NeurIPS 2021).

Between the layers lead the forward weights W, from a layer to its interneurons V, from those
back to its apical dendrites C, and from the layer above to them the feedback weights B.

A chain in one line, or layer by layer. Rates are per step on the wire; papers give eta [1/ms]:

    rate = prospero.SGD.per_ms
    spec = microcircuit.chain(
        [5, 20, 10, 20, 5], dt_ms=0.01, learn_C=rate(5.0, 0.01),
        feedback=prospero.Aligned(rate(50.0, 0.01, weight_decay=1e-5), tau_hp=0.1),
        noise=prospero.OrnsteinUhlenbeck(sigma=0.05, tau=0.1))

    spec = (microcircuit.Spec(dt_ms=0.01, feedback=prospero.Random())
            .input("eye", 4)
            .layer("cortex", 30, learn_W=rate(50.0, 0.01), learn_V=rate(0.05, 0.01))
            .layer("arm", 3, learn_W=rate(0.01, 0.01)))

Both are a `Spec`, which `Client.create_network` takes. Inputs are written to the first layer,
targets of the prospective potential to the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from prospero import _spec, v1
from prospero._spec import Activation, Precision
from prospero.components import Initial, Plasticity
from prospero.errors import invalid
from prospero.feedback import Aligned, Feedback, Transpose
from prospero.noise import Noise

Connection = Literal["layered", "skip"]
Start = Literal["self_predicting", "given"]
Comparison = Literal["rates", "potentials"]
Decay = Literal["plain", "gated", "slopes"]
NoiseScale = Literal["constant", "potential", "prospective", "apical"]


@dataclass(frozen=True)
class Conductances:
    """Of the compartments [1/ms]; the membrane capacitance is 1. As published.

    Args:
        leak: of all somata.
        basal: of basal dendrites.
        apical: of apical dendrites.
        dendrite: of the dendrites of interneurons.
        interneuron: with which the layer above teaches the interneurons.
        target: with which the target teaches the output.
    """

    leak: float = 0.03
    basal: float = 0.1
    apical: float = 0.06
    dendrite: float = 0.1
    interneuron: float = 0.06
    target: float = 0.06


class Spec(_spec.Spec):
    """What a dendritic microcircuit is made of: an input and layers of pyramidal neurons.

    Args:
        dt_ms: length of a step [ms].
        feedback: `Transpose()` (B and C = -B are copied from W in each step), `Random()` or
            `Aligned(...)`, for all layers; its B and learning are those of the hidden layers
            that give none of their own. B unset is uniform on [-1, 1).
        connection: where apical dendrites and interneurons listen: "layered" to the next
            layer, "skip" to the output.
        start: "self_predicting" has C = -B and V such that without a target the apical
            potentials are 0; "given" takes V and C as they are.
        conductances: [1/ms]; None is as published.
        prospectivity: factor of tau in p = u + prospectivity tau du/dt; 0: leaky neurons that
            look not ahead.
        comparison: what W learns from: "rates" is r - phi(prediction), "potentials" is
            p - prediction.
        tau_presynaptic, tau_postsynaptic, tau_dendrite: time constants [ms] of low-passes of
            the rates that W learns from, of the difference that it learns from, and of the
            dendrites of the interneurons; 0 for none. (Of the changes of W: `LowPass`.)
        decay: of B: "plain" is alpha B, "gated" that where h > 0, "slopes" alpha phi' B phi'.
        noise_scale: what the noise is proportional to.
        high_pass: False lets B learn from the rates themselves.
        precision: "float32", or "float64", the reference.
        seed: seeds the first weights and all noise.
        batch: trials that run in parallel with common weights, which learn from the mean.
    """

    def __init__(
        self,
        dt_ms: float,
        *,
        feedback: Feedback | None = None,
        connection: Connection = "layered",
        start: Start = "self_predicting",
        conductances: Conductances | None = None,
        prospectivity: float = 1.0,
        comparison: Comparison = "rates",
        tau_presynaptic: float = 0.0,
        tau_postsynaptic: float = 0.0,
        tau_dendrite: float = 0.0,
        decay: Decay = "plain",
        noise_scale: NoiseScale = "constant",
        high_pass: bool = True,
        precision: Precision = "float32",
        seed: int = 0,
        batch: int = 1,
    ) -> None:
        super().__init__(dt_ms, precision=precision, seed=seed, batch=batch)
        self._feedback = feedback or Transpose()
        self._own: dict[str, Feedback] = {}
        kind = v1.MicrocircuitSpec
        self._proto.microcircuit.CopyFrom(
            kind(
                feedback=self._feedback.path,
                connection=_spec.enum(kind.Connection, "CONNECTION", connection, "connection"),
                start=_spec.enum(kind.Start, "START", start, "start"),
                prospectivity=prospectivity,
                comparison=_spec.enum(kind.Comparison, "COMPARISON", comparison, "comparison"),
                tau_presynaptic_ms=tau_presynaptic,
                tau_postsynaptic_ms=tau_postsynaptic,
                tau_dendrite_ms=tau_dendrite,
                decay=_spec.enum(kind.Decay, "DECAY", decay, "decay"),
                noise_scale=_spec.enum(kind.NoiseScale, "NOISE_SCALE", noise_scale, "noise_scale"),
                without_high_pass=not high_pass,
            )
        )
        if conductances is not None:
            self._proto.microcircuit.conductances.CopyFrom(
                kind.Conductances(**asdict(conductances))
            )

    def input(self, name: str, size: int) -> Spec:
        """Adds the input, whose rates are written from outside, and returns the spec."""
        self._proto.microcircuit.layers.add(name=name, size=size)
        return self

    def layer(
        self,
        name: str,
        size: int,
        *,
        activation: Activation = "sigmoid",
        W: Initial | None = None,
        V: Initial | None = None,
        C: Initial | None = None,
        learn_W: Plasticity | None = None,
        learn_V: Plasticity | None = None,
        learn_C: Plasticity | None = None,
        feedback: Feedback | None = None,
        noise: Noise | None = None,
        potential: Initial | None = None,
        interneuron_potential: Initial | None = None,
    ) -> Spec:
        """Adds a layer on top of the others and returns the spec. The last one is the output,
        which has no V, C, feedback, noise and interneurons.

        First values are drawn or arrays; None is uniform on [-1, 1). What does not learn (None)
        is constant.

        Args:
            name: letters, digits and _; its interneurons are called `<name>_inter`.
            size: number of pyramidal neurons.
            activation: rate = activation(prospective potential); "sigmoid" is the logistic
                function.
            W: basal, [size, size below].
            V: to the interneurons, [size above, size]. Only with start="given".
            C: from the interneurons, [size, size above]. Only with start="given".
            learn_W, learn_V, learn_C: how they learn.
            feedback: of the network's kind: this layer's own B, [size, size above], and how it
                learns. None is the network's.
            noise: in the apical dendrites while B is plastic.
            potential: first potentials of the pyramidal neurons, [size]; None is 0.
            interneuron_potential: of the interneurons, [size above]; None is 0.
        """
        field = f"layer {name!r}"
        if feedback is not None and feedback.path != self._feedback.path:
            given, wanted = type(feedback).__name__, type(self._feedback).__name__
            raise invalid(f"{field}: feedback", f"must be {wanted} as the network's, got {given}")
        layer = self._proto.microcircuit.layers.add(
            name=name, size=size, activation=_spec.activation(activation, field)
        )
        _set_synapses(layer.forward, W, learn_W, f"{field}: W")
        _set_synapses(layer.to_interneurons, V, learn_V, f"{field}: V")
        _set_synapses(layer.from_interneurons, C, learn_C, f"{field}: C")
        if feedback is not None:
            self._own[name] = feedback
        if noise is not None:
            layer.noise.CopyFrom(noise.to_proto())
        _spec.set_first(layer.potential, potential, f"{field}: potential")
        _spec.set_first(
            layer.interneuron_potential, interneuron_potential, f"{field}: interneuron_potential"
        )
        return self

    def to_proto(self) -> v1.NetworkSpec:
        """A copy of the message."""
        proto = super().to_proto()
        # Which layers are hidden, and so have feedback, shows only now.
        for layer in proto.microcircuit.layers[1:-1]:
            feedback = self._own.get(layer.name, self._feedback)
            _spec.set_first(layer.feedback_initializer, feedback.B, f"layer {layer.name!r}: B")
            if isinstance(feedback, Aligned) and feedback.plasticity is not None:
                layer.alignment.CopyFrom(feedback.to_proto())
        return proto

    def __repr__(self) -> str:
        layers = self._proto.microcircuit.layers
        return f"<microcircuit {', '.join(f'{layer.name}[{layer.size}]' for layer in layers)}>"


def _set_synapses(
    synapses: v1.MicrocircuitLayer.Synapses,
    first: Initial | None,
    plasticity: Plasticity | None,
    field: str,
) -> None:
    _spec.set_first(synapses.initializer, first, field)
    _spec.set_plasticity(synapses.plasticity, plasticity)


def chain(
    sizes: Sequence[int],
    *,
    dt_ms: float,
    activation: Activation | Sequence[Activation] = "sigmoid",
    W: Initial | Sequence[Initial | None] | None = None,
    V: Initial | Sequence[Initial | None] | None = None,
    C: Initial | Sequence[Initial | None] | None = None,
    learn_W: Plasticity | Sequence[Plasticity | None] | None = None,
    learn_V: Plasticity | Sequence[Plasticity | None] | None = None,
    learn_C: Plasticity | Sequence[Plasticity | None] | None = None,
    feedback: Feedback | Sequence[Feedback | None] | None = None,
    noise: Noise | Sequence[Noise | None] | None = None,
    potential: Initial | None = None,
    connection: Connection = "layered",
    start: Start = "self_predicting",
    conductances: Conductances | None = None,
    prospectivity: float = 1.0,
    precision: Precision = "float32",
    seed: int = 0,
    batch: int = 1,
) -> Spec:
    """An "input", hidden layers "hidden" (or "hidden1", "hidden2", ... when there are several)
    and an "output".

    `activation`, `W` and `learn_W` are one value for all layers or a sequence with one for each
    layer but the input; `V`, `C`, `learn_V`, `learn_C`, `feedback` and `noise` are one value for
    all hidden layers or a sequence with one for each of them.

    Args:
        sizes: neurons of each layer, from the input to the output.
        dt_ms: length of a step [ms].
        activation: "sigmoid" is the logistic function.
        W, V, C: first weights; see `Spec.layer`.
        learn_W, learn_V, learn_C: how they learn; None keeps them constant.
        feedback: `Transpose()`, `Random()` or `Aligned(...)`; None is `Transpose()`.
        noise: in the apical dendrites. `Aligned` feedback needs it.
        potential: first potentials of all pyramidal neurons and interneurons; None is 0.
        connection, start, conductances, prospectivity, precision, seed, batch: see `Spec`.
    """
    layers = len(sizes) - 1
    if layers < 1:
        raise invalid("sizes", f"must name an input and an output, got {list(sizes)}")
    ways = _spec.each(feedback, layers - 1, "feedback")
    common = next((way for way in ways if way is not None), None)
    spec = Spec(
        dt_ms,
        feedback=common,
        connection=connection,
        start=start,
        conductances=conductances,
        prospectivity=prospectivity,
        precision=precision,
        seed=seed,
        batch=batch,
    ).input("input", sizes[0])
    hidden = {"V": V, "C": C, "learn_V": learn_V, "learn_C": learn_C, "noise": noise}
    per_layer: dict[str, list[Any]] = {
        "activation": _spec.each(activation, layers, "activation"),
        "W": _spec.each(W, layers, "W"),
        "learn_W": _spec.each(learn_W, layers, "learn_W"),
        "feedback": [*ways, None],
        "interneuron_potential": [potential] * (layers - 1) + [None],
        **{name: [*_spec.each(value, layers - 1, name), None] for name, value in hidden.items()},
    }
    for i, name in enumerate(_spec.layer_names(layers)):
        spec.layer(
            name,
            sizes[i + 1],
            potential=potential,
            **{key: values[i] for key, values in per_layer.items()},
        )
    return spec
