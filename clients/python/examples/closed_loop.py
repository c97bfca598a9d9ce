#!/usr/bin/env python3
"""A closed loop: a network learns to move an arm it knows nothing about.

    python clients/python/examples/closed_loop.py --target 127.0.0.1:50051

The arm follows its command with a lag; the network hears where the arm should be (with the
velocity that takes it there) and where it is, and says the command. A clumsy teacher, a
proportional controller, says in every step what it would have commanded, and the network
learns from it online. After a while the teacher falls silent: the network goes on alone. One
round trip in every step: sensors in, motor command out.
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
GAIN = 5.0  # of the teacher


def spec() -> gle.Spec:
    return gle.chain(
        [3, 40, 1],
        dt_ms=DT_MS,
        tau_m=10.0,  # tau_r = tau_m: neurons that answer without a lag
        optimizer=prospero.Adam(1e-3),
        seed=3,
    )


def wish(step: int) -> tuple[float, float]:
    """Where the arm should be, and its velocity [1/ARM_LAG_MS]."""
    phase = 2 * np.pi * step * DT_MS / 2000.0
    return 0.5 * np.sin(phase), 0.5 * np.cos(phase) * 2 * np.pi * ARM_LAG_MS / 2000.0


def main() -> int:
    parser = argparse.ArgumentParser(description="A network learns to move an arm.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument("--steps", type=int, default=12_000)
    arguments = parser.parse_args()
    lessons = arguments.steps * 3 // 4
    arm, misses, waits = 0.0, [], []
    with prospero.Client(arguments.target) as client:
        network = client.create_network(spec(), labels={"app": "closed-loop"})
        try:
            with network.drive(outputs=["output.r"], heartbeat=5.0) as drive:
                command = 0.0
                for step in range(arguments.steps):
                    position, velocity = wish(step)
                    teacher = arm + velocity + GAIN * (position - arm)
                    begin = time.perf_counter()
                    answer = drive.advance(
                        {
                            "input": [position, velocity, arm],
                            "output": [teacher] if step < lessons else None,
                        }
                    )
                    waits.append(time.perf_counter() - begin)
                    # The teacher moves the arm during the lessons, the network afterwards.
                    command = teacher if step < lessons else answer["output.r"].item()
                    arm += DT_MS / ARM_LAG_MS * (command - arm)
                    misses.append(abs(position - arm))
        finally:
            network.delete()
    taught, alone = np.mean(misses[lessons // 2 : lessons]), np.mean(misses[lessons:])
    print(
        f"miss, with the teacher {taught:.4f}, alone {alone:.4f} (the arm at rest: "
        f"{0.5 * 2 / np.pi:.4f})"
    )
    p50, p99 = np.percentile(np.array(waits) * 1e6, [50, 99])
    print(
        f"round trip: median {p50:.0f} us, 99th percentile {p99:.0f} us, "
        f"{1 / np.mean(waits):,.0f} per second"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
