"""Networks as controllers in Gymnasium's loops (needs `pip install "prospero[gym]"`).

    with gym.Actor(network, env.observation_space, env.action_space, period_ms=10.0) as actor:
        observation, _ = env.reset(seed=1)
        actor.reset()
        while running:
            action = actor.act(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            actor.teach(target)          # what the action should have been; or nothing

`Actor` is a network in lockstep with an environment, or with a vector of environments, one for
each trial of its batch. `FeedbackErrorLearning` puts one inside an environment, where it learns
from whoever acts on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, SupportsFloat

import numpy as np

try:
    import gymnasium
    from gymnasium import spaces
except ImportError:
    raise ImportError("prospero.gym needs Gymnasium: pip install 'prospero[gym]'") from None

from prospero._gym_ports import Array, Port, Scale, observed
from prospero._requests import Scope
from prospero.drive import Drive
from prospero.errors import FailedPrecondition, ProsperoError, invalid
from prospero.network import Network


class Actor:
    """A network in the place of a policy: observations in, actions out, learning on.

    Time. In each control period the network makes `steps` steps of dt_ms with one observation.
    Its action is read after the first `answer_after` of them, in which it has no teacher; `teach`
    makes the rest of them with a target, else the next call makes them without. A value needs one
    step for each layer on its way to the output. With the environment's own control period as
    `period_ms`, time constants in ms mean the environment's time.

    It holds the network's lease from `open` to `close`, as a context manager. For one thread at
    a time.

    Args:
        network: in lockstep. With a batch of more than one, observations, actions and targets
            have one row for each trial, as those of a `gymnasium.vector.VectorEnv`.
        observation_space: of one environment: Box, Discrete (one neuron for each choice), or a
            Dict of these.
        action_space: of one environment: Box, or Discrete (the largest output is chosen).
        steps: in a control period. None takes it from `period_ms`.
        period_ms: length of a control period [ms]; `steps` times dt_ms.
        answer_after: steps, in 1 to `steps`; None is half of them. When it is `steps`, there is
            no time to teach.
        inputs: population that hears the observation; None is "input". For a Dict, a population
            for each key that is to be heard; None is a population for each, named as the key.
        output: population that acts.
        observation_scale: the difference that an input of 1 stands for, with 0 as 0; by key for
            a Dict. None maps the bounds of a Box to -1 and 1; one without bounds needs a scale.
        action_scale: the action that an output of 1 stands for, with 0 as 0. None maps -1 and 1
            to the bounds.
        resets: what `reset` puts back, of "state", "weights", "noise" and "step". ("state",)
            forgets the last episode and keeps what was learned; () lets the neurons go on.
        heartbeat: see `Network.drive`.

    Raises:
        InvalidArgument: spaces, scales, populations or times do not fit.
    """

    def __init__(
        self,
        network: Network,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *,
        steps: int | None = None,
        period_ms: float | None = None,
        answer_after: int | None = None,
        inputs: str | Mapping[str, str] | None = None,
        output: str = "output",
        observation_scale: Scale = None,
        action_scale: Any = None,
        resets: Iterable[Scope] = ("state",),
        heartbeat: float | None = None,
    ) -> None:
        if network.clock != "lockstep":
            raise invalid("network", f"its clock must be 'lockstep', is {network.clock!r}")
        self.network = network
        self.observation_space, self.action_space = observation_space, action_space
        self.steps = _steps(network.dt_ms, steps, period_ms)
        self.answer_after = max(self.steps // 2, 1) if answer_after is None else answer_after
        if not 1 <= self.answer_after <= self.steps:
            raise invalid(
                "answer_after", f"must be in 1 to {self.steps} steps, got {self.answer_after}"
            )
        self._inputs = observed(observation_space, inputs, observation_scale)
        self._output = Port(output, action_space, action_scale, "action")
        self._resets, self._heartbeat = tuple(resets), heartbeat
        self._drive: Drive | None = None
        self._heard: dict[str, Array] | None = None
        self._rest = 0
        self._rates = f"{output}.r"
        self.trials = 1

    @property
    def period_ms(self) -> float:
        """Model time that passes in a control period [ms]."""
        return self.steps * self.network.dt_ms

    def open(self) -> Actor:
        """Attaches to the network. Called by the context manager."""
        drive = self.network.drive(outputs=self._rates, heartbeat=self._heartbeat).open()
        try:
            known = {variable.name: variable for variable in (*drive.inputs, *drive.outputs)}
            for port in self._inputs.values():
                if f"{port.population}.r" not in known:
                    raise invalid("inputs", f"no input population {port.population!r}")
                port.check(known[f"{port.population}.r"])
            self._output.check(known[self._rates])
            self.trials = known[self._rates].shape[0]
        except BaseException:
            drive.close()
            raise
        self._drive = drive
        return self

    def close(self) -> None:
        """Completes the last period, where the drive still goes on, and gives the lease back."""
        if self._drive is not None:
            with suppress(ProsperoError):
                self._complete()
            self._drive.close()
            self._drive = None

    def reset(self) -> None:
        """A new episode: completes the last period, then puts back `resets`. All trials are put
        back at once; when only one environment of a vector begins anew, its trial goes on."""
        self._complete()
        if self._resets:
            self.network.reset(*self._resets)

    def act(self, observation: Any) -> Any:
        """The action of this observation: completes the period before and begins this one.

        Raises as `Drive.advance`: LeaseLost, ..., and Diverged, after which a `reset` of state
        and weights lets it go on.
        """
        heard = self._rates_of(observation)
        before, self._heard = self._heard, None
        rates = self._advance(before, self._rest, heard, self.answer_after)
        self._heard, self._rest = heard, self.steps - self.answer_after
        return self._output.value(rates)

    def teach(self, target: Any, observation: Any = None) -> None:
        """Says what the last action should have been, and completes its period with that.

        Args:
            target: an action; not clipped.
            observation: what the network shall hear meanwhile; None is what it acted on.

        Raises:
            FailedPrecondition: no action since the last reset or lesson, or `answer_after`
                leaves no steps to teach in.
        """
        if self._heard is None or self._rest == 0:
            raise FailedPrecondition("no steps of a period are left to teach in")
        heard = self._heard if observation is None else self._rates_of(observation)
        lesson = {**heard, self._output.population: self._output.rates(target, self.trials)}
        self._heard = None
        self._advance(lesson, self._rest)

    def __enter__(self) -> Actor:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif self._drive is not None:
            self._drive.__exit__(kind, error, trace)
            self._drive = None

    def _rates_of(self, observation: Any) -> dict[str, Array]:
        return {
            port.population: port.rates(
                observation if key is None else observation[key], self.trials
            )
            for key, port in self._inputs.items()
        }

    def _complete(self) -> None:
        """The rest of the last period."""
        before, self._heard = self._heard, None
        if before is not None and self._rest > 0:
            self._advance(before, self._rest)

    def _advance(
        self,
        first: dict[str, Array] | None,
        steps: int,
        then: dict[str, Array] | None = None,
        more: int = 0,
    ) -> Array:
        """So many steps with the first inputs, then more with others, in one message. Returns the
        rates of the output after the last step, [trials, size]."""
        if self._drive is None:
            raise FailedPrecondition("the actor is not open; use it in a with statement")
        if first is None or steps == 0:
            first, steps, more = then or {}, more, 0
        rows: dict[str, Array] = first
        if then is not None and more > 0:
            rows = {
                name: np.repeat(np.stack([values, then[name]]), [steps, more], axis=0)
                for name, values in first.items()
            }
        total = steps + more
        advanced = self._drive.advance(rows, steps=total, output_every=total)
        return np.asarray(advanced[self._rates][-1], np.float64)


class FeedbackErrorLearning(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment with a network inside that takes over from the controller outside.

    What the environment gets is the network's action plus that of the caller, and this sum is
    the network's target: what the caller still had to do is its error (feedback-error learning;
    Kawato, Furukawa & Suzuki, Biological Cybernetics 57, 169-185, 1987). So the caller's
    controller, which may be weak, has less and less to do, while it stays in charge of what is
    not learned yet. Observations, rewards and spaces are the environment's. `info` has the
    parts: "network" and "command", the sum, clipped to the action space.

    Args:
        env: with a Box for actions.
        actor: open, of the environment's spaces. It is reset with the environment.
        teach: False: the network acts and is not taught.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], actor: Actor, *, teach: bool = True) -> None:
        super().__init__(env)
        if not isinstance(env.action_space, spaces.Box):
            raise invalid("env", f"its actions must be a Box, are {env.action_space}")
        self._box, self._actor, self.teach = env.action_space, actor, teach
        self._observation: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        self._observation, info = self.env.reset(seed=seed, options=options)
        self._actor.reset()
        return self._observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        network = self._actor.act(self._observation)
        command = np.clip(network + np.asarray(action), self._box.low, self._box.high)
        command = command.astype(self._box.dtype)
        self._observation, reward, terminated, truncated, info = self.env.step(command)
        if self.teach:
            self._actor.teach(command)
        info = {**info, "network": network, "command": command}
        return self._observation, reward, terminated, truncated, info


def _steps(dt_ms: float, steps: int | None, period_ms: float | None) -> int:
    """Network steps in a control period."""
    if period_ms is None:
        if steps is None or steps < 1:
            raise invalid("steps", f"must be at least 1, or period_ms given, got {steps}")
        return steps
    whole = round(period_ms / dt_ms)
    if whole < 1 or abs(whole * dt_ms - period_ms) > 1e-6 * period_ms:
        raise invalid("period_ms", f"must be whole steps of {dt_ms:g} ms, got {period_ms:g}")
    if steps not in (None, whole):
        raise invalid("steps", f"{steps} of {dt_ms:g} ms do not make period_ms = {period_ms:g}")
    return whole
