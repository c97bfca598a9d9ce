"""The way on which errors travel back, through feedback weights B of shape [pre, post].

TRANSPOSE   `Transpose()`   B = W^T: backpropagation (BP)
RANDOM      `Random()`      B random and fixed: feedback alignment (FA)
DIRECT      `Direct()`      the output's error, B random and fixed: direct feedback
                            alignment (DFA)
ALIGNED     `Aligned(...)`  B learned from noise while all else learns: Phaseless Alignment
                            Learning (PAL; Max et al., arXiv 2212.10249)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Union

from prospero import v1
from prospero.components import Initial, Plasticity


@dataclass(frozen=True)
class Transpose:
    """B = W^T, the synapses' own weights: backpropagation (BP)."""

    path: ClassVar[Any] = v1.FEEDBACK_PATH_TRANSPOSE
    B: ClassVar[None] = None


@dataclass(frozen=True)
class Random:
    """B is random and fixed: feedback alignment (FA; Lillicrap et al., 2016).

    Args:
        B: first values, [pre, post]; None leaves the choice to the server.
    """

    path: ClassVar[Any] = v1.FEEDBACK_PATH_RANDOM
    B: Initial | None = None


@dataclass(frozen=True)
class Direct:
    """The output's error through a random, fixed B: direct feedback alignment (DFA; Nokland,
    2016).

    Args:
        B: first values, [pre, size of the output]; None leaves the choice to the server.
        output: name of the output population, of `gle` only; "" is the only one there is.
    """

    path: ClassVar[Any] = v1.FEEDBACK_PATH_DIRECT
    B: Initial | None = None
    output: str = ""


@dataclass(frozen=True)
class Aligned:
    """B is learned from the noise xi of the presynaptic neurons, while everything else runs
    and learns: Phaseless Alignment Learning (PAL; Max et al., arXiv 2212.10249).

        dB ~ xi h^T - alpha B,    dh/dt = dr/dt - h / tau_hp

    B aligns with W^T when the noise is fast and fresh (see `prospero.noise`); watch
    `*.alignment_angle`.

    Args:
        plasticity: how B learns; its weight_decay is the paper's alpha. None: constant.
        tau_hp: time constant of the high-pass filter of the rates [ms], at least dt_ms.
        B: first values, [pre, post]; None leaves the choice to the server.
    """

    path: ClassVar[Any] = v1.FEEDBACK_PATH_ALIGNED
    plasticity: Plasticity | None
    tau_hp: float
    B: Initial | None = None

    def to_proto(self) -> v1.Alignment:
        """How B learns."""
        plasticity = None if self.plasticity is None else self.plasticity.to_proto()
        return v1.Alignment(plasticity=plasticity, tau_hp_ms=self.tau_hp)


Feedback = Union[Transpose, Random, Direct, Aligned]
