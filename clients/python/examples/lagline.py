#!/usr/bin/env python3
"""LagLine: two neurons in a line learn another line's weights and time constants.

    python clients/python/examples/lagline.py --target 127.0.0.1:50051

The experiment of Fig. 5 of the paper of Generalized Latent Equilibrium (Ellenberger, Haider et
al., Nature Communications 17:66, 2026). A teacher and a student of the same shape, 1-1-1 with
softplus neurons, hear the same smoothed square wave in 100 phases. The student sees only what
the teacher says and learns, online and locally, the teacher's two weights and two membrane
time constants. With instantaneous errors in the place of prospective ones (`--control`) it
never does: that is plain backpropagation on the momentary state.

Both networks live on the server. The teacher does not learn, so it can run a chunk ahead; what
it says in a step is the student's target in that step.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import prospero
from prospero import gle

DT_MS = 0.01
TAU_R_MS = 0.1
TAU_MIN_MS = 10 * DT_MS
BATCH = 100
LENGTH = 405_000  # steps of the published run
SETTLE = 5_000  # steps before learning begins; the first half with the teacher's time constants
CHUNK = 2_500
LEARNING = prospero.Adam(1e-4)

TEACHER = {"tau_0": 1.0, "tau_1": 2.0, "W_0": 1.0, "W_1": 2.0}
# First parameters of the student and phases of the trials, of the published runs, by seed.
SETUP = Path(__file__).parents[3] / "tests" / "golden" / "lag_setup.json"
NAMES = {
    "tau_0": "hidden.tau_m",
    "tau_1": "output.tau_m",
    "W_0": "input_to_hidden.W",
    "W_1": "hidden_to_output.W",
}


def line(
    tau_m: tuple[float, float],
    weights: tuple[float, float],
    error: str = "prospective",
    plasticity: prospero.Plasticity | None = None,
) -> gle.Spec:
    return gle.chain(
        [1, 1, 1],
        dt_ms=DT_MS,
        tau_m=list(tau_m),
        tau_r=TAU_R_MS,
        tau_min=TAU_MIN_MS,
        activation=["softplus", "softplus"],
        gamma=1.0,
        beta=1e-2,
        bias=False,
        error=error,
        weights=[[[weights[0]]], [[weights[1]]]],
        optimizer=plasticity,
        learn_tau=plasticity,
        precision="float64",
        batch=BATCH,
    )


class Wave:
    """Levels of 200 steps, 1 and -1 in turns, smoothed by a Gaussian of 5 steps; each trial
    hears it later by a number of steps of its own."""

    def __init__(self, shifts: list[int]) -> None:
        x = np.ones(LENGTH)
        starts = np.floor(np.linspace(0, LENGTH, 1013)).astype(int)
        for start, end in zip(starts[:-1], starts[1:]):
            x[start + 200 : end] = -1.0
        offsets = np.arange(-20, 21)
        kernel = np.exp(-(offsets**2) / (2 * 5.0**2))
        self._x = np.convolve(np.pad(x, 20, mode="wrap"), kernel / kernel.sum(), mode="valid")
        self._shifts = np.array(shifts)

    def __call__(self, start: int, stop: int) -> np.ndarray:
        """[steps, BATCH, 1]"""
        steps = np.arange(start, stop)[:, None] - self._shifts
        return self._x[steps % LENGTH][:, :, None]


@dataclass
class Course:
    steps: np.ndarray  # [chunks]
    parameters: dict[str, np.ndarray]  # [chunks]
    losses: np.ndarray  # [chunks], mean over the chunk

    def errors(self, since: int) -> dict[str, float]:
        """Greatest relative distance from the teacher since a step, and at its end."""
        return {
            name: float(np.max(np.abs(values[self.steps >= since] / TEACHER[name] - 1)))
            for name, values in self.parameters.items()
        }


def learn(client: prospero.Client, seed: int, steps: int, error: str) -> Course:
    """Teaches a student for so many steps."""
    setup = json.loads(SETUP.read_text())["lagline"][seed]
    (tau_0, tau_1), (W_0, W_1) = setup["tau_m"], setup["W"]
    teacher = client.create_network(
        line((TEACHER["tau_0"], TEACHER["tau_1"]), (TEACHER["W_0"], TEACHER["W_1"])),
        learning=False,
    )
    student = client.create_network(
        line((TEACHER["tau_0"], TEACHER["tau_1"]), (W_0, W_1), error, LEARNING), learning=False
    )
    wave = Wave(setup["shifts"])
    ends, losses, course = [], [], {name: [] for name in NAMES}
    try:
        with (
            teacher.drive(outputs=["output.y"]) as says,
            student.drive(outputs=list(NAMES.values())) as hears,
        ):
            for start in range(0, steps, CHUNK):
                if start == SETTLE // 2:
                    student.set({"hidden.tau_m": tau_0, "output.tau_m": tau_1})
                if start == SETTLE:
                    student.update(learning=True)
                x = wave(start, min(start + CHUNK, steps))
                target = says.run({"input": x})["output.y"]
                run = hears.run({"input": x, "output": target}, output_every=len(x))
                ends.append(run.cursor.step)
                losses.append(2 * float(np.nanmean(run.loss)))  # as published: no 1/2
                for name, variable in NAMES.items():
                    course[name].append(run[variable].item())
                if sys.stderr.isatty():
                    print(
                        f"\r{run.cursor.step:7d} steps  loss {losses[-1]:.2e}",
                        end="",
                        file=sys.stderr,
                    )
    finally:
        teacher.delete()
        student.delete()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    parameters = {name: np.array(values) for name, values in course.items()}
    return Course(np.array(ends), parameters, np.array(losses))


def draw(course: Course, file: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 1, figsize=(8, 7), sharex=True, layout="constrained")
    for name, values in course.parameters.items():
        (curve,) = axes[0].plot(course.steps, values, label=f"student {name}")
        axes[0].axhline(TEACHER[name], color=curve.get_color(), ls=":", lw=1)
    axes[0].set(ylabel="weight, time constant [ms]", title="LagLine (dotted: the teacher)")
    axes[0].legend(ncols=2)
    axes[1].semilogy(course.steps, course.losses)
    axes[1].set(xlabel="step", ylabel="loss")
    figure.savefig(file, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description="Two neurons learn another line's parameters.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--seed", type=int, choices=[0, 1, 2], default=0)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--control", action="store_true", help="instantaneous errors")
    parser.add_argument("--plot", default="lagline.png", help="file of the picture; '' for none")
    arguments = parser.parse_args()
    error = "instantaneous" if arguments.control else "prospective"
    with prospero.Client(arguments.target) as client:
        client.wait_ready()
        course = learn(client, arguments.seed, arguments.steps, error)
    last = course.steps[-1]
    loss = float(course.losses[course.steps > last - 5_000].mean())
    errors = course.errors(last)
    for name, values in course.parameters.items():
        print(
            f"{name:6s} teacher {TEACHER[name]:.6f}  student {values[-1]:.6f}  "
            f"relative error {errors[name]:.1e}"
        )
    print(f"loss, mean of the last 5,000 steps: {loss:.2e}")
    if arguments.plot:
        draw(course, arguments.plot)
        print(f"picture: {arguments.plot}")
    if arguments.steps < 100_000:
        return 0
    learnt = max(errors.values()) < 2e-3 and loss < 1e-9
    if arguments.control:
        print("as expected, the control has not learnt" if loss > 1e-2 else "the control learnt?")
        return 0 if loss > 1e-2 else 1
    print("the student has reached the teacher" if learnt else "the student is not there yet")
    return 0 if learnt else 1


if __name__ == "__main__":
    sys.exit(main())
