"""Builders of layered networks of Latent Equilibrium (LE; Haider et al., NeurIPS 2021) that send
errors back by backpropagation, feedback alignment, direct feedback alignment, or Phaseless
Alignment Learning (PAL; Max et al., arXiv 2212.10249).

A chain in one line, any stack of layers by names:

    spec = latent_equilibrium.chain([784, 300, 100, 10], dt_ms=0.1, tau=10.0,
                                    activation="hard_sigmoid", learning_rate=0.16)

    spec = (latent_equilibrium.Spec((3, 32, 32), dt_ms=0.1, batch=128, feedback=prospero.Random())
            .layer("c1", Convolution(20, 5), tau=10.0, activation="sigmoid", plasticity=SGD(0.4))
            .layer("p1", MaxPool(2))
            .layer("hidden", 500, tau=10.0, activation="sigmoid", plasticity=SGD(0.2))
            .layer("output", 10, tau=10.0, activation="linear", plasticity=SGD(0.02)))

Both are a `Spec`, which `Client.create_network` takes. Inputs are written to "input", targets to
the last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Union

import numpy as np

from prospero import _spec, v1
from prospero._spec import Activation, Precision, Tau
from prospero.components import SGD, Initial, Plasticity
from prospero.errors import invalid
from prospero.feedback import Aligned, Direct, Feedback, Transpose
from prospero.noise import Noise

Order = Literal["layered", "dynamics"]
TargetError = Literal["rate", "potential"]
Extent = Union[int, Sequence[int]]
"""Extent along the spatial dimensions: one for all, or one for each."""


@dataclass(frozen=True)
class Convolution:
    """Slides one kernel for each channel over a layer of one or two spatial dimensions.

    Its weights W are [channels, channels below * kernel size].

    Args:
        padding: zeros on either side.
    """

    channels: int
    kernel: Extent
    stride: Extent = 1
    padding: Extent = 0

    def write(self, layer: v1.LatentEquilibriumLayer) -> None:
        layer.convolution.channels = self.channels
        layer.convolution.kernel.extend(_extents(self.kernel))
        layer.convolution.stride.extend(_extents(self.stride))
        layer.convolution.padding.extend(_extents(self.padding))


@dataclass(frozen=True)
class MaxPool:
    """Not neurons: passes on the greatest rate of each window.

    Args:
        stride: None is the window.
    """

    window: Extent
    stride: Extent | None = None

    def write(self, layer: v1.LatentEquilibriumLayer) -> None:
        _write_pool(layer, v1.LatentEquilibriumLayer.Pool.KIND_MAX, self.window, self.stride)


@dataclass(frozen=True)
class AveragePool:
    """Not neurons: passes on the mean rate of each window. As `MaxPool`."""

    window: Extent
    stride: Extent | None = None

    def write(self, layer: v1.LatentEquilibriumLayer) -> None:
        _write_pool(layer, v1.LatentEquilibriumLayer.Pool.KIND_AVERAGE, self.window, self.stride)


Kind = Union[int, Convolution, MaxPool, AveragePool]
"""A number of neurons, each of which reads all of the layer below; or what slides over it."""


def _extents(value: Extent) -> list[int]:
    return [value] if isinstance(value, int) else list(value)


def _write_pool(
    layer: v1.LatentEquilibriumLayer, kind: Any, window: Extent, stride: Extent | None
) -> None:
    layer.pool.kind = kind
    layer.pool.window.extend(_extents(window))
    layer.pool.stride.extend([] if stride is None else _extents(stride))


class Spec(_spec.Spec):
    """What a layered LE network is made of.

    Args:
        input_shape: a number of neurons, (channels, length), or (channels, height, width).
        dt_ms: length of a step [ms].
        feedback: the way of the errors for all layers, and its first values B and learning
            for those that give none of their own.
        order: of a step; the published codes differ. "layered" is that of both papers;
            "dynamics" that of Fig. 2a of Latent Equilibrium, for dense layers only.
        target_error: of the last layer: "rate" is beta phi' (target - rate), "potential" is
            beta (target - prospective potential).
        beta: strength of the teacher. Can be driven step by step: input `<output>.beta`.
        gamma: strength of the error at the membrane, in [-1, 1]. Latent Equilibrium: 1; the
            published code of PAL: 0.
        tau_rate, tau_error, tau_target: time constants [ms] of low-passes of the rates, of
            the errors and of the target; 0 for none.
        errors_from_rate_potential: the error that is sent down is read off the membrane, with
            tau in the place of tau_m. Needs gamma = 1.
        precision: "float32", as the published code, or "float64", the reference.
        seed: seeds the first weights and all noise.
        batch: trials that run in parallel with common weights, which learn from the mean.
    """

    def __init__(
        self,
        input_shape: int | Sequence[int],
        dt_ms: float,
        *,
        feedback: Feedback | None = None,
        order: Order = "layered",
        target_error: TargetError = "rate",
        beta: float = 0.1,
        gamma: float = 0.0,
        tau_rate: float = 0.0,
        tau_error: float = 0.0,
        tau_target: float = 0.0,
        errors_from_rate_potential: bool = False,
        precision: Precision = "float32",
        seed: int = 0,
        batch: int = 1,
    ) -> None:
        super().__init__(dt_ms, precision=precision, seed=seed, batch=batch)
        self._feedback = feedback or Transpose()
        kind = v1.LatentEquilibriumSpec
        self._proto.latent_equilibrium.CopyFrom(
            kind(
                input_shape=np.ravel(input_shape).tolist(),
                feedback=self._feedback.path,
                order=_spec.enum(kind.Order, "ORDER", order, "order"),
                target_error=_spec.enum(
                    kind.TargetError, "TARGET_ERROR", target_error, "target_error"
                ),
                beta=beta,
                gamma=gamma,
                tau_rate_ms=tau_rate,
                tau_error_ms=tau_error,
                tau_target_ms=tau_target,
                errors_from_rate_potential=errors_from_rate_potential,
            )
        )

    def layer(
        self,
        name: str,
        kind: Kind,
        *,
        activation: Activation = "tanh",
        tau: Tau | None = None,
        tau_m: Tau | None = None,
        tau_spread: float = 0.0,
        tau_m_plasticity: Plasticity | None = None,
        W: Initial | None = None,
        plasticity: Plasticity | None = None,
        bias: bool | Initial | None = False,
        bias_plasticity: Plasticity | None = None,
        noise: Noise | None = None,
        rate_noise: float = 0.0,
        feedback: Feedback | None = None,
    ) -> Spec:
        """Adds a layer on top of the others and returns the spec. The last one is the output.

        Args:
            name: letters, digits and _, not "input".
            kind: a number of neurons, a `Convolution`, a `MaxPool` or an `AveragePool`. A
                pool takes nothing else but noise.
            activation: rate = activation(prospective potential).
            tau: prospective time constants [ms].
            tau_m: membrane time constants [ms], at least dt_ms each; None is tau.
            tau_spread: each tau and tau_m is multiplied with a draw from N(1, tau_spread^2).
            tau_m_plasticity: learns tau_m, so that it approaches tau; None keeps it.
            W: first weights: drawn, or an array [post, pre]; None is uniform on
                +-1/sqrt(weights of a neuron).
            plasticity: None keeps the weights constant.
            bias: True draws it as the weights; first values, one for each neuron or, of a
                convolution, channel, give it.
            bias_plasticity: None keeps the bias constant.
            noise: added to the input of its neurons; of a pool, to its rates. With `Aligned`
                feedback the layer above learns from it.
            rate_noise: standard deviation of white noise on its rates.
            feedback: of the network's kind: this layer's own B, [pre, post] as W^T (`Direct`:
                [size, size of the output]), and how it learns. None is the network's. The
                first layer, which sends no errors on, and pools have none.
        """
        layers = self._proto.latent_equilibrium.layers
        field = f"layer {name!r}"
        feedback = feedback or self._feedback
        if feedback.path != self._feedback.path:
            given, wanted = type(feedback).__name__, type(self._feedback).__name__
            raise invalid(f"{field}: feedback", f"must be {wanted} as the network's, got {given}")
        layer = layers.add(name=name)
        if noise is not None:
            layer.noise.CopyFrom(noise.to_proto())
        if isinstance(kind, (MaxPool, AveragePool)):
            kind.write(layer)
            return self
        if isinstance(kind, Convolution):
            kind.write(layer)
        else:
            layer.dense.size = kind
        layer.activation = _spec.activation(activation, field)
        layer.tau_ms.extend(_spec.taus(tau))
        layer.tau_m_ms.extend(_spec.taus(tau_m))
        layer.tau_spread = tau_spread
        _spec.set_plasticity(layer.tau_m_plasticity, tau_m_plasticity)
        _spec.set_first(layer.initializer, W, f"{field}: W")
        _spec.set_plasticity(layer.plasticity, plasticity)
        _spec.set_bias(layer.bias, bias, bias_plasticity, field)
        layer.rate_noise = rate_noise
        if len(layers) > 1 or isinstance(feedback, Direct):
            _spec.set_first(layer.feedback_initializer, feedback.B, f"{field}: B")
        if len(layers) > 1 and isinstance(feedback, Aligned) and feedback.plasticity is not None:
            layer.alignment.CopyFrom(feedback.to_proto())
        return self

    def to_proto(self) -> v1.NetworkSpec:
        """A copy of the message."""
        proto = super().to_proto()
        if isinstance(self._feedback, Direct) and proto.latent_equilibrium.layers:
            # Which layer is the last one, that takes no feedback, shows only now.
            proto.latent_equilibrium.layers[-1].ClearField("feedback_initializer")
        return proto

    def __repr__(self) -> str:
        layers = self._proto.latent_equilibrium.layers
        shape = "x".join(map(str, self._proto.latent_equilibrium.input_shape))
        return f"<LE input[{shape}], {', '.join(layer.name for layer in layers)}>"


def chain(
    sizes: Sequence[Kind | Sequence[int]],
    *,
    dt_ms: float,
    tau: Tau | Sequence[Tau],
    tau_m: Tau | Sequence[Tau] | None = None,
    activation: Activation | Sequence[Activation] = "tanh",
    output_activation: Activation = "linear",
    learning_rate: float | Sequence[float] | None = None,
    optimizer: Plasticity | None = None,
    feedback: Feedback | Sequence[Feedback | None] | None = None,
    noise: Noise | Sequence[Noise | None] | None = None,
    weights: Initial | Sequence[Initial | None] | None = None,
    bias: bool = True,
    biases: Sequence[bool | Initial | None] | None = None,
    rate_noise: float | Sequence[float] = 0.0,
    tau_spread: float = 0.0,
    order: Order = "layered",
    target_error: TargetError = "rate",
    beta: float = 0.1,
    gamma: float = 0.0,
    tau_rate: float = 0.0,
    tau_error: float = 0.0,
    tau_target: float = 0.0,
    precision: Precision = "float32",
    seed: int = 0,
    batch: int = 1,
) -> Spec:
    """A stack of layers "hidden" (or "hidden1", "hidden2", ... when there are several) and
    "output" on an "input".

    `tau`, `tau_m`, `activation`, `learning_rate`, `noise`, `weights`, `biases` and `rate_noise`
    are one value for all layers or a sequence with one for each layer.

    Args:
        sizes: the input, a number of neurons or (channels, height, width), and from then on
            each layer: its number of neurons, a `Convolution`, a `MaxPool`, an `AveragePool`.
        dt_ms: length of a step [ms].
        tau: prospective time constants [ms].
        tau_m: membrane time constants [ms]; None is tau.
        activation: of the hidden layers, or one for each layer.
        output_activation: of the output, unless `activation` has one for each layer.
        learning_rate: per step, of weights and biases; a layer of rate 0 is constant. With no
            `optimizer`: plain gradient descent. The published codes give it as
            0.125 lr_multiplier factor / n_updates.
        optimizer: how weights and biases learn. Neither: the network is constant.
        feedback: the way of the errors: one for all layers, or one for each but the first,
            all of one kind; with `Direct`, for each but the last. None is backpropagation.
        noise: of the hidden layers, or one for each layer. `Aligned` feedback needs it.
        weights: first weights, such as arrays [post, pre] for each layer.
        bias: biases in all layers.
        biases: first biases, such as arrays; an entry None is no bias.
        rate_noise: standard deviation of white noise on the rates.
        tau_spread, order, target_error, beta, gamma, tau_rate, tau_error, tau_target,
        precision, seed, batch: see `Spec` and `Spec.layer`.
    """
    layers = len(sizes) - 1
    if layers < 1:
        raise invalid("sizes", f"must name an input and an output, got {list(sizes)}")
    if isinstance(sizes[0], (Convolution, MaxPool, AveragePool)):
        raise invalid("sizes[0]", f"must be the shape of the input, got {sizes[0]}")
    ways = _spec.each(feedback, layers - 1, "feedback")
    common = next((way for way in ways if way is not None), None)
    if not isinstance(feedback, (list, tuple)):
        common = feedback
    ways = [*ways, None] if isinstance(common, Direct) else [None, *ways]
    spec = Spec(
        sizes[0],
        dt_ms,
        feedback=common,
        order=order,
        target_error=target_error,
        beta=beta,
        gamma=gamma,
        tau_rate=tau_rate,
        tau_error=tau_error,
        tau_target=tau_target,
        precision=precision,
        seed=seed,
        batch=batch,
    )
    learning = _optimizers(optimizer, learning_rate, layers)
    per_layer = {
        "activation": _spec.activations(activation, output_activation, layers),
        "tau": _spec.each(tau, layers, "tau"),
        "tau_m": _spec.each(tau_m, layers, "tau_m"),
        "plasticity": learning,
        "bias_plasticity": learning,
        "noise": _spec.each_hidden(noise, layers, "noise"),
        "W": _spec.each(weights, layers, "weights"),
        "bias": _spec.each(biases if biases is not None else bias, layers, "biases"),
        "rate_noise": _spec.each(rate_noise, layers, "rate_noise"),
        "feedback": ways,
    }
    for i, (name, kind) in enumerate(zip(_spec.layer_names(layers), sizes[1:])):
        spec.layer(
            name,
            _kind(kind, i),
            tau_spread=tau_spread,
            **{key: values[i] for key, values in per_layer.items()},
        )
    return spec


def _optimizers(
    optimizer: Plasticity | None, learning_rate: float | Sequence[float] | None, layers: int
) -> list[Plasticity | None]:
    rates = _spec.each(learning_rate, layers, "learning_rate")
    if learning_rate is None:
        return [optimizer] * layers
    learning = [replace(optimizer or SGD(), learning_rate=rate) for rate in rates]
    return [each if each.learning_rate else None for each in learning]


def _kind(kind: Any, layer: int) -> Kind:
    if not isinstance(kind, (int, Convolution, MaxPool, AveragePool)):
        expected = "a number of neurons, a Convolution or a pool"
        raise invalid(f"sizes[{layer + 1}]", f"must be {expected}, got {kind!r}")
    return kind
