"""The yin-yang data set (Kriener, Goeltz & Petrovici, arXiv 2102.08211)."""

from __future__ import annotations

import numpy as np

SMALL, BIG = 0.1, 0.5  # radii of the dots and of the whole
CENTRE, RIGHT, LEFT = 0.5, 0.75, 0.25
CLASSES = ("yin", "yang", "dot")


def classes(points: np.ndarray) -> np.ndarray:
    """The class of points [n, 2] within the circle: 0 yin, 1 yang, 2 dot."""
    x, y = points.T
    right = np.hypot(x - RIGHT, y - CENTRE)
    left = np.hypot(x - LEFT, y - CENTRE)
    dot = (right < SMALL) | (left < SMALL)
    yang = (right <= SMALL) | ((SMALL < left) & (left <= BIG / 2))
    yang |= (y > CENTRE) & (right > BIG / 2)
    return np.where(dot, 2, np.where(yang, 1, 0))


def yinyang(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """So many samples (x, y, 1 - x, 1 - y), [count, 4], and their classes, [count]. The classes
    are equally likely, the points of each uniform on its area."""
    rng = np.random.default_rng(seed)
    wanted = rng.integers(0, len(CLASSES), count)
    points = np.empty((count, 2))
    missing = np.arange(count)
    while len(missing):
        drawn = rng.random((len(missing), 2)) * 2 * BIG
        inside = np.hypot(*(drawn - CENTRE).T) <= BIG
        found = inside & (classes(drawn) == wanted[missing])
        points[missing[found]] = drawn[found]
        missing = missing[~found]
    return np.concatenate([points, 1 - points], axis=1), wanted
