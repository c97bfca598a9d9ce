"""The data that the examples make."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import bars
import fourier
from yinyang_data import classes, yinyang


@pytest.mark.parametrize(
    ("point", "name"),
    [
        ((0.75, 0.5), 2),
        ((0.25, 0.55), 2),
        ((0.5, 0.9), 1),
        ((0.25, 0.35), 1),
        ((0.5, 0.1), 0),
        ((0.75, 0.65), 0),
    ],
)
def test_each_part_of_the_yin_yang_has_its_class(point, name):
    assert classes(np.array([point])) == [name]


def test_yin_is_yang_turned_by_half():
    points = np.random.default_rng(1).random((10_000, 2))
    points = points[np.hypot(*(points - 0.5).T) < 0.5]
    here, there = classes(points), classes(1 - points)
    assert np.array_equal(there[here == 2], here[here == 2])
    assert np.array_equal(there[here != 2], 1 - here[here != 2])


def test_yin_yang_samples_are_of_their_class_and_repeatable():
    x, y = yinyang(3000, seed=7)
    assert x.shape == (3000, 4) and np.array_equal(classes(x[:, :2]), y)
    assert np.allclose(x[:, 2:], 1 - x[:, :2])
    assert (np.hypot(*(x[:, :2] - 0.5).T) <= 0.5).all()
    # The classes are drawn with equal chances: a correct program is beyond 5 standard deviations
    # (26 samples each) with a chance of 2e-6.
    assert np.abs(np.bincount(y) - 1000).max() < 130
    again, other = yinyang(3000, seed=7), yinyang(3000, seed=8)
    assert np.array_equal(again[0], x) and not np.array_equal(other[0], x)


def test_the_bars_are_the_eight_lines_of_a_square():
    images, kinds = bars.bars()
    assert images.shape == (8, 9) and (images.sum(1) == 3).all()
    assert len(np.unique(images, axis=0)) == 8
    squares = images.reshape(8, 3, 3)
    assert all(square.sum(1).max() == 3 for square in squares[kinds == 0])
    assert all(square.sum(0).max() == 3 for square in squares[kinds == 1])
    assert all(square.sum(0).max() == square.sum(1).max() == 1 for square in squares[kinds == 2])


def test_sines_can_sum_to_the_sawtooth_but_for_what_lies_above_them():
    x, target = fourier.signal(20_000)
    amplitudes, *_ = np.linalg.lstsq(x, target[:, 0], rcond=None)
    left = np.mean((x @ amplitudes - target[:, 0]) ** 2)
    # 2 / pi^2 times the sum of 1 / k^2 over the harmonics k > 25
    assert left == pytest.approx(0.00794, rel=0.02)
