"""Pictures of arms that learn: the error over time, the paths of the hand, and an animation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from arm_env import LAP, UPPER, Arm, hand, path
from experiments import band, pyplot

PERIODS = round(LAP / Arm.dt)  # in a lap
BIN = PERIODS  # periods whose errors are averaged
FRAMES = 20  # of the animation, in a lap


def scenes(laps: int) -> dict[str, int]:
    """The laps that are shown."""
    return {
        "first lap": 0,
        "learned": laps - 1,
        "three times the payload": laps,
        "recovered": 2 * laps - 1,
    }


def draw(courses: list[Any], labels: Mapping[str, str], file: str) -> None:
    laps = courses[0].case.laps
    change = laps * LAP
    figure = pyplot().figure(figsize=(10, 7), layout="constrained")
    rows = figure.add_gridspec(2, 12, height_ratios=[1.4, 1])
    whole, near = figure.add_subplot(rows[0, :8]), figure.add_subplot(rows[0, 8:])
    _errors(whole, courses, labels, BIN, (0.0, 2 * change))
    _errors(near, courses, labels, PERIODS // 20, (change - LAP / 2, change + 2 * LAP))
    whole.set(
        title="A two-joint arm, its payload tripled half-way", ylabel="error of the hand [mm]"
    )
    whole.set_ylim(top=whole.get_ylim()[1] * 5)
    whole.legend(ncols=2, loc="upper center", fontsize="small")
    near.set(title="at the change", ylim=whole.get_ylim())
    wanted = path(np.linspace(0, LAP, 200))
    for column, (title, lap) in enumerate(scenes(laps).items()):
        axes = figure.add_subplot(rows[1, 3 * column : 3 * column + 3])
        axes.plot(*wanted.T, color="0.75", lw=5)
        for controller in ("PD", "taught no more", "GLE"):
            angles = next(c.angles for c in courses if c.case.controller == controller)
            color = f"C{list(labels).index(controller)}"
            axes.plot(*hand(angles[lap * PERIODS : (lap + 1) * PERIODS]).T, color=color, lw=1.2)
        axes.set(title=title, aspect="equal", xticks=[], yticks=[])
    figure.savefig(file, dpi=80)


def _errors(
    axes: Any, courses: list[Any], labels: Mapping[str, str], width: int, span: tuple[float, float]
) -> None:
    """Of all controllers in bins of so many periods, from one time to another [s]."""
    first, last = (round(time / Arm.dt) for time in span)
    time = (np.arange(first, last, width) + width / 2) * Arm.dt
    for controller, label in labels.items():
        chosen = [c.errors[first:last] for c in courses if c.case.controller == controller]
        band(axes, time, np.reshape(chosen, (len(chosen), -1, width)).mean(2), label)
    axes.axvline(courses[0].case.laps * LAP, color="0.5", ls=":")
    axes.set(yscale="log", xlabel="time [s]", xlim=span)


def animate(courses: list[Any], file: str) -> None:
    """The arm beside one that has only the reflex, in the laps of `scenes`, as a GIF in half of
    the true speed."""
    from matplotlib.animation import FuncAnimation, PillowWriter

    course = {name: next(c for c in courses if c.case.controller == name) for name in ("PD", "GLE")}
    shown = scenes(course["GLE"].case.laps)
    figure, axes = pyplot().subplots(1, 2, figsize=(5.4, 2.9))
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.84, wspace=0.02)
    lines = []
    for ax, title in zip(axes, ("reflex alone", "with the network")):
        ax.plot(*path(np.linspace(0, LAP, 200)).T, color="0.75", lw=3)
        (trace,) = ax.plot([], [], color="C3", lw=1)
        (links,) = ax.plot([], [], "o-", color="C0", lw=4, ms=5)
        (payload,) = ax.plot([], [], "o", color="C1")
        ax.set(xlim=(-0.08, 0.6), ylim=(-0.32, 0.32), aspect="equal", xticks=[], yticks=[])
        ax.set_title(title, fontsize="medium")
        lines.append((trace, links, payload))

    def frame(index: int) -> None:
        title, lap = list(shown.items())[index // FRAMES]
        figure.suptitle(title)
        start = lap * PERIODS
        now = start + (index % FRAMES + 1) * PERIODS // FRAMES - 1
        for (trace, links, payload), name in zip(lines, course):
            angles = course[name].angles
            elbow = UPPER * np.array([np.cos(angles[now, 0]), np.sin(angles[now, 0])])
            end = hand(angles[now])
            trace.set_data(*hand(angles[start : now + 1]).T)
            links.set_data(*np.stack([np.zeros(2), elbow, end]).T)
            payload.set_data(end[:1], end[1:])
            payload.set_markersize(14 if lap >= course[name].case.laps else 8)

    animation = FuncAnimation(figure, frame, frames=FRAMES * len(shown), blit=False)
    animation.save(file, PillowWriter(fps=FRAMES / LAP / 2), dpi=70)
