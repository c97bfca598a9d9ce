#!/usr/bin/env python3
"""Feedback weights align with the forward weights while noise runs through the circuit.

    python clients/python/examples/pal_alignment.py --target 127.0.0.1:50051

Phaseless Alignment Learning (PAL; Max et al., arXiv 2212.10249) on dendritic microcircuits with
constant forward weights W, as in its Fig. 3abc: each hidden layer has noise of its own in its
apical dendrites, and its feedback weights B learn from what that noise does to the rates of the
layer above. The angle between B and the transpose of W falls from 90 degrees. Without prospective
coding (prospectivity 0) the membranes swallow noise that is so fast, and it does not fall.

"small" is a linear circuit of 4-8-3 neurons, "Fig3abc" the published one of 5-20-10-20-5 logistic
neurons, of which --length counts the seeds: --quick runs the small one alone. Seeds and first
weights are those of the references, as NumPy drew them; the noise is our own. The angles come from
a subscription, on a stream of its own beside the one that drives the network.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import product

import numpy as np
from experiments import Follower, band, held, options, pyplot, run, spread, table

import prospero
from prospero import microcircuit

DT_MS = 0.01
TAU_XI_MS = TAU_HP_MS = 0.1
SIGMA = 0.05
ETA_B, ETA_C = 50.0, 5.0  # [1/ms]
CONTROLS = 2  # seeds of the control
PUBLISHED = "published, 10 seeds"
MEASURED = "reference simulator"


@dataclass(frozen=True)
class Circuit:
    name: str
    sizes: tuple[int, ...]
    activation: str
    alpha: float
    samples: int
    hold: int  # steps that each sample is shown
    settle: int  # steps before B learns
    steps: int  # steps in which B learns
    seeds: tuple[int, ...]
    points: tuple[int, ...]  # steps of the table's columns
    references: tuple[tuple[str, float, int, tuple[str, ...]], ...]
    """Who, prospectivity, index of B, angles at the points."""


SMALL = Circuit(
    name="small",
    sizes=(4, 8, 3),
    activation="linear",
    alpha=1e-4,
    samples=10,
    hold=1000,
    settle=10_000,
    steps=50_000,
    seeds=tuple(range(1, 21)),
    points=(0, 10_000, 20_000, 30_000, 50_000),
    references=(
        (
            f"{MEASURED}, 20 seeds",
            1.0,
            0,
            ("88.1 ± 10.4", "51.7 ± 8.3", "27.9 ± 5.6", "17.3 ± 3.7", "11.6 ± 3.2"),
        ),
    ),
)
FIG3ABC = Circuit(
    name="Fig3abc",
    sizes=(5, 20, 10, 20, 5),
    activation="sigmoid",
    alpha=1e-5,
    samples=100,
    hold=100,
    settle=10_000,
    steps=1_000_000,
    seeds=(123, 456, 789, 111, 222, 1, 3, 5, 7, 9),
    points=(0, 200_000, 500_000, 1_000_000),
    references=(
        (PUBLISHED, 1.0, 0, ("89.9 ± 4.1", "56.1", "25.7 ± 1.1", "20.7 ± 1.8")),
        (PUBLISHED, 1.0, 1, ("91.5 ± 4.2", "55.7", "16.1 ± 1.8", "10.3 ± 1.1")),
        (PUBLISHED, 1.0, 2, ("90.1 ± 4.9", "47.2", "14.8 ± 3.6", "11.4 ± 4.3")),
        (f"{MEASURED}, 2 seeds", 0.0, 0, ("91.3", "", "", "89.7")),
        (f"{MEASURED}, 2 seeds", 0.0, 1, ("94.6", "", "", "95.0")),
        (f"{MEASURED}, 2 seeds", 0.0, 2, ("90.8", "", "", "89.7")),
    ),
)


@dataclass(frozen=True)
class Case:
    circuit: Circuit
    prospectivity: float
    seed: int


@dataclass
class Course:
    case: Case
    steps: np.ndarray  # [points], since B began to learn
    angles: np.ndarray  # [points, hidden layers], degrees
    scales: np.ndarray  # [points, hidden layers], <B, W^T> / |W|^2


def first_weights(case: Case) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """W of all layers and B of the hidden ones, uniform from -1 to 1."""
    sizes, rng = case.circuit.sizes, np.random.RandomState(case.seed)
    shapes = list(zip(sizes[1:], sizes))
    W = [rng.uniform(-1, 1, shape) for shape in shapes]
    for shape in shapes[1:]:  # V, which the start in self-prediction replaces
        rng.uniform(-1, 1, shape)
    return W, [rng.uniform(-1, 1, shape[::-1]) for shape in shapes[1:]]


def spec(case: Case) -> microcircuit.Spec:
    rate = prospero.SGD.per_ms
    learn_B = rate(ETA_B, DT_MS, weight_decay=case.circuit.alpha)
    W, B = first_weights(case)
    return microcircuit.chain(
        case.circuit.sizes,
        dt_ms=DT_MS,
        activation=case.circuit.activation,
        W=W,
        learn_C=rate(ETA_C, DT_MS),
        feedback=[prospero.Aligned(learn_B, tau_hp=TAU_HP_MS, B=first) for first in B],
        noise=prospero.OrnsteinUhlenbeck(SIGMA, tau=TAU_XI_MS),
        prospectivity=case.prospectivity,
        precision="float64",
        seed=case.seed,
    )


def align(client: prospero.Client, case: Case) -> Course:
    """Lets the circuit settle without noise, then lets B and C learn."""
    circuit = case.circuit
    inputs = np.random.RandomState(123).rand(circuit.samples, circuit.sizes[0])
    rng = np.random.default_rng(case.seed)
    every = min(circuit.steps // 50, circuit.samples * circuit.hold)
    network = client.create_network(spec(case), learning=False)
    try:
        stream = network.subscribe(
            "*.alignment_angle", "*.alignment_scale", every=every, max_pending=1000
        )
        follower = Follower(stream, circuit.settle + circuit.steps)
        with network.drive(outputs="output.r") as drive:
            settling = held(inputs, circuit.hold)[: circuit.settle]
            drive.run({"input": settling}, output_every=circuit.settle, progress=False)
            network.update(learning=True)
            for _ in range(circuit.steps // (circuit.samples * circuit.hold)):
                x = held(rng.permutation(inputs), circuit.hold)
                drive.run({"input": x}, output_every=len(x), progress=False)
        samples = follower.samples()
    finally:
        network.delete()
    return course(case, samples)


def course(case: Case, samples: list[prospero.Sample]) -> Course:
    hidden = case.circuit.sizes[1:-1]
    names = ["hidden"] if len(hidden) == 1 else [f"hidden{i + 1}" for i in range(len(hidden))]
    kept = [sample for sample in samples if sample.step >= case.circuit.settle]

    def values(what: str) -> np.ndarray:
        return np.array([[s[f"{name}.{what}"].item() for name in names] for s in kept])

    steps = np.array([sample.step for sample in kept]) - case.circuit.settle
    return Course(case, steps, values("alignment_angle"), values("alignment_scale"))


def at(courses: list[Course], step: int, layer: int) -> list[float]:
    return [float(c.angles[np.searchsorted(c.steps, step), layer]) for c in courses]


def report(circuit: Circuit, courses: list[Course]) -> str:
    """Angles at some steps, beside the references; the scale at the end."""
    rows = []
    for prospectivity in (1.0, 0.0):
        chosen = [c for c in courses if c.case == Case(circuit, prospectivity, c.case.seed)]
        for layer in range(len(circuit.sizes) - 2) if chosen else ():
            angles = [spread(at(chosen, step, layer)) for step in circuit.points]
            scale = spread([float(c.scales[-1, layer]) for c in chosen], 2)
            who = f"Prospero, {len(chosen)} seeds"
            rows.append([f"B{layer + 1}", f"{prospectivity:g}", who, *angles, scale])
            for name, of, index, given in circuit.references:
                if (of, index) == (prospectivity, layer):
                    rows.append([f"B{layer + 1}", f"{prospectivity:g}", name, *given, ""])
    head = ["", "prospectivity", "who", *(f"step {step}" for step in circuit.points), "scale"]
    return table(head, rows)


def draw(courses: list[Course], file: str) -> None:
    circuits = list({c.case.circuit: None for c in courses})
    figure, grid = pyplot().subplots(
        1,
        len(circuits),
        figsize=(5.5 * len(circuits), 4),
        sharey=True,
        layout="constrained",
        squeeze=False,
    )
    for axes, circuit in zip(grid[0], circuits):
        for prospectivity, layer in product((1.0, 0.0), range(len(circuit.sizes) - 2)):
            chosen = [c for c in courses if c.case == Case(circuit, prospectivity, c.case.seed)]
            label = f"B{layer + 1}" if prospectivity else f"B{layer + 1}, not prospective"
            runs = [c.angles[:, layer] for c in chosen]
            band(axes, chosen[0].steps, runs, label, ls="-" if prospectivity else ":")
        axes.set(xlabel="step", title=f"{circuit.name}: {'-'.join(map(str, circuit.sizes))}")
        axes.legend()
    grid[0][0].set(ylabel="angle of B and W^T [degrees]", ylim=(0, 110))
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = options(
        "Feedback weights align with forward weights.",
        "pal_alignment",
        20,
        quick=0,
        default=2,
        full=10,
    )
    arguments = parser.parse_args()
    cases = [
        Case(circuit, prospectivity, seed)
        for circuit, seeds in ((SMALL, arguments.seeds), (FIG3ABC, arguments.length))
        for prospectivity, most in ((1.0, seeds), (0.0, CONTROLS))
        for seed in circuit.seeds[: min(seeds, most)]
    ]
    courses = run(arguments.target, cases, align, arguments.jobs)
    for circuit in {case.circuit: None for case in cases}:
        print(f"{circuit.name}: angle between B and the transpose of W in degrees\n")
        print(report(circuit, courses), end="\n\n")
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"picture: {arguments.plot}")
    ends = at([c for c in courses if c.case.circuit == SMALL and c.case.prospectivity], 50_000, 0)
    aligned = np.mean(ends) < 15 and max(ends) < 25
    print("B has aligned with the transpose of W" if aligned else "B has not aligned")
    return 0 if aligned else 1


if __name__ == "__main__":
    sys.exit(main())
