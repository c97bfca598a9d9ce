import uuid

import numpy as np
import pytest

import prospero


def test_a_network_is_what_its_spec_says(make, chain):
    network = make(chain(), labels={"team": "a"})
    assert network.name == f"networks/{network.id}"
    assert network.state == "running" and network.clock == "lockstep" and network.learning
    assert network.labels == {"team": "a"} and network.cursor == (0, 0) or network.cursor.step == 0
    assert network.dt_ms == 0.5
    assert [p.name for p in network.spec.gle.populations] == ["input", "hidden", "output"]


def test_a_network_is_found_by_id_and_by_name(client, make, chain):
    network = make(chain())
    assert client.get_network(network.id).uid == network.uid
    assert client.get_network(network.name).uid == network.uid


def test_the_server_chooses_an_id(client, chain):
    network = client.create_network(chain())
    try:
        assert network.id and client.get_network(network.id).uid == network.uid
    finally:
        network.delete()


def test_an_unknown_network_is_not_found(client):
    with pytest.raises(prospero.NotFound) as error:
        client.get_network("no-such-network")
    assert error.value.reason


def test_an_id_is_taken_once(client, make, chain):
    network = make(chain())
    with pytest.raises(prospero.AlreadyExists):
        client.create_network(chain(), network.id)


def test_the_same_request_gets_the_same_answer(client, make, chain):
    request = str(uuid.uuid4())
    network = make(chain(), request_id=request)
    again = client.create_network(chain(), network.id, request_id=request)
    assert again.uid == network.uid
    with pytest.raises(prospero.InvalidArgument) as error:
        client.create_network(chain((2, 4, 1)), network.id, request_id=request)
    assert error.value.reason == "REQUEST_ID_REUSED"


def test_networks_are_listed_page_by_page_and_by_label(client, make, chain):
    mark = uuid.uuid4().hex[:8]
    names = sorted(make(chain(), labels={"mark": mark}).name for _ in range(5))
    listed = [n.name for n in client.list_networks(f'labels.mark = "{mark}"', page_size=2)]
    assert listed == names


def test_a_deleted_network_is_gone(client, chain):
    network = client.create_network(chain())
    network.delete()
    with pytest.raises(prospero.NotFound):
        network.refresh()
    with pytest.raises(prospero.NotFound):
        network.delete()
    network.delete(allow_missing=True)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"dt_ms": -1.0}, "dt_ms"),
        ({"dt_ms": float("nan")}, "dt_ms"),
        ({"tau_m": 0.1}, "tau_m_ms"),
        ({"sizes": (2, 0, 1)}, "size"),
        ({"weights": [np.zeros((3, 3)), None]}, "initializer"),
        ({"weights": [np.full((3, 2), np.inf), None]}, "initializer"),
        ({"gamma": 2.0}, "gamma"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"batch": -3}, "batch_size"),
    ],
)
def test_a_bad_spec_is_refused_by_the_path_of_its_field(client, chain, arguments, field):
    with pytest.raises(prospero.InvalidArgument) as error:
        client.create_network(chain(**arguments))
    assert any(field in violation.field for violation in error.value.field_violations), error.value


def test_validation_checks_and_makes_nothing(client, chain):
    client.validate_network(chain(), "never-made")
    with pytest.raises(prospero.NotFound):
        client.get_network("never-made")
    with pytest.raises(prospero.InvalidArgument):
        client.validate_network(chain(dt_ms=0.0))


def test_what_a_network_takes_is_told_before_it_is_made(client, make, chain):
    told = client.validate_network(chain((3, 5, 2)))
    assert told.neurons == 10 and told.weights == 25 and told.bytes > 25 * 4
    assert str(told) == f"10 neurons, 25 weights, {told.bytes:,} bytes"
    network = make(chain((3, 5, 2)))
    assert network.footprint == told == client.get_network(network.id).footprint
    assert repr(network).endswith("running at 0, 25 weights>")
    wide = client.validate_network(chain((300, 500, 200), precision="float64"))
    narrow = client.validate_network(chain((300, 500, 200)))
    assert wide.weights == narrow.weights == 250_000
    assert 250_000 * 4 < narrow.bytes < 1.2 * 250_000 * 4 < wide.bytes < 1.2 * 250_000 * 8


def test_a_network_of_a_trillion_weights_is_refused_with_both_figures(client, chain):
    large = chain((10**6, 10**6, 1))
    for refused in (client.validate_network, client.create_network):
        with pytest.raises(prospero.LimitExceeded, match="max_weights is 1000000000, .*") as error:
            refused(large)
        assert error.value.metadata == {
            "limit": "max_weights",
            "max": "1000000000",
            "wanted": "1000001000000",
        }


def test_a_projection_to_nowhere_is_refused(client, chain):
    with pytest.raises(prospero.InvalidArgument) as error:
        client.create_network(chain().projection("input", "nowhere"))
    assert "nowhere" in str(error.value)


def test_a_network_beyond_the_limits_is_refused(client):
    with pytest.raises(prospero.LimitExceeded) as error:
        client.create_network(prospero.gle.chain([1, 10**12, 1], dt_ms=1, tau_m=10))
    assert error.value.metadata


