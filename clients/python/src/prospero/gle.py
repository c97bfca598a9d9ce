"""Builders of networks of Generalized Latent Equilibrium (GLE).

A chain in one line, any directed graph by names:

    spec = gle.chain([40, 100, 1], dt_ms=1.0, tau_m=10.0, optimizer=prospero.Adam(1e-3))

    spec = (gle.Spec(dt_ms=1.0)
            .population("input", 40, role="input")
            .population("hidden", 100, tau_m=10.0, tau_r=1.0)
            .population("output", 1, role="output", activation="linear", tau_m=10.0)
            .projection("input", "hidden", plasticity=prospero.Adam(1e-3))
            .projection("hidden", "output", plasticity=prospero.Adam(1e-3))
            .projection("hidden", "hidden", W=np.zeros((100, 100))))

Both are a `Spec`, which `Client.create_network` takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from prospero import _spec, v1
from prospero._spec import Activation, Precision, Tau
from prospero.components import SGD, Initial, Plasticity
from prospero.errors import invalid
from prospero.feedback import Aligned, Direct, Feedback
from prospero.noise import Noise

Role = Literal["input", "hidden", "output"]
ErrorMode = Literal["prospective", "instantaneous"]
Loss = Literal["mse", "cross_entropy"]


class Spec(_spec.Spec):
    """What a GLE network is made of: populations joined by projections.

    Args:
        dt_ms: length of a step [ms].
        precision: "float32", as the published code, or "float64", the reference.
        seed: seeds the first weights and all noise.
        batch: trials that run in parallel with common weights, which learn from the mean.
    """

    def __init__(
        self, dt_ms: float, *, precision: Precision = "float32", seed: int = 0, batch: int = 1
    ) -> None:
        super().__init__(dt_ms, precision=precision, seed=seed, batch=batch)
        self._proto.gle.SetInParent()

    def population(
        self,
        name: str,
        size: int,
        role: Role = "hidden",
        *,
        activation: Activation = "tanh",
        tau_m: Tau | None = None,
        tau_r: Tau | None = None,
        gamma: float = 0.0,
        error: ErrorMode = "prospective",
        bias: bool | Initial = False,
        bias_plasticity: Plasticity | None = None,
        tau_m_plasticity: Plasticity | None = None,
        tau_min: float = 0.0,
        loss: Loss = "mse",
        beta: float = 1.0,
        noise: Noise | None = None,
    ) -> Spec:
        """Adds `size` neurons of one kind and returns the spec.

        Args:
            name: letters, digits and _; it is also the name of the port of an input or
                output population.
            role: "input" neurons are written from outside and take no other argument.
            activation: rate = activation(prospective potential).
            tau_m: membrane time constants [ms], at least dt_ms each.
            tau_r: prospective time constants [ms]; None is tau_m: Latent Equilibrium.
            gamma: strength with which the error reaches the membrane, in [0, 1].
            error: "prospective" is GLE; "instantaneous" is backpropagation on the
                momentary state.
            bias: True draws it from +-1/sqrt(number of presynaptic neurons); first
                values, shape [size], give it.
            bias_plasticity: None keeps the bias constant.
            tau_m_plasticity: learns the membrane time constants; None keeps them.
            tau_min: bound [ms] that learning keeps tau_m and tau_r above; 0 is dt_ms.
            loss: what an output population compares with its target.
            beta: strength of the teacher of an output population while a target is
                present. Can be driven step by step: input `<name>.beta`.
            noise: added to the summed input of its neurons; can be driven step by step:
                input `<name>.w`.
        """
        field = f"population {name!r}"
        population = self._proto.gle.populations.add(
            name=name,
            size=size,
            role=_spec.enum(v1.GlePopulation.Role, "ROLE", role, f"{field}: role"),
        )
        if role == "input":
            return self
        population.activation = _spec.activation(activation, field)
        population.error_mode = _spec.enum(
            v1.GlePopulation.ErrorMode, "ERROR_MODE", error, f"{field}: error"
        )
        population.tau_m_ms.extend(_spec.taus(tau_m))
        population.tau_r_ms.extend(_spec.taus(tau_r))
        population.gamma = gamma
        population.tau_min_ms = tau_min
        _spec.set_bias(population.bias, bias, bias_plasticity, field)
        _spec.set_plasticity(population.tau_m_plasticity, tau_m_plasticity)
        if role == "output":
            population.loss = _spec.enum(v1.Loss, "LOSS", loss, f"{field}: loss")
            population.beta = beta
        if noise is not None:
            population.noise.CopyFrom(noise.to_proto())
        return self

    def projection(
        self,
        pre: str,
        post: str,
        W: Initial | None = None,
        *,
        plasticity: Plasticity | None = None,
        feedback: Feedback | None = None,
        name: str = "",
    ) -> Spec:
        """Adds the synapses from population `pre` to population `post` (perhaps itself) and
        returns the spec.

        Args:
            W: first weights: drawn, or an array [size of post, size of pre]; None is
                uniform on +-1/sqrt(size of pre).
            plasticity: None keeps the weights constant.
            feedback: the way of the errors back to `pre`: `Transpose()`, `Random()`,
                `Direct()`, or `Aligned(...)`, for which `pre` must have noise. None is
                `Transpose()`.
            name: "" is "<pre>_to_<post>".
        """
        field = f"projection {pre}_to_{post}"
        projection = self._proto.gle.projections.add(name=name, pre=pre, post=post)
        _spec.set_first(projection.initializer, W, f"{field}: W")
        _spec.set_plasticity(projection.plasticity, plasticity)
        if feedback is not None:
            projection.feedback.path = feedback.path
            _spec.set_first(projection.feedback.initializer, feedback.B, f"{field}: B")
        if isinstance(feedback, Aligned):
            projection.feedback.alignment.CopyFrom(feedback.to_proto())
        if isinstance(feedback, Direct):
            projection.feedback.output = feedback.output
        return self

    def __repr__(self) -> str:
        populations = ", ".join(f"{p.name}[{p.size}]" for p in self._proto.gle.populations)
        return f"<GLE {populations}; {len(self._proto.gle.projections)} projections>"


def chain(
    sizes: Sequence[int],
    *,
    dt_ms: float,
    tau_m: Tau | Sequence[Tau],
    tau_r: Tau | Sequence[Tau] | None = None,
    activation: Activation | Sequence[Activation] = "tanh",
    output_activation: Activation = "linear",
    learning_rate: float | None = None,
    optimizer: Plasticity | None = None,
    learn_tau: Plasticity | Sequence[Plasticity | None] | None = None,
    gamma: float | Sequence[float] = 0.0,
    beta: float = 1.0,
    loss: Loss = "mse",
    bias: bool = True,
    error: ErrorMode | Sequence[ErrorMode] = "prospective",
    weights: Sequence[Initial] | None = None,
    biases: Sequence[Initial | None] | None = None,
    tau_min: float = 0.0,
    feedback: Feedback | Sequence[Feedback | None] | None = None,
    noise: Noise | Sequence[Noise | None] | None = None,
    precision: Precision = "float32",
    seed: int = 0,
    batch: int = 1,
) -> Spec:
    """A feed-forward chain of populations, each one projecting on the next.

    They are called "input", "hidden" (or "hidden1", "hidden2", ... when there are several)
    and "output"; the projections "input_to_hidden" and so on. A layer is a population other
    than the input: `tau_m`, `tau_r`, `activation`, `gamma`, `error` and `learn_tau` are one value
    for all layers or a sequence with one for each layer.

    Args:
        sizes: neurons of each population, from the input to the output.
        dt_ms: length of a step [ms].
        tau_m: membrane time constants [ms]: a number; one entry for each layer; an entry
            may be an array with one value for each neuron.
        tau_r: prospective time constants [ms], as tau_m; None is tau_m: Latent Equilibrium.
        activation: of the hidden layers, or one for each layer.
        output_activation: of the output, unless `activation` has one for each layer.
        learning_rate: per step. With no `optimizer`: plain gradient descent.
        optimizer: how weights and biases learn. Neither: the network is constant.
        learn_tau: how the membrane time constants learn; None keeps them.
        gamma: strength with which the error reaches the membrane, in [0, 1].
        beta: strength of the teacher.
        loss: "mse" or "cross_entropy".
        bias: biases in all layers.
        error: "prospective" is GLE, "instantaneous" is plain backpropagation.
        weights: first weights of each layer, such as arrays [post, pre].
        biases: first biases of each layer, such as arrays [size]; an entry None is no bias.
        tau_min: bound [ms] that learning keeps tau_m and tau_r above; 0 is dt_ms.
        feedback: the way of the errors from the output and the hidden populations to the
            hidden one below: one for all or one for each hidden population. None is
            backpropagation.
        noise: of the hidden populations, or one for each layer. `Aligned` feedback needs it.
        precision: "float32" or "float64".
        seed: seeds the first weights and all noise.
        batch: trials that run in parallel.
    """
    layers = len(sizes) - 1
    if layers < 1:
        raise invalid("sizes", f"must name an input and an output, got {list(sizes)}")
    if learning_rate is not None:
        optimizer = replace(optimizer or SGD(), learning_rate=learning_rate)

    names = ["input", *_spec.layer_names(layers)]
    per_layer = {
        "activation": _spec.activations(activation, output_activation, layers),
        "tau_m": _spec.each(tau_m, layers, "tau_m"),
        "tau_r": _spec.each(tau_r, layers, "tau_r"),
        "gamma": _spec.each(gamma, layers, "gamma"),
        "bias": _spec.each(biases if biases is not None else bias, layers, "biases"),
        "error": _spec.each(error, layers, "error"),
        "tau_m_plasticity": _spec.each(learn_tau, layers, "learn_tau"),
        "noise": _spec.each_hidden(noise, layers, "noise"),
    }
    W = _spec.each(weights, layers, "weights")
    back = [None, *_spec.each(feedback, layers - 1, "feedback")]
    spec = Spec(dt_ms, precision=precision, seed=seed, batch=batch)
    spec.population("input", sizes[0], "input")
    for i, name in enumerate(names[1:]):
        spec.population(
            name,
            sizes[i + 1],
            "output" if name == "output" else "hidden",
            bias_plasticity=optimizer,
            tau_min=tau_min,
            loss=loss,
            beta=beta,
            **{key: values[i] for key, values in per_layer.items()},
        )
    for i, (pre, post) in enumerate(zip(names, names[1:])):
        spec.projection(pre, post, W[i], plasticity=optimizer, feedback=back[i])
    return spec
