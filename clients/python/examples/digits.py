#!/usr/bin/env python3
"""A deep, narrow network learns handwritten digits with four ways of sending errors back.

    pip install "clients/python[examples]"
    python clients/python/examples/digits.py --target 127.0.0.1:50051

The 1797 digits of 8 x 8 pixels that scikit-learn ships (UCI ML hand-written digits), 360 of them
for the test, and layers of Latent Equilibrium neurons of 64-20-10-10-10, each batch of 30 shown for
50 steps (half a membrane's time constant):

    BP    backpropagation, the transpose of the forward weights
    FA    feedback alignment, random and fixed feedback weights (Lillicrap et al. 2016)
    DFA   direct feedback alignment, random and fixed from the output (Nokland 2016)
    PAL   Phaseless Alignment Learning (Max et al., arXiv 2212.10249): the feedback weights learn
          from noise while everything else runs and learns

All start from the same forward weights, with the same learning rates, and PAL from the same
feedback weights as FA. --length counts epochs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from experiments import band, held, options, pyplot, run, spread, table

import prospero
from prospero import latent_equilibrium

DT_MS = 0.1
TAU_MS = 10.0
SIZES = [64, 20, 10, 10, 10]
HIDDEN = ["hidden1", "hidden2", "hidden3"]
BATCH, HOLD = 30, 50  # trials, steps of a presentation
TEST = 360
BETA = 0.1
RATES = [0.1, 0.1, 0.1, 0.05]  # per step
RATE_B, ALPHA = 0.5, 5e-4  # per step
TAU_XI_MS = TAU_HP_MS = 10 * DT_MS
SIGMA = 0.1
FIRST_B = prospero.FanIn()
METHODS = ("BP", "FA", "DFA", "PAL")


@dataclass(frozen=True)
class Case:
    method: str
    seed: int
    epochs: int


@dataclass
class Course:
    case: Case
    accuracies: np.ndarray  # [epochs + 1], of the test digits
    angles: np.ndarray  # [epochs + 1, layers], degrees, between B and the transpose of W


def digits(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pixels from 0 to 1 and classes for learning, then for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, classes = load_digits(return_X_y=True)
    learn_x, test_x, learn_y, test_y = train_test_split(
        pixels / 16, classes, test_size=TEST, random_state=seed, stratify=classes
    )
    return learn_x, learn_y, test_x, test_y


def spec(case: Case) -> latent_equilibrium.Spec:
    pal = case.method == "PAL"
    learn_B = prospero.SGD(RATE_B, weight_decay=ALPHA)
    return latent_equilibrium.chain(
        SIZES,
        dt_ms=DT_MS,
        tau=TAU_MS,
        activation="tanh",
        learning_rate=RATES,
        biases=[0.0] * 4,
        beta=BETA,
        feedback={
            "BP": prospero.Transpose(),
            "FA": prospero.Random(FIRST_B),
            "DFA": prospero.Direct(FIRST_B),
            "PAL": prospero.Aligned(learn_B, tau_hp=TAU_HP_MS, B=FIRST_B),
        }[case.method],
        noise=prospero.OrnsteinUhlenbeck(SIGMA, tau=TAU_XI_MS) if pal else None,
        seed=case.seed,
        batch=BATCH,
    )


def presentations(values: np.ndarray) -> np.ndarray:
    """[samples, n] as [steps, BATCH, n], without what fills no batch."""
    batches = len(values) // BATCH
    return held(values[: batches * BATCH].reshape(batches, BATCH, -1), HOLD)


def learn(client: prospero.Client, case: Case) -> Course:
    learn_x, learn_y, test_x, test_y = digits(case.seed)
    targets = np.eye(10)[learn_y]
    rng = np.random.default_rng(case.seed)
    network = client.create_network(spec(case))
    accuracies, angles = [], []
    try:
        with network.drive(outputs="output.r") as drive:
            for epoch in range(case.epochs + 1):
                if epoch:
                    order = rng.permutation(len(learn_x))
                    x, target = presentations(learn_x[order]), presentations(targets[order])
                    given = {"input": x, "output": target}
                    drive.run(given, output_every=len(x), progress=False)
                accuracies.append(test(network, drive, case, test_x, test_y))
                if case.method in ("FA", "PAL"):
                    sample = network.read("*.alignment_angle")
                    angles.append([float(value) for value in sample.values.values()])
    finally:
        network.delete()
    return Course(case, np.array(accuracies), np.array(angles))


def test(
    network: prospero.Network, drive: prospero.Drive, case: Case, x: np.ndarray, y: np.ndarray
) -> float:
    """The share of digits told right, without teacher, learning and noise."""
    noise = [f"{name}.sigma" for name in HIDDEN] if case.method == "PAL" else []
    network.update(learning=False, parameters={name: 0.0 for name in noise})
    told = drive.run({"input": presentations(x)}, output_every=HOLD, progress=False)
    network.update(learning=True, parameters={name: SIGMA for name in noise})
    said = told["output.r"].argmax(2).ravel()
    return float(np.mean(said == y[: len(said)]))


def report(courses: list[Course], epochs: int) -> str:
    rows = []
    for epoch in sorted(
        {epoch for epoch in (0, 1, 2, 5, 10, 20, 50, 100) if epoch <= epochs} | {epochs}
    ):
        accuracies = [
            spread([100 * c.accuracies[epoch] for c in courses if c.case.method == method])
            for method in METHODS
        ]
        angles = [
            ", ".join(f"{angle:.0f}" for angle in np.mean(of(courses, method), 0)[epoch])
            for method in ("FA", "PAL")
        ]
        rows.append([str(epoch), *accuracies, *angles])
    return table(["epoch", *(f"{m} [%]" for m in METHODS), "FA angles", "PAL angles"], rows)


def of(courses: list[Course], method: str) -> list[np.ndarray]:
    """Angles [epochs + 1, layers] of each seed."""
    return [c.angles for c in courses if c.case.method == method]


def draw(courses: list[Course], file: str) -> None:
    figure, axes = pyplot().subplots(1, 2, figsize=(11, 4), layout="constrained")
    epochs = np.arange(len(courses[0].accuracies))
    for method in METHODS:
        runs = [100 * c.accuracies for c in courses if c.case.method == method]
        band(axes[0], epochs, runs, method)
    for method, style in (("FA", ":"), ("PAL", "-")):
        for layer in range(len(SIZES) - 2):
            runs = [angles[:, layer] for angles in of(courses, method)]
            band(axes[1], epochs, runs, f"{method}, into hidden{layer + 1}", ls=style)
    axes[0].set(xlabel="epoch", ylabel="test accuracy [%]")
    axes[1].set(xlabel="epoch", ylabel="angle of B and W^T [degrees]")
    for one in axes:
        one.legend()
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = options(
        "A network learns handwritten digits with four ways of sending errors back.",
        "digits",
        3,
        quick=3,
        default=20,
        full=100,
    )
    arguments = parser.parse_args()
    cases = [
        Case(method, seed, arguments.length)
        for seed in range(1, arguments.seeds + 1)
        for method in METHODS
    ]
    courses = run(arguments.target, cases, learn, arguments.jobs)
    print(f"test accuracy and angles in degrees over {arguments.seeds} seeds\n")
    print(report(courses, arguments.length))
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    end = {m: np.mean([c.accuracies[-1] for c in courses if c.case.method == m]) for m in METHODS}
    better = end["PAL"] > end["FA"]
    print("PAL beats random feedback" if better else "PAL does not beat random feedback")
    return 0 if better else 1


if __name__ == "__main__":
    sys.exit(main())
