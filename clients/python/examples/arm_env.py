"""A two-joint arm in MuJoCo, in an environment of Gymnasium.

It moves in a vertical plane, hangs at its shoulder and carries a payload in its hand. The hand
shall follow a path, a lying figure of eight, which the environment tells as joint angles and their
velocities. Actions are the torques of the two motors.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces

UPPER, LOWER = 0.30, 0.28  # lengths [m]
TORQUE = 40.0  # the motors' limit [N m]
PERIOD_MS = 5.0  # control period
LAP = 2.0  # [s] for one figure of eight
CENTRE, WIDTH, HEIGHT = (0.36, -0.05), 0.12, 0.12  # of the figure [m], half its size

MODEL = f"""
<mujoco model="two-joint arm">
  <option timestep="0.001" gravity="0 0 -9.81" integrator="implicitfast"/>
  <default>
    <joint type="hinge" axis="0 -1 0" damping="0.3" armature="0.01"/>
    <geom type="capsule" contype="0" conaffinity="0"/>
    <motor ctrlrange="-{TORQUE} {TORQUE}"/>
  </default>
  <worldbody>
    <body name="upper">
      <joint name="shoulder"/>
      <geom fromto="0 0 0 {UPPER} 0 0" size="0.025" mass="1.2"/>
      <body name="lower" pos="{UPPER} 0 0">
        <joint name="elbow"/>
        <geom fromto="0 0 0 {LOWER} 0 0" size="0.02" mass="0.8"/>
        <body name="payload" pos="{LOWER} 0 0">
          <geom type="sphere" size="0.04" mass="1"/>
        </body>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="shoulder"/><motor joint="elbow"/></actuator>
</mujoco>
"""


def hand(angles: Any) -> np.ndarray:
    """Where the hand is [m], of joint angles [..., 2]; zero is a straight arm to the right."""
    shoulder, both = angles[..., 0], angles[..., 0] + angles[..., 1]
    return np.stack(
        [
            UPPER * np.cos(shoulder) + LOWER * np.cos(both),
            UPPER * np.sin(shoulder) + LOWER * np.sin(both),
        ],
        axis=-1,
    )


def angles(point: np.ndarray) -> np.ndarray:
    """Joint angles [..., 2] that bring the hand there, elbow up."""
    x, y = point[..., 0], point[..., 1]
    bend = (x**2 + y**2 - UPPER**2 - LOWER**2) / (2 * UPPER * LOWER)
    elbow = -np.arccos(bend)
    shoulder = np.arctan2(y, x) - np.arctan2(LOWER * np.sin(elbow), UPPER + LOWER * np.cos(elbow))
    return np.stack([shoulder, elbow], axis=-1)


def path(time: Any) -> np.ndarray:
    """Where the hand should be [m] at some times [s]."""
    turn = 2 * np.pi * np.asarray(time) / LAP
    x, y = CENTRE
    return np.stack([x + WIDTH * np.sin(turn), y + HEIGHT * np.sin(2 * turn)], axis=-1)


def wished(time: Any) -> tuple[np.ndarray, np.ndarray]:
    """Angles [rad] and velocities [rad/s] of the joints on the path, by differences over 2 ms."""
    h = 1e-3
    before, after = angles(path(time - h)), angles(path(time + h))
    return angles(path(time)), (after - before) / (2 * h)


class Arm(gymnasium.Env[Any, Any]):
    """Observation: "angle" and "velocity" of the joints, "wished_angle" and "wished_velocity" for
    the same moment on the path. Reward: minus the distance [m] of the hand from its path; `info`
    has it as "error". Episodes do not end by themselves.

    Args:
        noise: standard deviation of the torque that disturbs each joint [N m], drawn anew in each
            control period.
    """

    metadata = {"render_modes": []}
    dt = PERIOD_MS * 1e-3  # [s], as environments of MuJoCo call it

    def __init__(self, noise: float = 0.0) -> None:
        self.action_space = spaces.Box(-TORQUE, TORQUE, (2,), np.float64)
        times = np.arange(round(LAP / self.dt)) * self.dt
        self._path, (self._angles, self._velocities) = path(times), wished(times)
        free = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.observation_space = spaces.Dict(
            {
                "angle": free,
                "velocity": free,
                "wished_angle": _range(self._angles),
                "wished_velocity": _range(self._velocities),
            }
        )
        self.noise = noise
        self._model = mujoco.MjModel.from_xml_string(MODEL)
        self._data = mujoco.MjData(self._model)
        self._payload = self._model.body("payload").id
        self._unit_inertia = self._model.body_inertia[self._payload].copy()
        self._moment = 0

    @property
    def angles(self) -> np.ndarray:
        return self._data.qpos.copy()

    def load(self, kilograms: float) -> None:
        """Changes the payload while the arm moves."""
        self._model.body_mass[self._payload] = kilograms
        self._model.body_inertia[self._payload] = kilograms * self._unit_inertia
        mujoco.mj_setConst(self._model, mujoco.MjData(self._model))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        mujoco.mj_resetData(self._model, self._data)
        self._moment = 0
        self._data.qpos, self._data.qvel = self._angles[0], self._velocities[0]
        return self._observe(), {}

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        self._data.ctrl = action
        self._data.qfrc_applied = self.noise * self.np_random.standard_normal(2)
        mujoco.mj_step(self._model, self._data, round(PERIOD_MS * 1e-3 / self._model.opt.timestep))
        self._moment = (self._moment + 1) % len(self._path)
        error = float(np.linalg.norm(hand(self.angles) - self._path[self._moment]))
        return self._observe(), -error, False, False, {"error": error}

    def _observe(self) -> dict[str, np.ndarray]:
        return {
            "angle": self._data.qpos.copy(),
            "velocity": self._data.qvel.copy(),
            "wished_angle": self._angles[self._moment].copy(),
            "wished_velocity": self._velocities[self._moment].copy(),
        }


def _range(values: np.ndarray) -> spaces.Box:
    return spaces.Box(values.min(0), values.max(0), dtype=np.float64)
