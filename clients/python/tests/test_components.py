import pytest

import prospero
from prospero import v1


def test_a_low_pass_is_mixed_step_by_step():
    plasticity = prospero.LowPass(0.1, mix=0.25).to_proto()
    assert plasticity.low_pass.mix == 0.25 and plasticity.learning_rate == 0.1


def test_weights_may_be_kept_within_a_bound():
    assert prospero.Adam(0.1, bound=4.0).to_proto().bound == 4.0
    assert prospero.Adam(0.1).to_proto().bound == 0.0


def test_a_rate_per_millisecond_is_multiplied_by_the_step():
    plasticity = prospero.LowPass.per_ms(50.0, 0.01, mix=1e-4, weight_decay=1e-6)
    assert plasticity == prospero.LowPass(0.5, mix=1e-4, weight_decay=1e-6)


def test_a_plasticity_must_be_of_some_kind():
    with pytest.raises(TypeError, match="LowPass"):
        prospero.Plasticity(0.1).to_proto()


def test_noise_says_what_it_is():
    assert prospero.OrnsteinUhlenbeck(0.5, 3.0).to_proto() == v1.Noise(
        kind=v1.Noise.KIND_ORNSTEIN_UHLENBECK, sigma=0.5, tau_ms=3.0
    )
    assert prospero.HeldWhite(0.5).to_proto() == v1.Noise(
        kind=v1.Noise.KIND_HELD_WHITE, sigma=0.5, hold_steps=1
    )
