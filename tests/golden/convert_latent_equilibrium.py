#!/usr/bin/env python3
"""Turns reference traces of the published layered codes of Latent Equilibrium and PAL, and of
Latent Equilibrium's dynamics (JSON), into the compact files of this folder.

    convert_latent_equilibrium.py TRACE.json... FOLDER

A `.golden` file is one line of JSON, then raw numbers, as tests/support/trace.h says. Layers are
l1 (the first above the input) to lK, and the line says what they are in the words of our spec.

    X  Y                    the inputs and targets, one set for each value of "which", [set, ...]
    first.l1.W  first.l1.b  first values, in our shapes
    l1.w                    [step, ...]: white noise, written before each step
    l1.r  l1.e  l1.W ...    [entry, ...]: our variable after the steps that "at" lists for it

Weights are turned from [in, out] to our [out, in], feedback weights from [out, in] to our [in,
out], and errors to ours, which point down the gradient. Rates and errors are kept every second
step, potentials every fifth and weights every tenth, and everything of the last.
"""
import json
import pathlib
import sys

from convert import flatten, shape_of, write

EVERY = {"r": 2, "e": 2, "e_bottom": 2, "W": 10, "b": 10, "B": 10}
KINDS = {"linear": "dense", "proj": "dense", "conv": "convolution", "pool": "pool"}


def transposed(matrix):
    return [list(row) for row in zip(*matrix)]


def negated(values):
    return [negated(value) for value in values] if isinstance(values, list) else -values


class Writer:
    """Collects arrays, and the steps at which variables were seen."""

    def __init__(self, header):
        self.header = dict(header, at={})
        self.arrays = []

    def add(self, name, values):
        self.arrays.append((name, values))

    def add_seen(self, name, values_of_step):
        """Some of the values, one for each step."""
        last = len(values_of_step) - 1
        every = EVERY.get(name.split(".")[-1], 5)
        at = [n for n in range(last + 1) if n % every == 0 or n == last]
        self.header["at"][name] = at
        self.add(name, [values_of_step[n] for n in at])


def our_weights(kind, W):
    if kind == "conv":
        return [list(flatten(channel)) for channel in W]
    return transposed(W)


def our_direct(kind, D):
    """[output, size] or [output, height, width, channels] as [size of the layer, output]."""
    if kind == "conv":
        D = [[place[c] for c in range(len(o[0][0])) for line in o for place in line] for o in D]
    return transposed(D)


def our_layer(layer, algorithm, dt, is_first, is_last):
    ours = {"kind": KINDS[layer["kind"]]}
    if layer.get("sigma"):
        ours["noise"] = {"sigma": layer["sigma"], "tau": layer["tau_xi"]}
    if layer["kind"] == "pool":
        return dict(ours, window=layer["k"])
    ours.update(activation=layer["act"], eta=layer["lr"] * dt, eta_b=layer["lrb"] * dt)
    if algorithm == "PAL" and not is_first:
        ours["alignment"] = {"eta": layer["lrB"] * dt, "decay": layer["reg"],
                             "tau_hp": layer["tau_HP"]}
    if layer["kind"] == "conv":
        return dict(ours, channels=layer["cout"], kernel=layer["k"])
    return dict(ours, size=layer["nout"])


def add_layers(trace, writer):
    algorithm, layers = trace["params"]["algorithm"], trace["params"]["layers"]
    steps = trace["trace"]
    for k, layer in enumerate(layers):
        name, kind, first = f"l{k + 1}", layer["kind"], trace["init"][k]
        writer.add_seen(f"{name}.r", [step[k] for step in steps["rho"]])
        if layer.get("sigma"):
            writer.add(f"{name}.w", [draws[k] for draws in trace["input"]["draws"]])
            xi = "xi_total" if kind == "pool" else "xi"
            writer.add_seen(f"{name}.{xi}", [step[k] for step in steps["noise"]])
        if kind == "pool":
            continue
        writer.add(f"first.{name}.W", our_weights(kind, first["W"]))
        writer.add(f"first.{name}.b", first["b"])
        for ours, theirs in (("u", "v"), ("u_ahead", "look"), ("e", "err"), ("b", "b")):
            writer.add_seen(f"{name}.{ours}", [step[k] for step in steps[theirs]])
        writer.add_seen(f"{name}.W", [our_weights(kind, step[k]) for step in steps["W"]])
        if algorithm in ("FA", "PAL") and k > 0:
            writer.add(f"first.{name}.B", transposed(first["B"]))
            writer.add_seen(f"{name}.B", [transposed(step[k]) for step in steps["B"]])
        if algorithm == "PAL" and k > 0:
            writer.add_seen(f"{name}.h", [step[k] for step in steps["HP"]])
        if algorithm == "DFA" and k + 1 < len(layers):
            writer.add(f"first.{name}.B", our_direct(kind, trace["dfa"][k]))


