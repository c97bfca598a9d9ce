"""The published code's traces, replayed through the public API in FLOAT64.

tests/golden of the repository holds them; convert.py there says how a file is laid out. What a
step returns, and every state, error, weight and time constant after it, must be the same.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from golden import FOLDER, read

import prospero
from prospero import gle

TRACES = sorted(FOLDER.glob("gle_*.golden"))


@dataclass
class Trace:
    header: dict
    arrays: dict

    def spec(self):
        header, optimizer = self.header, self.plasticity()
        spec = gle.Spec(header["dt"], precision="float64", batch=header["batch"])
        spec.population("p0", header["sizes"][0], "input")
        last = len(header["sizes"]) - 1
        for k, (size, layer) in enumerate(zip(header["sizes"][1:], header["layers"]), 1):
            spec.population(
                f"p{k}",
                size,
                "output" if k == last else "hidden",
                activation=layer["phi"],
                tau_m=self.arrays[f"first.p{k}.tau_m"],
                tau_r=self.arrays[f"first.p{k}.tau_r"],
                gamma=layer["gamma"],
                error="prospective" if layer["prospective_errors"] else "instantaneous",
                bias=self.arrays.get(f"first.p{k}.b", False),
                bias_plasticity=optimizer,
                tau_m_plasticity=optimizer if layer["learn_tau"] else None,
                tau_min=header["tau_clamp_min"] or 0.0,
                loss={"mse": "mse", "ce": "cross_entropy"}[header["loss"]],
            )
            W = self.arrays[f"first.p{k - 1}_to_p{k}.W"]
            spec.projection(f"p{k - 1}", f"p{k}", W, plasticity=optimizer)
        return spec

    def plasticity(self):
        given = self.header["optimizer"]
        if given["kind"] == "none":
            return None
        if given["kind"] == "adam":
            return prospero.Adam(
                given["lr"], beta1=given["beta1"], beta2=given["beta2"], epsilon=given["eps"]
            )
        if given["momentum"]:
            return prospero.Momentum(given["lr"], momentum=given["momentum"])
        return prospero.SGD(given["lr"])

    def inputs(self):
        """What is written before each step; no teacher where the trace has none."""
        output = f"p{len(self.header['sizes']) - 1}"
        target, teach = self.arrays[f"{output}.target"], self.arrays[f"{output}.teach"]
        return {
            "p0": self.arrays["p0.r"],
            output: [t if present else None for t, present in zip(target, teach)],
            f"{output}.beta": self.arrays[f"{output}.beta"],
        }

    def expected(self):
        written = {name for name in self.arrays if name.endswith((".target", ".teach", ".beta"))}
        return {
            name: values
            for name, values in self.arrays.items()
            if not name.startswith(("first.", "p0.r")) and name not in written
        }


def test_the_traces_are_there():
    assert len(TRACES) >= 8, f"no golden traces in {FOLDER}"


@pytest.mark.parametrize("file", TRACES, ids=lambda file: file.stem)
def test_a_network_follows_the_published_code_at_every_step(make, file):
    trace = Trace(*read(file))
    expected = trace.expected()
    with make(trace.spec()).drive(outputs=list(expected)) as drive:
        run = drive.run(trace.inputs())
    for name, values in expected.items():
        error = np.abs(run[name] - values) / np.maximum(1, np.abs(values))
        assert error.max() < 1e-9, f"{name} at step {np.unravel_index(error.argmax(), error.shape)}"


def test_a_trace_can_be_replayed_in_a_closed_loop(make):
    trace = Trace(*read(next(file for file in TRACES if "05_beta" in file.stem)))
    inputs = trace.inputs()
    with make(trace.spec()).drive(outputs=["p2.y"]) as drive:
        for step, y in enumerate(trace.arrays["p2.y"]):
            frame = {name: rows[step] for name, rows in inputs.items()}
            assert np.allclose(drive.advance(frame)["p2.y"], y, rtol=1e-9, atol=1e-9)
