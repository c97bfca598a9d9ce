#!/usr/bin/env python3
"""A network learns to balance a pole on a cart, from its falls, and again when the motor is weaker.

    python clients/python/examples/pendulum.py --target 127.0.0.1:50051

Gymnasium's InvertedPendulum-v5 (MuJoCo), with a force that shakes the cart. A designer has said
how the pole should accelerate in each state, so that it stands and the cart comes back, but the
reflex that shall bring this about has a third of its strength, and the pole falls within two
seconds. A network of 4-40-1 hears the state and adds its force. What the pole's acceleration
lacked, divided by what a force should do to it, is the network's error, known one period later:
feedback-error learning with an inverse reference model (Gomi & Kawato, Neural Networks 6,
933-946, 1993), through `prospero.gym`. Half-way the motor loses 70 % of its force. Nobody says so.

Controls: the reflex alone; a reflex of full strength, which needs no network while the motor is
as the designer knew it; the network, taught no more from the change on.

--length counts episodes of at most 10 s before the change, and as many follow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from experiments import band, options, pyplot, run, spread, table

import prospero
from prospero import gle, gym

PERIOD_MS = 40.0  # control period of the environment
LIMIT = 250  # periods of an episode at most, 10 s
STEPS = 4  # of the network, in a control period
SHAKE = 0.2  # standard deviation of the disturbing force, in units of the action
FULL, WEAK = 100.0, 30.0  # force of the motor [N] at an action of 1
EFFECT = -19.0  # of an action of 1 on the pole, with the full motor [rad / s^2]
# What the pole should do: stiffness, damping; lean [rad] for a metre, and for a metre per second.
STIFFNESS, DAMPING, LEAN, LEAN_SPEED = 85.0, 20.0, 0.165, 0.19
STRENGTH = 0.3  # of the reflex
SCALES = [0.5, 0.1, 1.0, 1.0]  # of cart [m], pole [rad] and their velocities
LEARNING_RATE = 1e-3
CONTROLLERS = {
    "weak": "weak reflex alone",
    "full": "reflex of full strength alone",
    "taught no more": "network, taught no more after the change",
    "network": "network",
}


@dataclass(frozen=True)
class Case:
    controller: str
    seed: int
    episodes: int


@dataclass
class Course:
    case: Case
    held: np.ndarray  # [episodes], until the pole fell [s]


def wish(state: np.ndarray) -> float:
    """The acceleration that the pole should have [rad / s^2]."""
    cart, pole, cart_dot, pole_dot = state
    lean = -LEAN * cart - LEAN_SPEED * cart_dot
    return float(STIFFNESS * (lean - pole) - DAMPING * pole_dot)


def lack(before: np.ndarray, after: np.ndarray) -> float:
    """The action by which the last one was too small, had the motor its full force."""
    acceleration = (after[3] - before[3]) / (1e-3 * PERIOD_MS)
    return (wish(before) - acceleration) / EFFECT


def spec(case: Case) -> gle.Spec:
    # tau_r is left out: tau_r = tau_m, neurons that answer without a lag.
    return gle.chain(
        [4, 40, 1],
        dt_ms=PERIOD_MS / STEPS,
        tau_m=20.0,
        learning_rate=LEARNING_RATE,
        seed=case.seed,
    )


def balance(
    env: gymnasium.Env[Any, Any], strength: float, actor: gym.Actor | None, shake: Any
) -> float:
    """One episode. Returns how long the pole stood [s]."""
    state, _ = env.reset(seed=int(shake.integers(2**31)))
    if actor is not None:
        actor.reset()
    periods, fallen = 0, False
    while not fallen and periods < LIMIT:
        share = np.zeros(1) if actor is None else actor.act(state)
        action = share + strength * wish(state) / EFFECT + SHAKE * shake.standard_normal()
        before = state
        action = np.clip(action, env.action_space.low, env.action_space.high)
        state, _, fallen, _, _ = env.step(action.astype(np.float32))
        if actor is not None:
            actor.teach(share + lack(before, state))
        periods += 1
    return periods * 1e-3 * PERIOD_MS


def episodes(case: Case, network: Any, actor: gym.Actor | None) -> Course:
    """All episodes, with the motor changed half-way."""
    strength = 1.0 if case.controller == "full" else STRENGTH
    shake = np.random.default_rng(case.seed)
    held = []
    with gymnasium.make("InvertedPendulum-v5") as env:
        for episode in range(2 * case.episodes):
            weak = episode >= case.episodes
            env.unwrapped.model.actuator_gear[0, 0] = WEAK if weak else FULL
            if episode == case.episodes and case.controller == "taught no more":
                network.update(learning=False)
            held.append(balance(env, strength, actor, shake))
    return Course(case, np.array(held))


def learn(client: prospero.Client, case: Case) -> Course:
    if case.controller in ("weak", "full"):
        return episodes(case, None, None)
    network = client.create_network(spec(case), labels={"app": "pendulum"})
    try:
        with gymnasium.make("InvertedPendulum-v5") as env:
            spaces = env.observation_space, env.action_space
        with gym.Actor(
            network, *spaces, period_ms=PERIOD_MS, observation_scale=SCALES, action_scale=1.0
        ) as actor:
            return episodes(case, network, actor)
    finally:
        network.delete()


def parts(course: Course) -> tuple[float, float, float, float]:
    """Mean time that the pole stood in five episodes [s]: first, learned, after the change,
    recovered."""
    n, held = course.case.episodes, course.held
    return held[:5].mean(), held[n - 5 : n].mean(), held[n : n + 5].mean(), held[-5:].mean()


def report(courses: list[Course]) -> str:
    head = ["the pole stands [s]", "first 5", "learned", "first 5, weak motor", "recovered"]
    rows = []
    for controller, label in CONTROLLERS.items():
        chosen = [parts(c) for c in courses if c.case.controller == controller]
        rows.append([label, *(spread(times, 2) for times in zip(*chosen))])
    return table(head, rows)


def draw(courses: list[Course], file: str) -> None:
    figure, axes = pyplot().subplots(figsize=(8, 4), layout="constrained")
    for controller, label in CONTROLLERS.items():
        chosen = [c.held for c in courses if c.case.controller == controller]
        band(axes, np.arange(1, len(chosen[0]) + 1), chosen, label)
    axes.axvline(courses[0].case.episodes + 0.5, color="0.5", ls=":")
    axes.set(xlabel="episode", ylabel="the pole stands [s]", ylim=(0, 1.05 * LIMIT * 0.04))
    axes.set(title="A pole on a cart, its motor weakened half-way")
    axes.legend(fontsize="small")
    figure.savefig(file, dpi=90)


def main() -> int:
    parser = options("A pole on a cart.", "pendulum", 5, quick=12, default=20, full=40)
    arguments = parser.parse_args()
    if arguments.length < 5:
        parser.error("--length must be at least 5 episodes")
    cases = [
        Case(controller, seed, arguments.length)
        for controller in CONTROLLERS
        for seed in range(1, arguments.seeds + 1)
    ]
    courses = run(arguments.target, cases, learn, arguments.jobs)
    print(f"{arguments.length} episodes, then as many; {arguments.seeds} seeds\n")
    print(report(courses))
    if arguments.plot:
        draw(courses, arguments.plot)
        print(f"\npicture: {arguments.plot}")
    alone = max(max(parts(c)) for c in courses if c.case.controller == "weak")
    times = [parts(c) for c in courses if c.case.controller == "network"]
    learnt = all(min(learned, recovered) > 3 * alone for _, learned, _, recovered in times)
    print("every network balances the pole" if learnt else "not every network balances the pole")
    return 0 if learnt else 1


if __name__ == "__main__":
    sys.exit(main())
