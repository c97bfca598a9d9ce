import pytest
from fake import fake_server, network_of

import prospero
from prospero import clock, v1

SPEC = prospero.gle.chain([1, 1], dt_ms=1, tau_m=10)
SLOW = prospero.Realtime(speed=0.5, overrun="catch_up", tolerance=0.004, max_catch_up=0.25)


@pytest.mark.parametrize(
    "settings", [prospero.Realtime(), SLOW, prospero.Realtime(3.0, overrun="slow_down")]
)
def test_the_settings_of_a_realtime_clock_come_back_as_they_went(settings):
    proto = clock.to_proto(settings)
    assert proto.mode == v1.Clock.MODE_REALTIME
    assert clock.realtime_from(proto) == settings and clock.mode_from(proto) == "realtime"


def test_times_are_exact_to_the_nanosecond():
    proto = clock.to_proto(SLOW)
    assert (proto.tolerance.seconds, proto.tolerance.nanos) == (0, 4_000_000)
    assert (proto.max_catch_up.seconds, proto.max_catch_up.nanos) == (0, 250_000_000)
    assert not clock.to_proto("realtime").HasField("tolerance")


def test_other_clocks_have_no_settings():
    assert clock.realtime_from(clock.to_proto("free")) is None
    assert clock.mode_from(v1.Clock()) == "lockstep"


@pytest.mark.parametrize(
    "bad",
    ["real", prospero.Realtime(overrun="hurry"), prospero.Realtime(tolerance=-1.0)],
)
def test_a_clock_that_is_none_is_refused_before_it_is_sent(bad):
    with pytest.raises(prospero.InvalidArgument):
        clock.to_proto(bad)


def test_the_clock_of_a_network_is_one_argument():
    with fake_server() as (target, networks, _), prospero.Client(target) as client:
        client.create_network(SPEC, "a", clock=SLOW)
        assert networks.requests[-1].network.clock == SLOW.to_proto()
        network = network_of(client)
        network.update(clock="realtime")
        assert networks.requests[-1].update_mask.paths == ["clock"]
        assert network.clock == "realtime" and network.realtime == prospero.Realtime()
