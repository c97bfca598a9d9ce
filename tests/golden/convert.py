#!/usr/bin/env python3
"""Turns reference traces of the published GLE code (JSON) into the compact files of this folder.

    convert.py TRACE.json... FOLDER

A `.golden` file is one line of JSON, then raw numbers: float64, little-endian, row-major. The line
says what the network is and lists the arrays in the order in which their numbers follow, each with
name and shape. Populations are p0 (the input) to pK, and a trace has the name of our variable:

    p1.u  p1.v  p1.r  p1.r_prime  p1.e_bottom  p1.e  p1.inst_e  p1.u_ahead  p1.b  p1.tau_m  pK.y
    p0_to_p1.W                                  [step, ...]: after the step, its learning and bounds
    p0.r  pK.target  pK.teach  pK.beta          [step, ...]: written before the step
    first.p0_to_p1.W  first.p1.b ...            first values

`e_bottom` is of the population that receives it. The target of a cross-entropy trace is one-hot,
and where there is none `teach` is 0. Gradients are left out: the network has no variable for them.
"""
import array
import json
import pathlib
import sys

STATES = {"u": "u", "v": "v", "r": "r", "r_prime": "r_prime", "e": "prosp_v", "inst_e": "inst_e",
          "u_ahead": "prosp_u"}
LAYER = ("phi", "gamma", "prospective_errors", "learn_tau")
HEADER = ("name", "note", "sizes", "dt", "steps", "loss", "bias", "optimizer", "tau_clamp_min")


def flatten(values):
    if isinstance(values, list):
        for value in values:
            yield from flatten(value)
    else:
        yield float(values)


def shape_of(values):
    shape = []
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0]
    return shape


def targets(trace, batch, size):
    """The targets of all steps as numbers, and where there was one."""
    values, teach = [], []
    for target in trace["target"]:
        teach.append(0.0 if target is None else 1.0)
        if target is None:
            values.append([[0.0] * size] * batch)
        elif trace["loss"] == "ce":
            values.append([[float(i == k) for i in range(size)] for k in target])
        else:
            values.append(target)
    return values, teach


def arrays_of(trace):
    """(name, values) of everything in the trace."""
    last = len(trace["sizes"]) - 1
    steps = trace["trace"]
    yield "p0.r", trace["x"]
    target, teach = targets(trace, len(trace["x"][0]), trace["sizes"][-1])
    yield f"p{last}.target", target
    yield f"p{last}.teach", teach
    yield f"p{last}.beta", trace["beta"]
    yield f"p{last}.y", [step["output"] for step in steps]
    for k, layer in enumerate(trace["layers"]):
        p, W = f"p{k + 1}", f"p{k}_to_p{k + 1}.W"
        yield f"first.{W}", layer["W"]
        if layer["b"] is not None:
            yield f"first.{p}.b", layer["b"]
        yield f"first.{p}.tau_m", layer["tau_m"]
        yield f"first.{p}.tau_r", layer["tau_r"]
        for ours, theirs in STATES.items():
            yield f"{p}.{ours}", [step["layers"][k][theirs] for step in steps]
        if k > 0:
            yield f"p{k}.e_bottom", [step["layers"][k]["e_bottom"] for step in steps]
        yield W, [step["layers"][k]["W"] for step in steps]
        for name in ("b", "tau_m"):
            if name in steps[0]["layers"][k]:
                yield f"{p}.{name}", [step["layers"][k][name] for step in steps]


def write(out, header, arrays):
    """Writes one trace, as tests/support/trace.h reads it; `arrays`: (name, values) of each."""
    numbers = array.array("d")
    header["arrays"] = []
    for name, values in arrays:
        header["arrays"].append({"name": name, "shape": shape_of(values)})
        numbers.extend(flatten(values))
    if sys.byteorder == "big":
        numbers.byteswap()
    out.write(json.dumps(header).encode() + b"\n" + numbers.tobytes())


def convert(source, folder):
    trace = json.loads(source.read_text())
    header = {key: trace[key] for key in HEADER}
    header["batch"] = len(trace["x"][0])
    header["layers"] = [{key: layer[key] for key in LAYER} for layer in trace["layers"]]
    with open(folder / (source.stem + ".golden"), "wb") as out:
        write(out, header, arrays_of(trace))


if __name__ == "__main__":
    for name in sys.argv[1:-1]:
        convert(pathlib.Path(name), pathlib.Path(sys.argv[-1]))
