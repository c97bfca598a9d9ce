#!/usr/bin/env python3
"""A dendritic microcircuit learns to tell yin, yang and dots apart, with all synapses plastic.

    python clients/python/examples/yinyang.py --target 127.0.0.1:50051

The experiment of Fig. 4 of Phaseless Alignment Learning (PAL; Max et al., arXiv 2212.10249): 4-30-3
logistic neurons, 6000 samples of 100 steps in an epoch, 400 epochs (--full), with random, fixed
feedback (FA) and with feedback that learns from noise (PAL). Backpropagation (BP) with the same
rates is slow here: the errors come back through W of the output, which is smaller than B.

The published runs used another simulator, whose step has another order: a noise sample is in the
rates two steps later, here four; so B is 0.81 times as long here, in the same direction. That
simulator also keeps the noise on while it validates; here it rests while B does not learn.

Seeds and first weights are the published ones, as NumPy drew them. --length counts epochs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from experiments import band, held, options, pyplot, run, spread, table
from yinyang_data import yinyang

import prospero
from prospero import microcircuit

DT_MS = 0.01
HOLD = 100  # steps of a presentation
TAU_XI_MS = TAU_HP_MS = 0.1
TAU_FF_MS = 100.0
SIGMA, ALPHA = 0.01, 1e-6
ETA_W, ETA_V = (50.0, 0.01), 0.05  # [1/ms]
ETA_B, ETA_C = 0.5, 0.02  # [1/ms], of PAL
DATA_SEED = 9876543
TRAIN, VALIDATION = 6000, 900
SEED = 123456  # the first one; the others follow
TARGETS = np.where(np.eye(3, dtype=bool), 1.0, 0.1)  # of each class, potentials
FIRST = ((0.1, 4, 30), (0.1, 30, 3), (1.0, 3, 30))  # bounds, [pre, post], of W1, W2, B
METHODS = ("BP", "FA", "PAL")
# Validation accuracy and angle of the reference simulator, in the published order, up to 3 seeds.
MEASURED = {
    ("PAL", 0): ("0.346", "109.5"),
    ("FA", 0): ("0.346", "109.5"),
    ("BP", 0): ("0.346", ""),
    ("PAL", 10): ("0.770 - 0.794", ""),
    ("FA", 10): ("0.826 - 0.839", "53.8"),
    ("BP", 10): ("0.789", ""),
    ("PAL", 20): ("0.834 - 0.871", "56.6"),
    ("FA", 20): ("0.842 - 0.857", "54.4"),
    ("PAL", 40): ("0.910 - 0.927", "54"),
    ("FA", 40): ("0.861 - 0.868", "55.8"),
    ("BP", 40): ("0.844", ""),
    ("PAL", 60): ("0.941 - 0.952", "51.8 - 53.8"),
    ("FA", 60): ("0.871 - 0.882", "55.7 - 57.9"),
}


@dataclass(frozen=True)
class Case:
    method: str
    seed: int
    epochs: int
    every: int  # epochs between two validations


@dataclass
class Course:
    case: Case
    epochs: np.ndarray  # [validations]
    accuracies: np.ndarray  # [validations]
    angles: np.ndarray  # [validations], degrees, between B and the transpose of W
    lengths: np.ndarray  # [validations], of B


def circuit(case: Case) -> microcircuit.Spec:
    rate, low_pass = prospero.SGD.per_ms, prospero.LowPass.per_ms
    rng = np.random.RandomState(case.seed)
    W1, W2, B = (rng.uniform(-x, x, (m, n)).T for x, m, n in FIRST)
    pal = case.method == "PAL"
    learn_B = rate(ETA_B, DT_MS, weight_decay=ALPHA)
    return microcircuit.chain(
        [4, 30, 3],
        dt_ms=DT_MS,
        W=[W1, W2],
        learn_W=[low_pass(eta, DT_MS, mix=DT_MS / TAU_FF_MS) for eta in ETA_W],
        learn_V=rate(ETA_V, DT_MS),
        learn_C=rate(ETA_C, DT_MS) if pal else None,
        feedback={
            "BP": prospero.Transpose(),
            "FA": prospero.Random(B),
            "PAL": prospero.Aligned(learn_B, tau_hp=TAU_HP_MS, B=B),
        }[case.method],
        noise=prospero.OrnsteinUhlenbeck(SIGMA, tau=TAU_XI_MS) if pal else None,
        precision="float64",
        seed=case.seed,
    )


def learn(client: prospero.Client, case: Case) -> Course:
    points, labels = yinyang(TRAIN, DATA_SEED)
    rng = np.random.default_rng(case.seed)
    network = client.create_network(circuit(case))
    course: list[tuple[float, ...]] = []
    try:
        with network.drive(outputs="output.u_ahead") as drive:
            for epoch in range(case.epochs + 1):
                if epoch:
                    order = rng.permutation(TRAIN)
                    x, target = held(points[order], HOLD), held(TARGETS[labels[order]], HOLD)
                    given = {"input": x, "output": target}
                    drive.run(given, output_every=len(x), progress=False)
                if epoch % case.every == 0 or epoch == case.epochs:
                    B = network.read("hidden.B")["hidden.B"]
                    W = network.read("output.W")["output.W"]
                    row = (epoch, validate(network, drive), angle(B, W.T), np.linalg.norm(B))
                    course.append(row)
    finally:
        network.delete()
    return Course(case, *np.array(course).T)


def angle(B: np.ndarray, W: np.ndarray) -> float:
    """[degrees]"""
    cosine = np.sum(B * W) / (np.linalg.norm(B) * np.linalg.norm(W))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def validate(network: prospero.Network, drive: prospero.Drive) -> float:
    """The share of validation samples told right, with no learning and no teacher: the class
    is the greatest mean output over the last 80 steps, seen every 20."""
    points, labels = yinyang(VALIDATION, DATA_SEED + 1)
    network.update(learning=False)
    run = drive.run({"input": held(points, HOLD)}, output_every=20, progress=False)
    network.update(learning=True)
    means = run["output.u_ahead"].reshape(VALIDATION, 5, 3)[:, 1:].mean(1)
    return float(np.mean(means.argmax(1) == labels))


def methods(courses: list[Course]) -> list[str]:
    return [m for m in METHODS if any(c.case.method == m for c in courses)]


def report(courses: list[Course]) -> str:
    rows = []
    for i, epoch in enumerate(courses[0].epochs.astype(int).tolist()):
        for method in methods(courses):
            chosen = [c for c in courses if c.case.method == method]
            accuracy, turn = MEASURED.get((method, epoch), ("", ""))
            rows.append(
                [
                    str(epoch),
                    method,
                    spread([c.accuracies[i] for c in chosen], 3),
                    accuracy,
                    spread([c.angles[i] for c in chosen]),
                    turn,
                    spread([c.lengths[i] for c in chosen], 2),
                ]
            )
    head = ["epoch", "", "accuracy", "reference", "angle of B and W^T", "reference", "length of B"]
    return table(head, rows)


def draw(courses: list[Course], file: str) -> None:
    figure, axes = pyplot().subplots(1, 2, figsize=(10, 4), layout="constrained")
    for method in methods(courses):
        chosen = [c for c in courses if c.case.method == method]
        band(axes[0], chosen[0].epochs, [c.accuracies for c in chosen], method)
        band(axes[1], chosen[0].epochs, [c.angles for c in chosen], method)
    axes[0].set(xlabel="epoch", ylabel="validation accuracy")
    axes[1].set(xlabel="epoch", ylabel="angle of B and W^T [degrees]")
    axes[0].legend()
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = options(
        "A microcircuit tells yin, yang and dots apart.",
        "yinyang",
        3,
        quick=2,
        default=60,
        full=400,
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    arguments = parser.parse_args()
    epochs = arguments.length
    cases = [
        Case(method, seed, epochs, max(1, epochs // 6))
        for seed in range(SEED, SEED + arguments.seeds)
        for method in arguments.methods
    ]
    courses = run(arguments.target, cases, learn, arguments.jobs)
    print(f"validation accuracy over {arguments.seeds} seeds\n")
    print(report(courses))
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    end = {
        method: np.mean([c.accuracies[-1] for c in courses if c.case.method == method])
        for method in arguments.methods
    }
    if epochs >= 40 and {"PAL", "FA"} <= set(end):
        better = end["PAL"] > end["FA"] + 0.02
        print("PAL beats random feedback" if better else "PAL does not beat random feedback")
        return 0 if better else 1
    return 0 if min(end.values()) > 0.45 else 1


if __name__ == "__main__":
    sys.exit(main())
