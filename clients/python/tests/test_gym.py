"""Networks in Gymnasium's loops, against a real server."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import prospero
from prospero import gle, gym
from prospero.errors import FailedPrecondition, InvalidArgument

SENSES = spaces.Box(np.array([-1.0, -2.0]), np.array([1.0, 2.0]), dtype=np.float64)
FORCES = spaces.Box(-3.0, 3.0, (1,), np.float64)


class Cart(gymnasium.Env):
    """Its velocity lags behind the force, against a wind; it should be where the sine is."""

    observation_space = spaces.Dict({"miss": spaces.Box(-9, 9, (1,)), "phase": SENSES})
    action_space = FORCES

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x = self.periods = 0
        return self.observe(), {}

    def step(self, action):
        self.x += 0.1 * (float(action[0]) - self.x + 0.5)
        self.periods += 1
        return self.observe(), -abs(self.wish - self.x), False, self.periods == 250, {}

    @property
    def wish(self):
        return np.sin(0.1 * self.periods)

    def observe(self):
        phase = np.array([np.sin(0.1 * self.periods), 2 * np.cos(0.1 * self.periods)])
        return {"miss": np.array([self.wish - self.x], np.float32), "phase": phase}


@pytest.fixture
def act(make, chain):
    """Makes an actor of a small network; arguments of `gym.Actor` change it."""

    def act(observations=SENSES, actions=FORCES, network=None, **arguments):
        network = network or make(chain())
        return gym.Actor(network, observations, actions, **{"steps": 4, **arguments})

    return act


def test_an_action_is_the_output_in_the_units_of_the_space(make, chain):
    spec, senses = chain(learning_rate=None), [0.5, -1.0]
    with gym.Actor(make(spec), SENSES, FORCES, steps=6, answer_after=4) as actor:
        action = actor.act(senses)
    with make(spec).drive() as drive:
        rates = drive.advance({"input": [0.5, -0.5]}, steps=4)["output.r"][-1]
    assert FORCES.contains(action)
    assert action == pytest.approx(3.0 * rates[0].astype(float), abs=1e-12) and action[0] != 0


def test_each_period_has_as_many_steps_taught_or_not(act):
    with act(steps=5, answer_after=2) as actor:
        for period in range(4):
            actor.act([0.1, 0.2])
            if period == 1:
                actor.teach([1.0])
    assert actor.network.refresh().cursor.step == 20


def test_a_period_takes_its_steps_from_its_length(act):
    actor = act(steps=None, period_ms=10.0)  # of 0.5 ms
    assert (actor.steps, actor.answer_after, actor.period_ms) == (20, 10, 10.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": None}, "steps"),
        ({"steps": 0}, "steps"),
        ({"steps": None, "period_ms": 0.7}, "whole steps of 0.5 ms"),
        ({"steps": 4, "period_ms": 5.0}, "do not make"),
        ({"answer_after": 5}, "in 1 to 4"),
        ({"observations": spaces.Box(-np.inf, 1.0, (2,))}, "needs a scale"),
        ({"observation_scale": [1.0, 0.0]}, "must be positive"),
        ({"observations": spaces.MultiBinary(2)}, "Box or a Discrete"),
        ({"observations": spaces.Dict(a=SENSES), "inputs": {"b": "input"}}, "no key 'b'"),
        ({"observations": spaces.Dict(a=SENSES), "inputs": "input"}, "for keys of the Dict"),
        ({"inputs": {"a": "input"}}, "no Dict"),
    ],
)
def test_what_does_not_fit_is_refused(act, arguments, message):
    with pytest.raises(InvalidArgument, match=message):
        act(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observations": spaces.Box(-1, 1, (3,))}, "has 3 numbers, population 'input' has 2"),
        ({"actions": spaces.Discrete(2)}, "action: has 2 numbers, population 'output' has 1"),
        ({"inputs": "eye"}, "no input population 'eye'"),
    ],
)
def test_what_the_network_lacks_is_found_on_opening_and_the_lease_given_back(
    act, make, chain, arguments, message
):
    network = make(chain())
    with pytest.raises(InvalidArgument, match=message), act(network=network, **arguments):
        pass
    assert not network.refresh().driven


def test_a_free_running_network_is_refused(act, make, chain):
    with pytest.raises(InvalidArgument, match="must be 'lockstep', is 'free'"):
        act(network=make(chain(), clock="free"))


def test_a_network_learns_what_it_is_taught_and_nothing_else(act, make, chain):
    network = make(chain(learning_rate=0.1))
    with act(network=network, steps=20) as actor:
        before = network.read("*.W")
        for _ in range(20):
            actor.act([0.5, 1.0])
        assert all(
            np.array_equal(W, before[name]) for name, W in network.read("*.W").values.items()
        )
        for _ in range(200):
            actor.act([0.5, 1.0])
            actor.teach([2.4])
        assert actor.act([0.5, 1.0]) == pytest.approx([2.4], abs=0.01)


def test_a_lesson_may_be_about_another_observation(act, make, chain):
    network = make(chain(learning_rate=0.1))
    with act(network=network, steps=20) as actor:
        for _ in range(200):
            actor.act([-0.5, 1.0])
            actor.teach([2.4], [0.5, 1.0])
        assert actor.act([0.5, 1.0]) == pytest.approx([2.4], abs=0.2)


def test_there_must_be_an_action_to_teach(act):
    with act() as actor:
        with pytest.raises(FailedPrecondition, match="left to teach"):
            actor.teach([1.0])
        actor.act([0.0, 0.0])
        actor.teach([1.0])
        with pytest.raises(FailedPrecondition, match="left to teach"):
            actor.teach([1.0])


def test_without_steps_after_the_answer_there_is_no_teaching(act):
    with act(steps=4, answer_after=4) as actor:
        actor.act([0.0, 0.0])
        with pytest.raises(FailedPrecondition, match="left to teach"):
            actor.teach([1.0])


def test_an_actor_acts_only_while_it_is_open(act):
    actor = act()
    with pytest.raises(FailedPrecondition, match="not open"):
        actor.act([0.0, 0.0])


def test_a_wrong_shape_is_refused_and_the_loop_goes_on(act):
    with act() as actor:
        with pytest.raises(InvalidArgument, match=r"shape \(2,\), got \(3,\)"):
            actor.act([1.0, 2.0, 3.0])
        actor.act([0.0, 0.0])


def test_a_reset_forgets_the_episode_and_keeps_what_was_learned(act, make, chain):
    network = make(chain(learning_rate=0.1))
    with act(network=network) as actor:
        first = actor.act([0.5, 1.0])
        actor.reset()
        assert np.array_equal(actor.act([0.5, 1.0]), first)
        actor.teach([3.0])
        actor.reset()
        assert actor.act([0.5, 1.0]) > first


def test_a_reset_puts_back_what_it_is_told(act, make, chain):
    network = make(chain(learning_rate=0.1))
    with act(network=network, resets=("state", "weights")) as actor:
        first = actor.act([0.5, 1.0])
        actor.teach([3.0])
        actor.reset()
        assert np.array_equal(actor.act([0.5, 1.0]), first)
    with act(network=network, resets=()) as actor:
        epoch = network.refresh().cursor.epoch
        actor.act([0.5, 1.0])
        actor.reset()
        assert network.refresh().cursor.epoch == epoch


def test_after_it_has_diverged_a_network_is_reset_and_goes_on(act, make, chain):
    network = make(chain(learning_rate=1e6))
    with act(network=network, resets=("state", "weights")) as actor:
        first = actor.act([0.5, 1.0])
        with pytest.raises(prospero.ProsperoError) as error:
            for _ in range(100):
                actor.teach([3.0])
                actor.act([0.5, 1.0])
        assert isinstance(error.value, prospero.Diverged)
        actor.reset()
        assert np.array_equal(actor.act([0.5, 1.0]), first)


def test_an_actor_whose_lease_is_taken_says_so_and_closes(act, make, chain):
    network = make(chain())
    with act(network=network) as actor:
        actor.act([0.5, 1.0])
        with network.drive(preempt=True) as drive:
            with pytest.raises(prospero.LeaseLost):
                actor.act([0.5, 1.0])
            drive.advance({"input": [0.0, 0.0]})


def test_choices_are_learned_by_name(make):
    network = make(gle.chain([3, 8, 2], dt_ms=1, tau_m=5, learning_rate=0.1, seed=1))
    rooms, doors = spaces.Discrete(3, start=5), spaces.Discrete(2, start=1)
    right = {5: 1, 6: 2, 7: 1}
    with gym.Actor(network, rooms, doors, steps=10) as actor:
        for episode in range(150):
            actor.act(5 + episode % 3)
            actor.teach(right[5 + episode % 3])
        assert {room: int(actor.act(room)) for room in right} == right
        assert doors.contains(actor.act(6))


def test_a_vector_of_environments_is_a_batch(make, chain):
    """Each trial answers as a network that has it alone."""
    observations = np.array([[0.5, 1.0], [-0.5, 2.0], [0.0, -1.0]])
    with gym.Actor(make(chain(batch=3)), SENSES, FORCES, steps=4) as actor:
        together = actor.act(observations)
        actor.teach(together + 1.0)
        with pytest.raises(InvalidArgument, match=r"shape \(3, 2\)"):
            actor.act(observations[0])
    assert actor.trials == 3 and together.shape == (3, 1)
    for observation, action in zip(observations, together):
        with gym.Actor(make(chain()), SENSES, FORCES, steps=4) as actor:
            assert np.allclose(actor.act(observation), action, atol=1e-6)


def test_a_vector_env_of_gymnasium_is_driven(make, chain):
    envs = gymnasium.vector.SyncVectorEnv([Cart] * 3)
    network = make(chain(batch=3))
    spaces_ = envs.single_observation_space, envs.single_action_space
    with gym.Actor(network, *spaces_, steps=4, inputs={"phase": "input"}) as actor:
        observation, _ = envs.reset(seed=1)
        for _ in range(5):
            action = actor.act(observation)
            assert envs.action_space.contains(action)
            observation, *_ = envs.step(action)
            actor.teach(action + observation["miss"])
    envs.close()


def test_a_network_takes_over_from_a_weak_controller(make, chain):
    """Nothing is drawn but the first weights, of a fixed seed."""
    network = make(chain((2, 20, 1), learning_rate=0.05))
    env, parts, rewards = Cart(), [], []
    spaces_ = env.observation_space, env.action_space
    with gym.Actor(network, *spaces_, steps=6, inputs={"phase": "input"}) as actor:
        loop = gym.FeedbackErrorLearning(env, actor)
        for _ in range(6):
            observation, _ = loop.reset(seed=1)
            ended, parts, total = False, [], 0.0
            while not ended:
                outside = 2.0 * observation["miss"]
                observation, reward, _, ended, info = loop.step(outside)
                assert np.allclose(info["command"], np.clip(info["network"] + outside, -3, 3))
                parts.append((abs(info["network"][0]), abs(outside[0])))
                total += reward
            rewards.append(total)
    assert rewards[-1] > 0.3 * rewards[0]
    of_network, of_controller = np.mean(parts, axis=0)
    assert of_controller < 0.1 * of_network


def test_a_network_that_is_not_taught_only_acts(make, chain):
    network, env = make(chain()), Cart()
    spaces_ = env.observation_space, env.action_space
    with gym.Actor(network, *spaces_, steps=4, inputs={"phase": "input"}) as actor:
        before = network.read("*.W")
        loop = gym.FeedbackErrorLearning(env, actor, teach=False)
        loop.reset(seed=1)
        for _ in range(10):
            loop.step(np.ones(1))
        assert all(
            np.array_equal(W, before[name]) for name, W in network.read("*.W").values.items()
        )


def test_an_environment_of_choices_cannot_be_added_to(act):
    env = gymnasium.make("CartPole-v1")
    with pytest.raises(InvalidArgument, match="must be a Box"):
        gym.FeedbackErrorLearning(env, act())


def test_another_kind_of_network_acts_and_learns(make):
    circuit = prospero.microcircuit.chain(
        [2, 8, 1],
        dt_ms=0.1,
        W=prospero.Uniform(-1, 1),
        learn_W=prospero.SGD.per_ms(5.0, 0.1),
        feedback=prospero.Random(prospero.Uniform(-1, 1)),
        seed=1,
    )
    network = make(circuit)
    with gym.Actor(network, SENSES, spaces.Box(-1, 1, (1,)), steps=40) as actor:
        first = actor.act([0.5, 1.0])
        for _ in range(50):
            actor.act([0.5, 1.0])
            actor.teach([0.8])
        last = actor.act([0.5, 1.0])
    assert abs(last[0] - 0.8) < abs(first[0] - 0.8)
