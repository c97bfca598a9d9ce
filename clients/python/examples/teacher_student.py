#!/usr/bin/env python3
"""A student must flip the sign of a weight: backpropagation and PAL can, feedback alignment cannot.

    python clients/python/examples/teacher_student.py --target 127.0.0.1:50051

The experiment of Fig. 4ab of Phaseless Alignment Learning (PAL; Max et al., arXiv 2212.10249):
dendritic microcircuits of 1-1-1 logistic neurons. The teacher's weights are 2, the student starts
with weights W and a feedback weight B between -1 and 0. What errors come back through a negative B
drives the first weight the wrong way. With random, fixed feedback (FA) it goes on for ever; with
backpropagation (BP) B is always W and turns; with PAL, B learns from noise that W of the output
has become positive, turns after some 300 epochs, and then the student learns.

An epoch is 100 samples of 100 steps. --length counts epochs; the published run (--full) has 5000.
The seeds are the published ones, and so are first weights, samples and their order, as NumPy drew
them; BP and FA, which have no noise, repeat the published runs.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from experiments import band, held, options, pyplot, run, spread, table

import prospero
from prospero import microcircuit

DT_MS = 0.01
SAMPLES, HOLD = 100, 100  # presentations in an epoch, steps of each
SETTLE = 10_000  # steps before learning begins
TAU_XI_MS = TAU_HP_MS = 0.1
TAU_LO_MS = 100.0
SIGMA, ALPHA = 0.01, 1e-6
ETA_W, ETA_V, ETA_C, ETA_B = (2.0, 0.5), 10.0, 0.5, 20.0  # [1/ms]
TEACHER_W = 2.0
CHUNK = 10  # epochs in one run of the drive
METHODS = ("BP", "FA", "PAL")
SEEDS = (123, 456, 789, 111, 222, 1, 3, 5, 7, 9)
# Mean over 5 seeds of the reference simulator: MSE, its standard deviation, W1, W2, B.
MEASURED = {
    ("BP", 1): (0.392, 0.044, -0.52, 0.91, None),
    ("FA", 1): (0.392, 0.043, -0.55, 0.91, None),
    ("PAL", 1): (0.588, 0.064, -0.52, 0.08, -0.318),
    ("BP", 10): (5.4e-3, 0.9e-3, 0.05, 2.52, None),
    ("FA", 10): (1.27e-2, 0.22e-2, -0.66, 2.72, None),
    ("PAL", 10): (1.17e-2, 0.22e-2, -0.59, 2.70, -0.304),
    ("BP", 50): (7.7e-4, 0.7e-4, 1.08, 2.21, None),
    ("FA", 50): (2.04e-2, 0.43e-2, -1.15, 2.90, None),
    ("PAL", 50): (1.58e-2, 0.29e-2, -0.88, 2.81, -0.249),
    ("BP", 100): (1.5e-4, None, 1.55, 2.09, None),
    ("FA", 100): (4.0e-2, 1.3e-2, -1.98, 3.21, None),
    ("PAL", 100): (2.2e-2, 0.55e-2, -1.22, 2.94, -0.188),
    ("BP", 300): (4.5e-7, None, 2.03, 2.00, None),
    ("FA", 300): (0.19, 0.06, -6.3, 4.18, None),
    ("PAL", 300): (4.2e-2, 2.2e-2, -1.93, 3.21, -0.008),
    ("BP", 500): (7.5e-6, None, 2.11, 1.98, None),
    ("FA", 500): (0.27, None, -9.3, 4.30, None),
    ("PAL", 500): (3.5e-2, 2.7e-2, -1.54, 3.08, 0.132),
    ("BP", 1000): (1.1e-5, None, 2.14, 1.97, None),
    ("FA", 1000): (0.33, None, -13.5, 4.23, None),
    ("PAL", 1000): (2.6e-3, 2.5e-3, 0.67, 2.32, 0.281),
    ("BP", 2000): (1.1e-5, None, 2.14, 1.97, None),
    ("FA", 2000): (0.36, None, -17.8, 4.20, None),
    ("PAL", 2000): (2.0e-5, 1.6e-5, 1.85, 2.03, 0.310),
    ("BP", 5000): (1.1e-5, None, 2.14, 1.97, None),
    ("FA", 5000): (0.381, 0.007, -24.5, 4.26, None),
    ("PAL", 5000): (8.0e-6, 6.2e-6, 2.11, 1.98, 0.271),
}


@dataclass(frozen=True)
class Case:
    method: str
    seed: int
    epochs: int


@dataclass
class Course:
    case: Case
    mse: np.ndarray  # [epochs], mean over the presentations of an epoch
    W1: np.ndarray  # [epochs], at the end of an epoch
    W2: np.ndarray
    B: np.ndarray


def teacher() -> microcircuit.Spec:
    return microcircuit.chain([1, 1, 1], dt_ms=DT_MS, W=TEACHER_W, precision="float64")


def student(case: Case) -> microcircuit.Spec:
    rate, low_pass = prospero.SGD.per_ms, prospero.LowPass.per_ms
    W1, W2, _, B = np.random.RandomState(case.seed).uniform(-1, 0, 4)
    learn_B = rate(ETA_B, DT_MS, weight_decay=ALPHA)
    pal = case.method == "PAL"
    return microcircuit.chain(
        [1, 1, 1],
        dt_ms=DT_MS,
        W=[float(W1), float(W2)],
        learn_W=[
            low_pass(eta, DT_MS, mix=DT_MS / TAU_LO_MS) if pal else rate(eta, DT_MS)
            for eta in ETA_W
        ],
        learn_V=rate(ETA_V, DT_MS),
        learn_C=rate(ETA_C, DT_MS) if pal else None,
        feedback={
            "BP": prospero.Transpose(),
            "FA": prospero.Random(float(B)),
            "PAL": prospero.Aligned(learn_B, tau_hp=TAU_HP_MS, B=float(B)),
        }[case.method],
        noise=prospero.OrnsteinUhlenbeck(SIGMA, tau=TAU_XI_MS) if pal else None,
        precision="float64",
        seed=case.seed,
    )


def samples() -> np.ndarray:
    """[samples, 1], the same for all seeds."""
    teacher_seed = np.random.RandomState(SEEDS[0]).randint(100_000, 999_999)
    return np.random.RandomState(teacher_seed).uniform(0, 1, (SAMPLES, 1))


def targets(client: prospero.Client, inputs: np.ndarray) -> np.ndarray:
    """What the teacher says at the end of each sample, [samples, 1]."""
    network = client.create_network(teacher(), learning=False)
    try:
        with network.drive(outputs="output.u_ahead") as drive:
            x = held(np.concatenate([inputs, inputs]), HOLD)
            said = drive.run({"input": x}, output_every=HOLD)["output.u_ahead"]
    finally:
        network.delete()
    return said[len(inputs) :, 0]


def learn(client: prospero.Client, case: Case) -> Course:
    rng, shown = np.random.RandomState(case.seed), np.arange(SAMPLES)
    inputs = samples()
    wished = targets(client, inputs)
    network = client.create_network(student(case), learning=False)
    errors, outputs = [], ["hidden.W", "output.W", "hidden.B"]
    weights: dict[str, list[np.ndarray]] = {name: [] for name in outputs}
    try:
        with network.drive(outputs=["output.u_ahead", *outputs]) as drive:
            drive.run({"input": held(inputs, HOLD)[:SETTLE]}, output_every=SETTLE)
            network.update(learning=True)
            for start in range(0, case.epochs, CHUNK):
                epochs = min(CHUNK, case.epochs - start)
                order = []
                for _ in range(epochs):
                    rng.shuffle(shown)
                    order += shown.tolist()
                x, target = held(inputs[order], HOLD), held(wished[order], HOLD)
                given = {"input": x, "output": target}
                told = drive.run(given, output_every=HOLD, progress=False)
                error = (told["output.u_ahead"][:, 0] - wished[order]) ** 2
                errors.append(error.reshape(epochs, SAMPLES).mean(1))
                for name in outputs:
                    weights[name].append(told[name].reshape(epochs, SAMPLES)[:, -1])
    finally:
        network.delete()
    ends = [np.concatenate(weights[name]) for name in outputs]
    return Course(case, np.concatenate(errors), *ends)


def report(courses: list[Course], epochs: int) -> str:
    rows = []
    for epoch in sorted({epoch for _, epoch in MEASURED if epoch <= epochs} | {epochs}):
        for method in METHODS:
            chosen = [c for c in courses if c.case.method == method]
            mse = np.array([c.mse[epoch - 1] for c in chosen])
            rows.append(
                [
                    str(epoch),
                    method,
                    f"{mse.mean():.2g}" + (f" ± {mse.std(ddof=1):.2g}" if len(mse) > 1 else ""),
                    *(spread([getattr(c, x)[epoch - 1] for c in chosen], 2) for x in ("W1", "W2")),
                    spread([c.B[epoch - 1] for c in chosen], 3),
                    reference(method, epoch),
                ]
            )
    return table(["epoch", "", "MSE", "W1", "W2", "B", "reference: MSE; W1, W2, B"], rows)


def reference(method: str, epoch: int) -> str:
    if (method, epoch) not in MEASURED:
        return ""
    mse, deviation, W1, W2, B = MEASURED[method, epoch]
    text = f"{mse:.2g}" + (f" ± {deviation:.2g}" if deviation is not None else "")
    return f"{text}; {W1}, {W2}" + (f", {B}" if B is not None else "")


def draw(courses: list[Course], file: str) -> None:
    figure, axes = pyplot().subplots(1, 3, figsize=(13, 4), layout="constrained")
    for color, method in zip(("C0", "C1", "C2"), METHODS):
        chosen = [c for c in courses if c.case.method == method]
        epochs = np.arange(1, len(chosen[0].mse) + 1)
        axes[0].loglog(epochs, np.mean([c.mse for c in chosen], 0), label=method, color=color)
        band(axes[1], epochs, [c.W1 for c in chosen], method, color=color)
        if method != "BP":
            band(axes[2], epochs, [c.B for c in chosen], method, color=color)
    axes[0].set(xlabel="epoch", ylabel="mean squared error")
    axes[1].set(xlabel="epoch", ylabel="first weight W1 (the teacher's is 2)", ylim=(-10, 3))
    axes[2].set(xlabel="epoch", ylabel="feedback weight B")
    axes[0].legend()
    axes[2].legend()
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = options(
        "A student must flip the sign of a weight.",
        "teacher_student",
        5,
        quick=50,
        default=500,
        full=5000,
    )
    arguments = parser.parse_args()
    epochs = arguments.length
    cases = [Case(method, seed, epochs) for seed in SEEDS[: arguments.seeds] for method in METHODS]
    courses = run(arguments.target, cases, learn, arguments.jobs)
    print(f"after so many of {epochs} epochs, over {arguments.seeds} seeds\n")
    print(report(courses, epochs))
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    end = {m: np.mean([c.mse[-1] for c in courses if c.case.method == m]) for m in METHODS}
    risen = np.mean([c.B[-1] - c.B[0] for c in courses if c.case.method == "PAL"])
    as_expected = end["BP"] < end["FA"] and (epochs < 50 or risen > 0.02)
    if epochs >= 500:
        as_expected = as_expected and end["PAL"] < end["FA"] / 3
    print("as expected" if as_expected else "not as expected")
    return 0 if as_expected else 1


if __name__ == "__main__":
    sys.exit(main())
