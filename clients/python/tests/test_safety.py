import numpy as np
import pytest
from fake import fake_server, network_of

import prospero
from prospero import v1
from prospero._arrays import from_tensor


def declared():
    return (
        prospero.Safety(driver_timeout=0.5)
        .input("camera", timeout=0.2, fallback="zero")
        .input("touch", timeout=1.0, fail_safe=[1.0, 2.0])
        .output("arm", fail_safe=0.0)
        .output("head")
    )


def test_what_is_declared_is_in_the_message():
    proto = declared().to_proto()
    camera, touch = proto.inputs
    arm, head = proto.outputs
    assert camera.timeout.nanos == 200_000_000 and camera.fallback == v1.Safety.FALLBACK_ZERO
    assert touch.fallback == v1.Safety.FALLBACK_FAIL_SAFE
    assert np.array_equal(from_tensor(touch.fail_safe), [1.0, 2.0])
    assert arm.fallback == v1.Safety.FALLBACK_FAIL_SAFE and from_tensor(arm.fail_safe) == 0.0
    assert head.fallback == v1.Safety.FALLBACK_HOLD and not head.HasField("fail_safe")
    assert proto.driver_timeout.nanos == 500_000_000 and not proto.keep_learning


def test_it_can_be_read():
    safety = declared()
    assert safety.inputs == {"camera": 0.2, "touch": 1.0} and safety.outputs == ["arm", "head"]
    assert safety.driver_timeout == 0.5 and not safety.keep_learning
    assert prospero.Safety().driver_timeout is None
    assert safety == declared() != prospero.Safety()
    assert "camera" in repr(safety)


def test_a_value_beside_another_fallback_is_refused():
    with pytest.raises(prospero.InvalidArgument, match="camera: fallback"):
        prospero.Safety().input("camera", 1.0, "zero", fail_safe=1.0)
    with pytest.raises(prospero.InvalidArgument, match="must be hold or zero"):
        prospero.Safety().output("arm", "stop")


def test_safety_of_a_network_is_one_argument():
    spec = prospero.gle.chain([1, 1], dt_ms=1, tau_m=10)
    with fake_server() as (target, networks, _), prospero.Client(target) as client:
        client.create_network(spec, "a", safety=declared())
        assert networks.requests[-1].network.safety == declared().to_proto()
        network = network_of(client)
        assert network.safety is None and not network.unsafe
        network.update(safety=declared())
        assert networks.requests[-1].update_mask.paths == ["safety"]
        assert network.safety == declared()
        network.update(safety=prospero.Safety())
        assert networks.requests[-1].network.HasField("safety")
