#!/usr/bin/env python3
"""A network learns to forecast an electrocardiogram while it listens to it.

    pip install "clients/python[examples]"
    python clients/python/examples/ecg.py --target 127.0.0.1:50051

Five minutes of a recorded electrocardiogram stream at full speed into a Generalized Latent
Equilibrium network on a running server, once, with no epochs. At each sample the network says
what it will hear 16.7 ms later, and it learns from what it hears at once, in all its layers,
with no forward and backward phases. `ecg_forecaster.py` holds the network, every number of its
configuration, and the baselines.

The terminal shows, while it learns, the error of the forecasts, their skill over two baselines
(persistence, and a linear filter that learns online by normalised least mean squares) and how
the weights move, which comes from a subscription on a stream of its own. Skill is 1 - (mean
squared error of the network) / (mean squared error of the baseline): 0 is no better, 1 is
perfect. The summary also names recursive least squares, the best that a linear filter can do.

The signal is record 208, lead MLII, 19:35 to 24:35, of the MIT-BIH Arrhythmia Database (Moody &
Mark, IEEE Eng. Med. Biol. 20(3), 2001; PhysioNet, Goldberger et al. 2000; Open Data Commons
Attribution License 1.0), sampled at 360 Hz, as SciPy 1.11 ships it.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import islice

import numpy as np
from display import Display
from ecg_forecaster import (
    HORIZON,
    RATE,
    STEPS,
    TRIAL_WEIGHT,
    Array,
    forecast,
    frames,
    nlms,
    rls,
    spec,
)

import prospero

# The baselines at their best on this record, found in hindsight among 4 to 128 lags.
NLMS_LAGS, NLMS_RATE = 4, 0.015
RLS_LAGS, RLS_FORGETTING = 32, 0.9999
RECENT = int(10 * RATE)  # samples in "the last ten seconds"
MINUTE = int(60 * RATE)  # samples
PREDICTORS = ("network", "persistence", "NLMS", "RLS")


def electrocardiogram() -> Array:
    """The recording [mV], 108,000 samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from scipy.misc import electrocardiogram

        return np.asarray(electrocardiogram(), float)


class Forecasts:
    """What each predictor said: `said[name][n]` is its forecast of x[n] [mV], made at sample
    n - HORIZON. The first ones come for sample 2 * HORIZON."""

    def __init__(self, x: Array) -> None:
        self.x = x
        self.said = {name: np.full(len(x), np.nan) for name in PREDICTORS}
        self._baselines = {
            "persistence": iter(x[HORIZON:]),
            "NLMS": nlms(x, NLMS_LAGS, NLMS_RATE),
            "RLS": rls(x, RLS_LAGS, RLS_FORGETTING),
        }
        self._end = 2 * HORIZON

    def add(self, network: Array) -> None:
        """The network's next forecasts; the baselines forecast the same samples."""
        rows = slice(self._end, min(self._end + len(network), len(self.x)))
        count = rows.stop - rows.start
        self.said["network"][rows] = network[:count]
        for name, forecasts in self._baselines.items():
            self.said[name][rows] = list(islice(forecasts, count))
        self._end = rows.stop

    def error(self, name: str, start: int, stop: int | None = None) -> float:
        """Mean squared error [mV^2] over some samples, as far as they were forecast."""
        rows = slice(max(start, 2 * HORIZON), self._end if stop is None else stop)
        return float(np.mean((self.said[name][rows] - self.x[rows]) ** 2))

    def skill(self, baseline: str, start: int) -> float:
        return 1.0 - self.error("network", start) / self.error(baseline, start)

    @property
    def end(self) -> int:
        return self._end


def follow_weights(network: prospero.Network, latest: dict[str, float]) -> prospero.Subscription:
    """Keeps the newest statistics of the weights, in a thread of its own."""
    stream = network.subscribe(
        "*.W.norm", "*.W.update_ratio", every=STEPS * 36, max_rate=20, start="snapshot"
    )

    def follow() -> None:
        for sample in stream:
            latest.update({name: value.item() for name, value in sample.values.items()})

    threading.Thread(target=follow, daemon=True).start()
    return stream


def learn(network: prospero.Network, x: Array, samples: int) -> Iterator[tuple[Array, float]]:
    """Streams the signal, so many samples in a message, several messages on their way. Yields
    the next forecasts [mV] and the loss."""
    network.set({"output.trial_weight": TRIAL_WEIGHT})
    first = HORIZON
    with network.drive(outputs=["output.r"]) as drive:
        chunks = drive.stream(frames(x, HORIZON, len(x)), chunk=samples * STEPS, output_every=STEPS)
        for advanced in chunks:
            rates = advanced["output.r"]
            yield forecast(x, first, rates), advanced.loss or 0.0
            first += len(rates)


