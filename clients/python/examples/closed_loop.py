#!/usr/bin/env python3
"""A closed loop: a network takes an arm's control over from a reflex.

    python clients/python/examples/closed_loop.py --target 127.0.0.1:50051

An arm that hangs on a spring shall follow a moving point. A reflex pulls it towards the point
and always comes late. A network hears the point and its velocity and adds its own command; what
the reflex still had to do is its error (feedback-error learning, Kawato et al. 1987). So it
learns, online, what the arm needs, and the reflex has less and less to do. At the end learning
is switched off by one call while the loop goes on. One round trip in every step: sensors in,
motor command out.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import prospero
from prospero import gle

DT_MS = 1.0
ARM_LAG_MS = 50.0
REFLEX_GAIN = 5.0


def spec() -> gle.Spec:
    # tau_r is left out: tau_r = tau_m, neurons that answer without a lag.
    return gle.chain([2, 40, 1], dt_ms=DT_MS, tau_m=5.0, optimizer=prospero.Adam(3e-4), seed=3)


def wish(step: int) -> tuple[float, float]:
    """Where the arm should be, and the velocity of that place [1/ARM_LAG_MS]."""
    turn = 2 * np.pi * DT_MS / 1000.0
    position = 0.5 * np.sin(turn * step) + 0.3 * np.sin(2.7 * turn * step)
    velocity = turn * (0.5 * np.cos(turn * step) + 0.81 * np.cos(2.7 * turn * step)) / DT_MS
    return position, velocity * ARM_LAG_MS


def moved(arm: float, command: float) -> float:
    """The arm one step later: it lags behind its command, and the spring pulls it back."""
    return arm + DT_MS / ARM_LAG_MS * (command - arm - 1.5 * np.sin(2 * arm))


def reflex(position: float, arm: float) -> float:
    return REFLEX_GAIN * (position - arm)


def misses_of_the_reflex(steps: int) -> np.ndarray:
    """How far the arm is from its point when there is no network."""
    arm, misses = 0.0, np.empty(steps)
    for step in range(steps):
        position, _ = wish(step)
        arm = moved(arm, reflex(position, arm))
        misses[step] = abs(position - arm)
    return misses


def main() -> int:
    parser = argparse.ArgumentParser(description="A network takes an arm's control over.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--steps", type=int, default=12_000)
    arguments = parser.parse_args()
    steps, lessons = arguments.steps, arguments.steps * 3 // 4
    arm = command = 0.0
    misses, waits = np.empty(steps), np.empty(steps)
    with prospero.Client(arguments.target) as client:
        network = client.create_network(spec(), labels={"app": "closed-loop"})
        try:
            with network.drive(outputs=["output.r"], heartbeat=5.0) as drive:
                for step in range(steps):
                    if step == lessons:
                        network.update(learning=False)
                    position, velocity = wish(step)
                    begin = time.perf_counter()
                    # The target is the last command: the network's part and the reflex's.
                    answer = drive.advance({"input": [position, velocity], "output": [command]})
                    waits[step] = time.perf_counter() - begin
                    command = answer["output.r"].item() + reflex(position, arm)
                    arm = moved(arm, command)
                    misses[step] = abs(position - arm)
        finally:
            network.delete()
    alone, tenth = misses_of_the_reflex(steps).mean(), steps // 10
    print(
        f"miss, reflex alone {alone:.4f}; with the network, at first {misses[:tenth].mean():.4f}, "
        f"taught {misses[lessons - tenth : lessons].mean():.4f}, "
        f"learning off {misses[lessons:].mean():.4f}"
    )
    p50, p99 = np.percentile(waits * 1e6, [50, 99])
    print(
        f"round trip: median {p50:.0f} us, 99th percentile {p99:.0f} us, "
        f"{1 / waits.mean():,.0f} per second"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
