"""How long the requests of a drive took, stage by stage."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from prospero import v1


@dataclass(frozen=True)
class Latency:
    """A histogram of one stage. The times are in seconds.

    Attributes:
        count: requests so far.
        mean, max: of all of them; 0 when there were none.
        buckets: requests by time. The first bucket ends at 1 us, each further one at 2^(1/4)
            times the end of the one before; the last one has all the rest.
    """

    count: int
    mean: float
    max: float
    buckets: tuple[int, ...]

    def quantile(self, q: float) -> float:
        """The time that a share `q` of the requests stayed below, within 19% (a bucket)."""
        rank, below = q * sum(self.buckets), 0
        for i, inside in enumerate(self.buckets):
            if inside and below + inside >= rank:
                low, high = (_end(i - 1) if i > 0 else 0.0), _end(i)
                return min(low + (high - low) * max(rank - below, 0) / inside, self.max)
            below += inside
        return self.max

    def __str__(self) -> str:
        times = (self.mean, self.quantile(0.5), self.quantile(0.99), self.max)
        mean, median, late, most = (f"{t * 1e6:.0f}" for t in times)
        return f"mean {mean}, median {median}, 99% {late}, max {most} us of {self.count}"


def latencies_from(protos: Iterable[v1.StageLatency]) -> dict[str, Latency]:
    """By stage. What a later version of the server may add is left out."""
    return {
        v1.StageLatency.Stage.Name(p.stage).removeprefix("STAGE_").lower(): Latency(
            p.count,
            p.sum_ns * 1e-9 / p.count if p.count else 0.0,
            p.max_ns * 1e-9,
            tuple(p.buckets),
        )
        for p in protos
        if p.stage in v1.StageLatency.Stage.values()
    }


def _end(bucket: int) -> float:
    """Upper end of a bucket [s]."""
    return 1e-6 * math.pow(2.0, bucket / 4)