def convert_layered(trace):
    params = trace["params"]
    algorithm, dt, layers = params["algorithm"], params["dt"], params["layers"]
    x = trace["input"]["x"]
    header = {
        "order": "layered", "algorithm": algorithm, "gamma": 0.0, "steps": trace["steps"],
        "batch": len(x[0]), "input_shape": shape_of(x[0][0]), "which": trace["input"]["which"],
        "potential": params["target_type"] == "mse",
        **{key: params[key] for key in ("dt", "tau", "beta")},
        "layers": [our_layer(layer, algorithm, dt, k == 0, k + 1 == len(layers))
                   for k, layer in enumerate(layers)]}
    writer = Writer(header)
    writer.add("X", x)
    writer.add("Y", trace["input"]["y"])
    add_layers(trace, writer)
    return writer


def convert_dynamics(trace):
    steps, layers = trace["trace"], trace["layers"]
    # The activation of a layer is applied by the one that reads it.
    activations = [layer["phi_in"] for layer in layers[1:]] + ["linear"]
    eta = trace["lr"]
    header = {
        # The published code adds the gradient to the membrane, we add the descent.
        "order": "dynamics", "algorithm": "BP", "gamma": -trace["gamma"], "steps": len(steps),
        "batch": len(trace["x"][0]), "input_shape": [trace["sizes"][0]],
        "which": list(range(len(steps))), "potential": True,
        "tau_error": trace["tau_e"], **{key: trace[key] for key in ("dt", "tau", "beta")},
        "layers": [{"kind": "dense", "size": len(layer["W"]), "activation": phi, "eta": eta,
                    "eta_b": eta} for layer, phi in zip(layers, activations)]}
    writer = Writer(header)
    writer.add("X", trace["x"])
    writer.add("Y", trace["target"])
    for k, layer in enumerate(layers):
        name = f"l{k + 1}"
        for symbol in ("W", "b"):
            writer.add(f"first.{name}.{symbol}", layer[symbol])
        for ours, theirs in (("u", "u"), ("u_ahead", "u_breve"), ("W", "W"), ("b", "b")):
            writer.add_seen(f"{name}.{ours}", [step["layers"][k][theirs] for step in steps])
        if k > 0:
            writer.add_seen(f"l{k}.e_bottom",
                            [negated(step["layers"][k]["e_bottom"]) for step in steps])
    return writer


def convert_fourier(trace):
    """First weights, and the mean squared error of windows of 25 ms."""
    writer = Writer({"window_ends": [window[0] for window in trace["mse_per_25ms"]]})
    for k in (0, 1):
        writer.add(f"first.l{k + 1}.W", trace["init"][f"lin{k}.weight"])
        writer.add(f"first.l{k + 1}.b", trace["init"][f"lin{k}.bias"])
    writer.add("mse", [window[1] for window in trace["mse_per_25ms"]])
    return writer


def convert(source, folder):
    trace = json.loads(source.read_text())
    if "mse_per_25ms" in trace:
        writer = convert_fourier(trace)
    elif "params" in trace:
        writer = convert_layered(trace)
    else:
        writer = convert_dynamics(trace)
    with open(folder / (source.stem + ".golden"), "wb") as out:
        write(out, writer.header, writer.arrays)


if __name__ == "__main__":
    for name in sys.argv[1:-1]:
        convert(pathlib.Path(name), pathlib.Path(sys.argv[-1]))