def run(client: prospero.Client, x: Array, arguments: argparse.Namespace) -> Forecasts:
    """Makes the network, streams the signal and shows how it goes."""
    network = client.create_network(
        spec(
            seed=arguments.seed,
            frozen=arguments.control == "frozen",
            instantaneous=arguments.control == "instantaneous",
        ),
        labels={"app": "ecg"},
    )
    forecasts, weights = Forecasts(x), dict[str, float]()
    stream = follow_weights(network, weights)
    try:
        with Display(len(x) / RATE, arguments.plain) as display:
            for said, loss in learn(network, x, arguments.samples):
                forecasts.add(said)
                show = partial(figures, forecasts, loss, weights)
                display.update(forecasts.end / RATE, show)
    finally:
        stream.close()
        network.delete()
    return forecasts


def figures(forecasts: Forecasts, loss: float, weights: dict[str, float]) -> dict[str, float]:
    """What the display shows, of the last ten seconds of the signal."""
    recent = forecasts.end - RECENT
    return {
        "loss": loss,
        "error of the forecast [mV²]": forecasts.error("network", recent),
        "skill over persistence": forecasts.skill("persistence", recent),
        "skill over online linear (NLMS)": forecasts.skill("NLMS", recent),
        **dict(sorted(weights.items())),
    }


def summary(forecasts: Forecasts, seconds: float, title: str) -> str:
    count = len(forecasts.x)
    lines = [
        f"{title}: {count:,} samples, {count * STEPS:,} steps in {seconds:.1f} s "
        f"({count * STEPS / seconds:,.0f} steps/s)"
    ]
    for part, start in (("whole recording", 0), ("last minute", max(0, count - MINUTE))):
        errors = (f"{name} {forecasts.error(name, start):.5f}" for name in PREDICTORS)
        lines.append(f"  {part}: mean squared error [mV²]: {', '.join(errors)}")
        skills = (f"{name} {forecasts.skill(name, start):+.3f}" for name in PREDICTORS[1:])
        lines.append(f"  {part}: skill over {', over '.join(skills)}")
    return "\n".join(lines)


def draw(forecasts: Forecasts, title: str, file: str) -> None:
    """The signal and its forecast at the beginning and at the end, and the errors."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    x, said = forecasts.x, forecasts.said
    t = np.arange(len(x)) / RATE
    figure, axes = pyplot.subplots(3, 1, figsize=(10, 9), layout="constrained")
    figure.suptitle(f"{title}: an electrocardiogram, {1000 * HORIZON / RATE:.1f} ms ahead")
    for axis, start, when in ((axes[0], 0.0, "beginning"), (axes[1], t[-1] - 4.0, "end")):
        part = (t >= start) & (t <= start + 4.0)
        axis.plot(t[part], x[part], color="0.6", lw=2, label="signal")
        axis.plot(t[part], said["network"][part], color="C3", lw=1, label="forecast")
        axis.set(title=f"at the {when}", xlabel="time [s]", ylabel="[mV]")
        axis.legend(loc="upper right")
    for name in PREDICTORS:
        starts = range(0, len(x) - RECENT // 2, RECENT // 2)
        errors = [forecasts.error(name, s, s + RECENT // 2) for s in starts]
        axes[2].semilogy(np.array(starts) / RATE, errors, label=name)
    axes[2].set(title="loss: mean squared error", xlabel="time [s]", ylabel="[mV²]")
    axes[2].legend(ncols=4)
    figure.savefig(file, dpi=120)
    pyplot.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(description="Forecasts an electrocardiogram, learning online.")
    parser.add_argument("--target", default="127.0.0.1:50051", help="host:port of the server")
    parser.add_argument(
        "--control",
        choices=["none", "frozen", "instantaneous"],
        default="none",
        help="hidden layers that do not learn, or errors without GLE's look-ahead",
    )
    parser.add_argument("--seconds", type=float, default=300.0, help="of the signal")
    parser.add_argument("--samples", type=int, default=36, help="in one message")
    parser.add_argument("--seed", type=int, default=1, help="of the first weights")
    parser.add_argument("--plot", default="ecg.png", help="file of the picture; '' for none")
    parser.add_argument("--plain", action="store_true", help="lines in the place of a live table")
    arguments = parser.parse_args()

    x = electrocardiogram()[: int(arguments.seconds * RATE)]
    title = "GLE" if arguments.control == "none" else f"GLE, control: {arguments.control}"
    with prospero.Client(arguments.target) as client:
        client.wait_ready()
        begin = time.monotonic()
        forecasts = run(client, x, arguments)
    print(summary(forecasts, time.monotonic() - begin, title))
    if arguments.plot:
        draw(forecasts, title, arguments.plot)
        print(f"picture: {arguments.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
