"""The forecaster of the electrocardiogram, its causal arrangement and its baselines.

The task: at sample n (360 per second) say what sample n + 6 will be, 16.7 ms later, having
seen samples up to n only. What is forecast is the increment x[n+6] - x[n].

The network is a GLE chain 1-32-32-1. It sees one scalar at a time and has no recurrence; its
memory is its neurons with tau_r < tau_m. Each sample is held for four steps, because the
error that reaches the first layer is five steps older than the rate it meets there
(a step of delay for each layer, forth and back), and that must be short
against the heartbeat's fastest waves.

Learning never looks ahead. The network runs a batch of two trials with common weights:

    trial 0, the learner:     input x[n-6], target x[n] - x[n-6], known at sample n
    trial 1, the forecaster:  input x[n], no teacher (`output.trial_weight` 0)

so a forecast of x[n+6] depends on samples up to n only, in its weights as in its input. (To
train on (x[n], x[n+6]) and score the output of that same trial is common, and leaks: the
weights have then seen targets that lie after the forecast.) The baselines are treated alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

import prospero
from prospero import gle

Array = npt.NDArray[np.float64]

RATE = 360.0  # samples per second
HORIZON = 6  # samples: 16.7 ms
STEPS = 4  # steps per sample
DT_MS = 1000.0 / RATE / STEPS
INPUT_GAIN = 2.0  # per mV
TARGET_GAIN = 0.5  # per mV
INSTANT = 8  # neurons of each hidden layer without a lag
LAGGED = 24  # neurons of each hidden layer with tau_r = dt < tau_m


def _lags(first_ms: float, last_ms: float) -> Array:
    """tau_m [ms] of a hidden layer: neurons without a lag, then a geometric series."""
    return np.concatenate([np.full(INSTANT, DT_MS), np.geomspace(first_ms, last_ms, LAGGED)])


def spec(*, seed: int, frozen: bool = False, instantaneous: bool = False) -> gle.Spec:
    """The network. `frozen`: hidden layers do not learn. `instantaneous`: errors without
    the look-ahead of GLE (plain backpropagation on the momentary state)."""
    hidden = None if frozen else prospero.Adam(2e-4)
    output = prospero.Adam(6e-6)
    error: gle.ErrorMode = "instantaneous" if instantaneous else "prospective"

    def uniform(bound: float) -> prospero.Uniform:
        return prospero.Uniform(-bound, bound)

    first, second, last = uniform(1.0), uniform(2.0 / 32**0.5), uniform(0.5 / 32**0.5)
    return (
        gle.Spec(DT_MS, seed=seed, batch=2)
        .population("input", 1, role="input")
        .population("hidden1", 32, tau_m=_lags(6.0, 200.0), tau_r=DT_MS, error=error,
                    bias=first, bias_plasticity=hidden)
        .population("hidden2", 32, tau_m=_lags(10.0, 3.0), tau_r=DT_MS, error=error,
                    bias=second, bias_plasticity=hidden)
        .population("output", 1, role="output", activation="linear", tau_m=DT_MS, error=error,
                    bias=last, bias_plasticity=output)
        .projection("input", "hidden1", first, plasticity=hidden)
        .projection("hidden1", "hidden2", second, plasticity=hidden)
        .projection("hidden2", "output", last, plasticity=output)
    )  # fmt: skip


TRIAL_WEIGHT = np.array([1.0, 0.0])
"""Value of `output.trial_weight`: only the learner has a teacher."""


def frames(x: Array, first: int, last: int) -> dict[str, Array]:
    """Inputs of the steps of samples first..last-1 (first >= HORIZON), shape [steps, 2, 1]."""
    now, past = x[first:last], x[first - HORIZON : last - HORIZON]
    inputs = INPUT_GAIN * np.stack([past, now], axis=1)
    targets = TARGET_GAIN * np.stack([now - past, np.zeros_like(now)], axis=1)
    return {
        "input": np.repeat(inputs, STEPS, axis=0)[:, :, None],
        "output.target": np.repeat(targets, STEPS, axis=0)[:, :, None],
    }


def forecast(x: Array, first: int, rates: npt.NDArray[np.floating]) -> Array:
    """What samples first+HORIZON, ... will be [mV]. `rates`: `output.r` after the last step
    of samples first, ..., shape [samples, 2, 1]."""
    return np.asarray(x[first : first + len(rates)] + rates[:, 1, 0] / TARGET_GAIN, float)


def _lines(x: Array, lags: int) -> Array:
    """Row n: x[n], x[n-1], ..., x[n-lags+1], 1; zeros before the record."""
    padded = np.concatenate([np.zeros(lags - 1), x])
    past = np.lib.stride_tricks.sliding_window_view(padded, lags)[:, ::-1]
    return np.concatenate([past, np.ones((len(x), 1))], axis=1)


def nlms(x: Array, lags: int, mu: float) -> Iterator[float]:
    """Forecasts of x[n+HORIZON] for n = HORIZON, HORIZON+1, ... by normalised least mean
    squares on the last `lags` samples and a bias, learning the increment online."""
    lines = _lines(x, lags)
    w = np.zeros(lags + 1)
    for n in range(HORIZON, len(x)):
        past = lines[n - HORIZON]
        error = x[n] - x[n - HORIZON] - w @ past
        w += mu * error * past / (past @ past + 1e-2)
        yield x[n] + w @ lines[n]


def rls(x: Array, lags: int, forgetting: float) -> Iterator[float]:
    """As `nlms`, by recursive least squares with exponential forgetting: the best a linear
    filter of these lags can do, at `lags` times the cost."""
    lines = _lines(x, lags)
    w = np.zeros(lags + 1)
    P = np.eye(lags + 1) * 100.0
    for n in range(HORIZON, len(x)):
        past = lines[n - HORIZON]
        error = x[n] - x[n - HORIZON] - w @ past
        gain = P @ past
        gain /= forgetting + past @ gain
        w += gain * error
        P = (P - np.outer(gain, past @ P)) / forgetting
        yield x[n] + w @ lines[n]
