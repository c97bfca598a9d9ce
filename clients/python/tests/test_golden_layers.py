"""The published traces of Latent Equilibrium layers and microcircuits, replayed through the public
API in FLOAT64, with the noise that was drawn there as an input."""

import numpy as np
import pytest
from golden import FOLDER, read, worst

import prospero
from prospero import latent_equilibrium as le
from prospero import microcircuit

LAYERS = sorted([*FOLDER.glob("pal_le_*.golden"), *FOLDER.glob("le_0*.golden")])
CIRCUITS = [FOLDER / f"microcircuit_{name}.golden" for name in ("all", "bw", "bp", "fa")]
WAYS = {"BP": prospero.Transpose, "FA": prospero.Random, "DFA": prospero.Direct}


def test_the_traces_are_there():
    assert len(LAYERS) >= 8 and all(file.exists() for file in CIRCUITS)


def kind_of(layer):
    if layer["kind"] == "convolution":
        return le.Convolution(layer["channels"], layer["kernel"])
    return le.MaxPool(layer["window"]) if layer["kind"] == "pool" else layer["size"]


def feedback_of(algorithm, layer, B):
    if algorithm != "PAL":
        return WAYS[algorithm]() if B is None else WAYS[algorithm](B)
    given = layer.get("alignment", {"eta": 0.0, "decay": 0.0, "tau_hp": 1.0})
    learn_B = prospero.SGD(given["eta"], weight_decay=given["decay"])
    return prospero.Aligned(learn_B, given["tau_hp"], B)


def layered(header, arrays):
    algorithm = header["algorithm"]
    spec = le.Spec(
        header["input_shape"],
        header["dt"],
        feedback=feedback_of(algorithm, {}, None),
        order=header["order"],
        target_error="potential" if header["potential"] else "rate",
        beta=header["beta"],
        gamma=header["gamma"],
        tau_error=header.get("tau_error", 0.0),
        precision="float64",
        batch=header["batch"],
    )
    for k, layer in enumerate(header["layers"], 1):
        noise = layer.get("noise")
        noise = noise and prospero.OrnsteinUhlenbeck(noise["sigma"], noise["tau"])
        if layer["kind"] == "pool":
            spec.layer(f"l{k}", kind_of(layer), noise=noise)
            continue
        spec.layer(
            f"l{k}",
            kind_of(layer),
            activation=layer["activation"],
            tau=header["tau"],
            W=arrays[f"first.l{k}.W"],
            plasticity=prospero.SGD(layer["eta"]),
            bias=arrays[f"first.l{k}.b"],
            bias_plasticity=prospero.SGD(layer["eta_b"]),
            noise=noise,
            feedback=feedback_of(algorithm, layer, arrays.get(f"first.l{k}.B")),
        )
    return spec


@pytest.mark.parametrize("file", LAYERS, ids=lambda file: file.stem)
def test_layers_follow_the_published_code(make, file):
    header, arrays = read(file)
    shown = header["which"]
    inputs = {"input": arrays["X"][shown], f"l{len(header['layers'])}": arrays["Y"][shown]}
    inputs |= {name: w for name, w in arrays.items() if name.endswith(".w")}
    # What a pool reports of the noise below it is no variable of ours.
    seen = {name: at for name, at in header["at"].items() if not name.endswith("xi_total")}
    with make(layered(header, arrays)).drive(outputs=list(seen)) as drive:
        run = drive.run(inputs)
    for name, at in seen.items():
        assert worst(run[name][at], arrays[name]) < 1e-9, name


def circuit(header, arrays):
    dt, sizes = header["dt"], header["sizes"]
    rate = prospero.SGD.per_ms
    pal = header["feedback"] == "aligned"
    learn_W = rate
    if "change" in header["low_pass"]:
        learn_W = lambda eta, dt: prospero.LowPass.per_ms(eta, dt, mix=dt / header["tau_low"])  # noqa: E731
    ways = {"random": prospero.Random, "transpose": lambda B: prospero.Transpose()}
    spec = microcircuit.Spec(
        dt,
        feedback=prospero.Aligned(None, 1.0) if pal else ways[header["feedback"]](None),
        start="given",
        conductances=microcircuit.Conductances(**header["conductances"]),
        precision="float64",
    ).input("l0", sizes[0])
    for k in range(1, len(sizes)):
        first = {name: arrays.get(f"first.l{k}.{name}") for name in ("u", "W", "V", "C", "B")}
        given = {"W": first["W"], "learn_W": learn_W(header["eta_fw"][k - 1], dt)}
        if k < len(sizes) - 1:
            given |= {
                "V": first["V"],
                "C": first["C"],
                "learn_V": rate(header["eta_IP"][k - 1], dt),
                "learn_C": rate(header["eta_PI"][k - 1], dt),
                "interneuron_potential": arrays[f"first.l{k}_inter.u"],
                "feedback": ways[header["feedback"]](first["B"]) if not pal else None,
            }
            if header["feedback"] == "transpose":
                del given["C"], given["learn_C"]
        if pal and k < len(sizes) - 1:
            decay = header["alpha"][k - 1]
            learn_B = rate(header["eta_bw"][k - 1], dt, weight_decay=decay)
            given["feedback"] = prospero.Aligned(learn_B, header["tau_hp"], first["B"])
            given["noise"] = prospero.OrnsteinUhlenbeck(header["sigma"][k - 1], header["tau_xi"])
        spec.layer(f"l{k}", sizes[k], activation=header["phi"], potential=first["u"], **given)
    return spec


@pytest.mark.parametrize("file", CIRCUITS, ids=lambda file: file.stem)
def test_circuits_follow_the_published_code(make, file):
    header, arrays = read(file)
    last = f"l{len(header['sizes']) - 1}"
    inputs = {
        name: [row if present else None for row, present in zip(values, arrays[given])]
        for name, values, given in [
            (f"{last}.target", arrays[f"{last}.target"], f"{last}.teach"),
            *((name, arrays[name], f"{name}_given") for name in arrays if name.endswith(".w")),
        ]
    }
    inputs["l0"] = arrays["l0.r"]
    written = {"l0.r", "learn", f"{last}.target", f"{last}.teach"}
    seen = [
        name
        for name in arrays
        if name not in written and not name.startswith("first.") and ".w" not in name
    ]
    network = make(circuit(header, arrays))
    rates = [name.removesuffix(".eta") for name in network.schema() if name.endswith(".eta")]
    learn = arrays["learn"]
    cuts = [0, *(np.flatnonzero(np.any(np.diff(learn, axis=0), axis=1)) + 1), len(learn)]
    parts = []
    with network.drive(outputs=seen) as drive:
        for start, stop in zip(cuts, cuts[1:]):
            switch = dict(zip("WVCB", learn[start][[0, 1, 1, 2]]))
            network.set({f"{rate}.plastic": switch[rate[-1]] for rate in rates})
            parts.append(drive.run({name: rows[start:stop] for name, rows in inputs.items()}))
    for name in seen:
        values = np.concatenate([part[name] for part in parts])
        if values.ndim > arrays[name].ndim:
            values = values[:, 0]
        at = header["weight_steps"] if name[-1] in "WVBCm" else slice(None)
        assert worst(values[at], arrays[name]) < 1e-9, name
