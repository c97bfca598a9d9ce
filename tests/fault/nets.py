"""Small networks of every kind, with noise and the optimizers that remember."""

from __future__ import annotations

import prospero
from prospero import gle, latent_equilibrium, microcircuit, v1


def specs(seed: int = 7) -> dict[str, v1.NetworkSpec]:
    """By id. All have four inputs and two outputs but for `batch`."""
    noise = prospero.OrnsteinUhlenbeck(0.1, 5.0)
    aligned = prospero.Aligned(prospero.SGD(1e-2), 10.0)
    made = {
        "adam": gle.chain(
            [4, 6, 2],
            dt_ms=1.0,
            tau_m=8.0,
            tau_r=2.0,
            optimizer=prospero.Adam(1e-3),
            noise=noise,
            seed=seed,
        ),
        "batch": gle.chain(
            [16, 24, 4],
            dt_ms=1.0,
            tau_m=8.0,
            optimizer=prospero.Momentum(1e-3),
            precision="float64",
            batch=4,
            seed=seed,
        ),
        "layers": latent_equilibrium.chain(
            [4, 5, 2],
            dt_ms=0.5,
            tau=5.0,
            learning_rate=1e-2,
            feedback=aligned,
            noise=noise,
            seed=seed,
        ),
        "circuit": microcircuit.chain(
            [4, 5, 2],
            dt_ms=0.1,
            learn_W=prospero.Adam(1e-3),
            learn_V=prospero.SGD(1e-2),
            feedback=aligned,
            noise=noise,
            seed=seed,
        ),
    }
    return {id: spec.to_proto() for id, spec in made.items()}


def small(seed: int = 7) -> v1.NetworkSpec:
    """One for tests to which the kind does not matter."""
    return specs(seed)["adam"]


def large(seed: int = 7) -> v1.NetworkSpec:
    """One whose steps take some ten microseconds."""
    return gle.chain(
        [4, 64, 64, 2],
        dt_ms=1.0,
        tau_m=8.0,
        tau_r=2.0,
        optimizer=prospero.SGD(1e-3),
        noise=prospero.OrnsteinUhlenbeck(0.1, 5.0),
        seed=seed,
        batch=8,
    ).to_proto()


def wide(inputs: int) -> v1.NetworkSpec:
    """One whose frames are large and whose steps are quick."""
    return gle.chain(
        [inputs, 2], dt_ms=1.0, tau_m=8.0, optimizer=prospero.SGD(1e-3), seed=7
    ).to_proto()
