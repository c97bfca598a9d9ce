#!/usr/bin/env python3
"""A network learns the inverse model of an arm while the arm moves, and again when it carries more.

    python clients/python/examples/arm.py --target 127.0.0.1:50051

A two-joint arm in MuJoCo (arm_env.py) follows a figure of eight. A weak reflex (PD) pulls it
towards its path and always comes late. A network adds torques of its own, and what the reflex
still had to do is its error: feedback-error learning (Kawato, Furukawa & Suzuki, Biological
Cybernetics 57, 169-185, 1987), through `prospero.gym`, one round trip for the action and one for
the lesson in each control period. Half-way the payload grows from 0.5 to 1.5 kg. Nobody says so.

The network is a GLE chain of 2-60-2. It hears only the angles that the path wants; the velocities
and accelerations that an inverse model needs come from hidden neurons that look further ahead than
they lag (tau_r up to ten times tau_m). Controls: the reflex alone (PD), also with an integral
(PID); the same network with tau_r = tau_m (LE), which hears the angles as they are; and the GLE
network, taught no more from two laps before the change on.

--length counts laps of 2 s before the change, and as many follow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from arm_env import LAP, PERIOD_MS, Arm
from arm_picture import animate, draw
from experiments import options, run, spread, table

import prospero
from prospero import gle, gym

PERIODS = round(LAP / Arm.dt)  # in a lap
STEPS = 4  # of the network, in a control period
LIGHT, HEAVY = 0.5, 1.5  # payload [kg]
NOISE = 0.2  # [N m]
P_GAIN, D_GAIN = np.array([60.0, 30.0]), np.array([6.0, 3.0])  # [N m / rad], [N m s / rad]
I_GAIN = 13.0 * P_GAIN  # [N m / rad / s]; with 16 it rings under the heavier payload
HIDDEN = 60
TAU_M, TAU_R = 20.0, np.geomspace(20.0, 200.0, 10)  # [ms]
TORQUE_UNIT = 10.0  # [N m], what an output of 1 means
LEARNING_RATE = 5e-3
CONTROLLERS = {
    "PD": "reflex alone (PD)",
    "PID": "reflex with an integral (PID)",
    "LE": "network without look-ahead (LE)",
    "taught no more": "network, taught no more (GLE)",
    "GLE": "network (GLE)",
}


@dataclass(frozen=True)
class Case:
    controller: str
    seed: int
    laps: int


@dataclass
class Course:
    case: Case
    angles: np.ndarray  # [periods, 2]
    errors: np.ndarray  # [periods], of the hand [mm]

    def lap(self, first: int, count: int = 1) -> float:
        """Mean error of some laps [mm]."""
        return float(self.errors[first * PERIODS : (first + count) * PERIODS].mean())


class Reflex:
    """Torques that pull the arm to where it should be; they come late."""

    def __init__(self, integral: bool) -> None:
        self._gain, self._sum = I_GAIN * integral, np.zeros(2)

    def __call__(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        miss = observation["wished_angle"] - observation["angle"]
        self._sum += Arm.dt * miss
        drift = observation["wished_velocity"] - observation["velocity"]
        return P_GAIN * miss + D_GAIN * drift + self._gain * self._sum


def spec(case: Case) -> gle.Spec:
    ahead = np.full(HIDDEN, TAU_M) if case.controller == "LE" else np.resize(TAU_R, HIDDEN)
    return gle.chain(
        [2, HIDDEN, 2],
        dt_ms=PERIOD_MS / STEPS,
        tau_m=[TAU_M, 5.0],
        tau_r=[ahead, 5.0],
        learning_rate=LEARNING_RATE,
        seed=case.seed,
    )


def track(loop: gymnasium.Env[Any, Any], arm: Arm, case: Case, network: Any) -> Course:
    """Follows the path, with the payload changed half-way."""
    reflex, half = Reflex(case.controller == "PID"), case.laps * PERIODS
    angles, errors = np.empty((2 * half, 2)), np.empty(2 * half)
    arm.load(LIGHT)
    observation, _ = loop.reset(seed=case.seed)
    for period in range(2 * half):
        if period == half:
            arm.load(HEAVY)
        if period == half - 2 * PERIODS and case.controller == "taught no more":
            network.update(learning=False)
        observation, _, _, _, info = loop.step(reflex(observation))
        angles[period], errors[period] = arm.angles, 1e3 * info["error"]
    return Course(case, angles, errors)


def follow(client: prospero.Client, case: Case) -> Course:
    arm = Arm(NOISE)
    if case.controller in ("PD", "PID"):
        return track(arm, arm, case, None)
    network = client.create_network(spec(case), labels={"app": "arm"})
    try:
        with gym.Actor(
            network,
            arm.observation_space,
            arm.action_space,
            period_ms=PERIOD_MS,
            inputs={"wished_angle": "input"},
            action_scale=TORQUE_UNIT,
        ) as actor:
            return track(gym.FeedbackErrorLearning(arm, actor), arm, case, network)
    finally:
        network.delete()


def report(courses: list[Course]) -> str:
    laps = courses[0].case.laps
    head = ["error of the hand [mm]", "first lap", "learned", "first lap with 1.5 kg", "recovered"]
    rows = []
    for controller, label in CONTROLLERS.items():
        chosen = [c for c in courses if c.case.controller == controller]
        times = (0, 1), (laps - 2, 2), (laps, 1), (2 * laps - 2, 2)
        rows.append([label, *(spread([c.lap(*when) for c in chosen]) for when in times)])
    return table(head, rows)


def recovers(courses: list[Course]) -> bool:
    """Whether each network of GLE neurons halves the reflex's error at the least, and does so again
    after the change, when that has multiplied it."""
    alone = next(c for c in courses if c.case.controller == "PD")
    laps = alone.case.laps
    return all(
        course.lap(laps - 1) < 0.5 * alone.lap(laps - 1)
        and course.lap(2 * laps - 1) < course.lap(laps)
        and course.lap(2 * laps - 1) < 0.5 * alone.lap(2 * laps - 1)
        for course in courses
        if course.case.controller == "GLE"
    )


def main() -> int:
    parser = options("An arm's inverse model.", "arm", 5, quick=4, default=20, full=60)
    parser.add_argument("--video", default="", help="file of an animated GIF; '' for none")
    arguments = parser.parse_args()
    if arguments.length < 3:
        parser.error("--length must be at least 3 laps")
    cases = [
        Case(controller, seed, arguments.length)
        for controller in CONTROLLERS
        for seed in range(1, arguments.seeds + 1)
    ]
    courses = run(arguments.target, cases, follow, arguments.jobs)
    print(f"{arguments.length} laps of {LAP:g} s, then as many; {arguments.seeds} seeds\n")
    print(report(courses))
    if arguments.plot:
        draw(courses, CONTROLLERS, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    if arguments.video:
        animate(courses, arguments.video)
        print(f"video: {arguments.video}")
    learnt = recovers(courses)
    print("every network has learned and recovered" if learnt else "not every network recovered")
    return 0 if learnt else 1


if __name__ == "__main__":
    sys.exit(main())
