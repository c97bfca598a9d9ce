import numpy as np
import pytest

from prospero import v1
from prospero.latency import latencies_from


def histogram(times_us):
    """As the server counts: the first bucket ends at 1 us, each further one 2^(1/4) later."""
    ends = 2.0 ** (np.arange(100) / 4)
    counts = np.bincount(np.searchsorted(ends, times_us, side="right"), minlength=100)
    return np.trim_zeros(counts, "b").tolist()


def report(times_us):
    proto = v1.StageLatency(
        stage=v1.StageLatency.STAGE_QUEUE,
        count=len(times_us),
        sum_ns=round(1000 * np.sum(times_us)),
        max_ns=round(1000 * np.max(times_us)),
        buckets=histogram(times_us),
    )
    return latencies_from([proto])["queue"]


def test_quantiles_are_right_within_a_bucket():
    times = np.random.default_rng(1).lognormal(np.log(200.0), 0.7, 20_000)
    latency = report(times)
    assert latency.count == 20_000 and latency.mean == pytest.approx(times.mean() * 1e-6, rel=1e-6)
    for q in (0.01, 0.5, 0.9, 0.99, 0.999):
        exact = np.quantile(times, q) * 1e-6
        assert exact / 1.19 <= latency.quantile(q) <= exact * 1.19


def test_no_quantile_lies_above_the_greatest():
    latency = report(np.array([100.0]))
    assert latency.quantile(1.0) == latency.max == pytest.approx(1e-4)
    assert latency.quantile(0.0) < latency.max


def test_a_stage_that_had_no_request_is_all_zero():
    latency = latencies_from([v1.StageLatency(stage=v1.StageLatency.STAGE_STEP)])["step"]
    assert (latency.count, latency.mean, latency.max, latency.quantile(0.5)) == (0, 0, 0, 0)


def test_stages_of_a_later_server_are_left_out():
    assert latencies_from([v1.StageLatency(stage=77)]) == {}


def test_it_reads_as_one_line():
    text = str(report(np.array([10.0, 10.0, 50.0])))
    assert text.startswith("mean 23,") and text.endswith("max 50 us of 3")
