"""The environments of the examples; `test_examples.py` runs the examples."""

import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import arm_env


@pytest.fixture
def arm():
    arm = arm_env.Arm()
    arm.reset(seed=1)
    return arm


def hang(arm, seconds):
    """Where it is after so long without torques [rad]."""
    for _ in range(round(seconds / arm.dt)):
        arm.step(np.zeros(2))
    return arm.angles


@pytest.mark.filterwarnings("ignore::UserWarning:gymnasium.*")
def test_the_arm_is_an_environment_of_gymnasium():
    check_env(arm_env.Arm(), skip_render_check=True)


def test_angles_bring_the_hand_where_it_should_be():
    points = arm_env.path(np.linspace(0.0, arm_env.LAP, 50))
    assert np.allclose(arm_env.hand(arm_env.angles(points)), points, atol=1e-12)


def test_velocities_belong_to_the_angles():
    times = np.linspace(0.0, arm_env.LAP, 2001)
    angles, velocities = arm_env.wished(times)
    assert np.allclose(np.gradient(angles, times, axis=0)[1:-1], velocities[1:-1], atol=1e-3)


def test_the_path_closes():
    assert np.allclose(arm_env.path(0.0), arm_env.path(arm_env.LAP))


def test_an_arm_without_torques_falls_until_it_hangs(arm):
    assert arm_env.hand(hang(arm, 10.0))[1] < -0.95 * (arm_env.UPPER + arm_env.LOWER)


def test_an_arm_that_is_held_by_a_spring_sinks_with_the_payload(arm):
    def held(kilograms):
        """The height of the hand that a spring and a damper hold [m]."""
        arm.load(kilograms)
        arm.reset(seed=1)
        for _ in range(1000):
            observation = arm._observe()
            arm.step(-60.0 * arm.angles - 6.0 * observation["velocity"])
        return arm_env.hand(arm.angles)[1]

    # Torques about the shoulder: the angles are small, so that a load sinks in proportion.
    light, middle, heavy = held(0.5), held(1.0), held(1.5)
    assert heavy < middle < light < 0
    assert middle - heavy == pytest.approx(light - middle, rel=0.15)


def test_a_seed_repeats_the_disturbances():
    def run(seed):
        arm = arm_env.Arm(noise=1.0)
        arm.reset(seed=seed)
        return hang(arm, 0.1)

    assert np.array_equal(run(1), run(1)) and not np.array_equal(run(1), run(2))
