#!/usr/bin/env python3
"""Sine waves are summed to a sawtooth by neurons that are far slower than the signal.

    python clients/python/examples/fourier.py --target 127.0.0.1:50051

The experiment of Fig. 2a of Latent Equilibrium (Haider et al., NeurIPS 2021): 50 sines of 10 to 500
Hz drive 30 tanh neurons and one linear one, all with membranes of 10 ms; the target is a sawtooth
of 20 Hz. They learn online for 400 ms of signal, then the teacher goes away for 200 ms. The control
looks not ahead (tau = 0): its membranes are too slow for the signal.

The order of a step is that of the published code of this figure, whose error at the membrane has
the sign reversed (gamma = -1). 25 of the sines are harmonics of the sawtooth, and the best that
they can do is a mean squared error of 0.0079. --length counts steps of 5 microseconds.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from experiments import band, options, pyplot, run, spread, table

import prospero
from prospero import latent_equilibrium

DT_MS = 0.005
WINDOW = 5_000  # steps, 25 ms
FREQUENCIES = 10.0 * np.arange(1, 51)  # [Hz]
SAWTOOTH = 20.0  # [Hz]
HIDDEN = 30
TAU_MS = 10.0
TAU_ERROR_MS = 10 * DT_MS
BETA = 0.1
LEARNING_RATE = 0.25 * DT_MS
# Mean squared error of the published code, seed 1234, by window; then without a teacher.
MEASURED = {1: 0.336, 2: 0.330, 3: 0.277, 4: 0.151, 5: 0.176, 6: 0.091, 7: 0.077, 8: 0.039}
MEASURED |= {9: 0.042, 10: 0.022, 12: 0.0128, 14: 0.0096, 16: 0.0076}
MEASURED_ALONE = 0.0085


@dataclass(frozen=True)
class Case:
    prospective: bool
    seed: int
    steps: int


@dataclass
class Course:
    case: Case
    said: np.ndarray  # [steps]
    errors: np.ndarray  # [windows], mean squared
    alone: float  # mean squared error without a teacher


def signal(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Sines [steps, 50] and the sawtooth [steps, 1], from -1 to 1."""
    time = np.arange(steps)[:, None] * DT_MS * 1e-3  # [s]
    return np.sin(2 * np.pi * FREQUENCIES * time), 2 * (SAWTOOTH * time % 1.0) - 1


def spec(case: Case) -> latent_equilibrium.Spec:
    return latent_equilibrium.chain(
        [len(FREQUENCIES), HIDDEN, 1],
        dt_ms=DT_MS,
        tau=TAU_MS if case.prospective else 0.0,
        tau_m=TAU_MS,
        learning_rate=LEARNING_RATE,
        order="dynamics",
        target_error="potential",
        beta=BETA,
        gamma=-1.0,
        tau_error=TAU_ERROR_MS,
        seed=case.seed,
    )


def learn(client: prospero.Client, case: Case) -> Course:
    x, target = signal(case.steps)
    taught = case.steps * 2 // 3
    network = client.create_network(spec(case))
    try:
        with network.drive(outputs="output.u_ahead") as drive:
            learning = drive.run({"input": x[:taught], "output": target[:taught]}, progress=False)
            alone = drive.run({"input": x[taught:]}, progress=False)
    finally:
        network.delete()
    runs = (learning, alone)
    said = np.concatenate([told["output.u_ahead"].reshape(-1) for told in runs])
    error = (said - target[:, 0]) ** 2
    windows = error[: case.steps // WINDOW * WINDOW].reshape(-1, WINDOW).mean(1)
    return Course(case, said, windows, float(error[taught:].mean()))


def report(courses: list[Course]) -> str:
    prospective = [c for c in courses if c.case.prospective]
    control = [c for c in courses if not c.case.prospective]
    taught = courses[0].case.steps * 2 // 3 // WINDOW
    rows = [
        [
            f"{25 * (window - 1)} to {25 * window} ms",
            *(
                spread([c.errors[window - 1] for c in chosen], 4)
                for chosen in (prospective, control)
            ),
            str(MEASURED[window]),
        ]
        for window in MEASURED
        if window <= taught
    ]
    alone = [spread([c.alone for c in chosen], 4) for chosen in (prospective, control)]
    rows.append(["without a teacher", *alone, str(MEASURED_ALONE)])
    return table(["mean squared error", "prospective", "control", "published code, 1 seed"], rows)


def draw(courses: list[Course], file: str) -> None:
    steps = courses[0].case.steps
    figure, axes = pyplot().subplots(2, 1, figsize=(9, 7), layout="constrained")
    time = np.arange(steps) * DT_MS
    last = time >= time[-1] - 100.0
    axes[0].plot(time[last], signal(steps)[1][last, 0], "k", lw=1, label="sawtooth")
    for prospective, label in ((True, "prospective"), (False, "control")):
        chosen = [c for c in courses if c.case.prospective == prospective]
        axes[0].plot(time[last], chosen[0].said[last], lw=1, label=label)
        windows = 25.0 * np.arange(1, len(chosen[0].errors) + 1)
        band(axes[1], windows, [c.errors for c in chosen], label)
    axes[0].set(xlabel="time [ms]", ylabel="output", title="without a teacher")
    axes[1].axvline(steps * 2 // 3 * DT_MS, color="k", ls=":", lw=1)
    axes[1].set(xlabel="time [ms] (dotted: the teacher leaves)", ylabel="mean squared error")
    axes[1].set_yscale("log")
    for one in axes:
        one.legend(loc="upper right")
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = options(
        "Sine waves are summed to a sawtooth.",
        "fourier",
        3,
        quick=60_000,
        default=120_000,
        full=120_000,
    )
    arguments = parser.parse_args()
    cases = [
        Case(prospective, seed, arguments.length)
        for prospective in (True, False)
        for seed in range(1, arguments.seeds + 1)
    ]
    courses = run(arguments.target, cases, learn, arguments.jobs)
    print(f"over {arguments.seeds} seeds\n")
    print(report(courses))
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    errors = {
        prospective: np.mean([c.alone for c in courses if c.case.prospective == prospective])
        for prospective in (True, False)
    }
    learnt = errors[True] < 0.5 * errors[False]
    if arguments.length >= 120_000:
        learnt = learnt and errors[True] < 0.012
    print("the sawtooth is learnt" if learnt else "the sawtooth is not learnt")
    return 0 if learnt else 1


if __name__ == "__main__":
    sys.exit(main())