def test_the_schema_names_every_variable(make, chain):
    schema = make(chain(batch=4, precision="float64")).schema()
    assert schema["input.r"].role == "input" and schema["input.r"].shape == (4, 2)
    assert schema["output.target"].role == "input" and schema["output.target"].shape == (4, 1)
    assert schema["input_to_hidden.W"].shape == (3, 2)
    assert schema["hidden.u"].dtype == np.float64
    assert schema["hidden.tau_m"].unit == "ms" and schema["hidden.tau_m"].minimum == 0.5
    assert schema["hidden.u"].minimum is None and schema["hidden.u"].maximum is None
    assert schema["input_to_hidden.W.norm"].computed
    assert "hidden_to_output.W" in str(schema)


def test_parameters_change_at_a_step(make, chain):
    network = make(chain())
    network.step(steps=7)
    applied = network.set({"hidden_to_output.W.eta": 0.5, "hidden.tau_m": [5.0, 6.0, 7.0]})
    assert applied.step == 7
    values = network.read("hidden_to_output.W.eta", "hidden.tau_m")
    assert values["hidden_to_output.W.eta"] == 0.5
    assert np.array_equal(values["hidden.tau_m"], [5.0, 6.0, 7.0])


def test_a_number_fills_an_array(make, chain):
    network = make(chain())
    network.set({"input_to_hidden.W": 0.25})
    assert np.all(network.read("input_to_hidden.W")["input_to_hidden.W"] == 0.25)


@pytest.mark.parametrize(
    "values",
    [
        {"no.such": 1.0},
        {"hidden.tau_m": [1.0]},
        {"hidden.tau_m": 0.1},
        {"input_to_hidden.W": np.nan},
    ],
)
def test_a_bad_parameter_changes_nothing(make, chain, values):
    network = make(chain())
    before = network.read("*.W", "*.tau_m")
    with pytest.raises(prospero.ProsperoError):
        network.set({"hidden_to_output.W": 3.0, **values})
    after = network.read("*.W", "*.tau_m")
    assert all(np.array_equal(before[name], after[name]) for name in before.values)


def test_labels_and_learning_change_and_a_stale_etag_is_refused(client, make, chain):
    network = make(chain(), labels={"a": "1"})
    stale = network.etag
    network.update(labels={"b": "2"}, learning=False)
    again = client.get_network(network.id)
    assert again.labels == {"b": "2"} and not again.learning and again.etag != stale
    with pytest.raises(prospero.EtagMismatch):
        network.update(learning=True, etag=stale)


def test_a_network_that_does_not_learn_keeps_its_weights(make, chain):
    network = make(chain(), learning=False)
    before = network.read("*.W")
    network.step({"input": np.ones((50, 2)), "output": np.ones((50, 1))})
    after = network.read("*.W")
    assert all(np.array_equal(before[name], after[name]) for name in before.values)


def test_a_paused_network_refuses_steps_until_it_is_started(make, chain):
    network = make(chain())
    assert network.pause().state == "paused"
    with pytest.raises(prospero.NetworkPaused):
        network.step()
    assert network.start().state == "running"
    assert network.step().cursor.step == 1


def test_a_reset_network_repeats_itself_in_a_new_epoch(make, chain):
    network = make(chain())
    inputs = {"input": np.random.default_rng(1).normal(size=(40, 2)), "output": np.ones((40, 1))}
    first = network.step(inputs)
    network.reset()
    second = network.step(inputs)
    assert np.array_equal(first["output.r"], second["output.r"])
    assert second.cursor == (first.cursor.epoch + 1, first.cursor.step)


def test_a_reset_of_the_state_keeps_the_weights(make, chain):
    network = make(chain())
    network.step({"input": np.ones((40, 2)), "output": np.ones((40, 1))})
    learnt = network.read("*.W")
    network.reset("state")
    after = network.read("*.W", "hidden.u")
    assert all(np.array_equal(learnt[name], after[name]) for name in learnt.values)
    assert not after["hidden.u"].any() and network.refresh().cursor.step == 40


def test_a_clone_goes_on_bit_for_bit(client, make, chain):
    network = make(chain())
    rng = np.random.default_rng(2)
    network.step({"input": rng.normal(size=(40, 2)), "output": np.ones((40, 1))})
    clone = network.clone(labels={"copy": "yes"})
    try:
        more = {"input": rng.normal(size=(40, 2)), "output": np.zeros((40, 1))}
        assert np.array_equal(network.step(more)["output.r"], clone.step(more)["output.r"])
        assert clone.uid != network.uid and clone.labels == {"copy": "yes"}
    finally:
        clone.delete()


def test_a_free_network_runs_by_itself_until_it_is_paused(make, chain):
    network = make(chain(), clock="free")
    assert network.clock == "free" and network.state == "paused"
    network.start()
    with network.subscribe("output.r", every=100) as samples:
        assert next(samples).step < next(samples).step
    step = network.pause().cursor.step
    assert step > 0 and network.refresh().cursor.step == step


def test_the_clock_is_changed_by_one_call(make, chain):
    network = make(chain(), clock="free")
    network.update(clock="lockstep")
    network.start()
    assert network.clock == "lockstep"
    step = network.refresh().cursor.step
    assert network.step().cursor.step == step + 1


def test_the_server_says_what_it_is(client):
    info = client.server_info()
    assert info.product == "prosperod" and info.api_version == "prospero.v1"
    assert "gle" in info.model_kinds and info.limits["max_neurons"] > 0
