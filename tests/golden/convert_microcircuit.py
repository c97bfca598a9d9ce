#!/usr/bin/env python3
"""Turns reference traces of the published microcircuit code (JSON) into files of this folder.

    convert_microcircuit.py TRACE.json... FOLDER

writes FOLDER/microcircuit_NAME.golden for each pal_NAME.json, as tests/support/trace.h says: several
traces in one file where the JSON holds several. The line of JSON says what the network is in the
words of engine/models/microcircuit/microcircuit.h; layers are l0 (the input) to lL. Arrays:

    first.l1.u  first.l1_inter.u  first.l1.W  first.l1.V  first.l1.B  first.l1.C
    l0.r  lL.target  lL.teach  l1.w  l1.w_given    [step, ...]: written before the step
    learn                                          [step, 3]: whether W, the lateral V and C, and B learn
    l1.u  l1.u_ahead  l1_inter.u ...               [step, ...]: after the step
    l1.W  l1.W.m  l1.V  l1.B  l1.C                 [k, ...]: after step weight_steps[k]

A given w is multiplied with sigma and with nothing else; where a noise mode scales it, it holds that
factor already. W.m is the low-pass of the gradient: the reference keeps that of the change.
"""
import json
import pathlib
import sys

from convert import write

PHI = {"linear": "linear", "relu": "relu", "soft_relu": "softplus", "logistic": "sigmoid",
       "tanh": "tanh", "hard_sigmoid": "hard_logistic"}
FEEDBACK = {"FA": "random", "BP": "transpose", "PAL": "aligned"}
SCALE = {"const": "constant", "uP": "potential", "uP_breve": "prospective", "vapi": "apical"}
CONDUCTANCES = {"leak": "gl", "basal": "gbas", "apical": "gapi", "dendrite": "gden",
                "interneuron": "gnI", "target": "gntgt"}
SOMA = {"u": "uP", "u_ahead": "uP_breve", "r": "rP_breve", "basal": "vbas"}
INTER = {"u": "uI", "u_ahead": "uI_breve", "r": "rI_breve", "dendrite": "vden"}
WEIGHTS = {"W": "WPP", "V": "WIP", "B": "BPP", "C": "BPI"}
WEIGHT_EVERY = 10


def header_of(trace):
    p = trace["params"]
    aligned = trace["model"] == "PAL"
    header = {key: p[key] for key in ("dt", "eta_fw", "eta_bw", "eta_IP", "eta_PI")}
    header.update(
        name=trace["name"], sizes=p["layers"], phi=PHI[p["activation"]], steps=trace["steps"],
        feedback=FEEDBACK[trace["model"]],
        conductances={ours: p[theirs] for ours, theirs in CONDUCTANCES.items()},
        prospectivity=1.0 if p["taur"] is None else p["taur"],
        compares_potentials=not p["dWPP_use_activation"],
        tau_low=p["tauLO"],
        low_pass=[kind for kind, on in (("change", aligned and p["dWPP_low_pass"]),
                                        ("presynaptic", p["dWPP_r_low_pass"]),
                                        ("postsynaptic", p["dWPP_post_low_pass"]),
                                        ("dendrite", p["inter_low_pass"])) if on])
    if aligned:
        header.update(
            decay="gated" if p["gate_regularizer"] else
            "slopes" if p["varphi_regularizer"] else "plain",
            noise_scale=SCALE[p["noise_mode"]], without_high_pass=not p["pyr_hi_pass"],
            noise="held" if p["noise_type"] == "hold_white_noise" else "ou",
            hold=round(p["dtxi"] / p["dt"]), sigma=p["noise_scale"], alpha=p["alpha"],
            tau_xi=p["tauxi"], tau_hp=p["tauHP"])
    steps = trace["steps"]
    header["weight_steps"] = [n for n in range(steps)
                              if (n + 1) % WEIGHT_EVERY == 0 or n + 1 == steps]
    return header


def inputs_of(trace):
    """(name, values) of what is written before each step."""
    sizes, given = trace["params"]["layers"], trace["input"]
    last = len(sizes) - 1
    yield "l0.r", given["r0"]
    yield f"l{last}.target", [[0.0] * sizes[-1] if t is None else t for t in given["u_tgt"]]
    yield f"l{last}.teach", [float(t is not None) for t in given["u_tgt"]]
    yield "learn", given["learn"]
    if trace["model"] != "PAL":
        return
    for k in range(1, last):
        drawn = [w[k - 1] if w else None for w in given["draws"]]
        yield f"l{k}.w", [[0.0] * sizes[k] if w is None else w for w in drawn]
        yield f"l{k}.w_given", [float(w is not None) for w in drawn]


def states_of(trace, header):
    """(name, values) of what there is after each step."""
    recorded, last = trace["trace"], len(header["sizes"]) - 1
    aligned = trace["model"] == "PAL"
    for k in range(1, last + 1):
        for ours, theirs in SOMA.items():
            yield f"l{k}.{ours}", [step[k - 1] for step in recorded[theirs]]
        # The first hidden layer is listened to by nobody.
        if aligned and k > 1 and not header["without_high_pass"]:
            yield f"l{k}.h", [step[k - 1] for step in recorded["rP_breve_HI"]]
        if k == last:
            continue
        for ours, theirs in INTER.items():
            yield f"l{k}_inter.{ours}", [step[k - 1] for step in recorded[theirs]]
        yield f"l{k}.apical", [step[k - 1] for step in recorded["vapi"]]
        if aligned:
            yield f"l{k}.xi", [step[k - 1] for step in recorded["noise"]]


def weights_of(trace, header):
    """(name, values) of the weights after some steps."""
    recorded, last = trace["trace"], len(header["sizes"]) - 1
    for k in range(1, last + 1):
        for ours, theirs in WEIGHTS.items():
            if theirs in recorded and (ours == "W" or k < last):
                yield f"l{k}.{ours}", [recorded[theirs][n][k - 1] for n in header["weight_steps"]]
        rate = header["dt"] * header["eta_fw"][k - 1]
        if "change" in header["low_pass"] and rate > 0:
            changes = [recorded["dWPP_LO"][n][k - 1] for n in header["weight_steps"]]
            yield f"l{k}.W.m", [[[-x / rate for x in row] for row in step] for step in changes]


def first_of(trace):
    """(name, values) of the start."""
    init, last = trace["init"], len(trace["params"]["layers"]) - 1
    for k in range(1, last + 1):
        yield f"first.l{k}.u", init["uP"][k - 1]
        yield f"first.l{k}.W", init["WPP"][k - 1]
        if k == last:
            continue
        yield f"first.l{k}_inter.u", init["uI"][k - 1]
        for ours in "VBC":
            yield f"first.l{k}.{ours}", init[WEIGHTS[ours]][k - 1]


def convert(source, folder):
    document = json.loads(source.read_text())
    with open(folder / (source.stem.replace("pal_", "microcircuit_") + ".golden"), "wb") as out:
        for trace in document.get("traces", [document]):
            header = header_of(trace)
            arrays = [*first_of(trace), *inputs_of(trace), *states_of(trace, header),
                      *weights_of(trace, header)]
            write(out, header, arrays)


if __name__ == "__main__":
    for name in sys.argv[1:-1]:
        convert(pathlib.Path(name), pathlib.Path(sys.argv[-1]))
