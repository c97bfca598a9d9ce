import json

import numpy as np
import pytest

import prospero
from prospero.mqtt import Config, Input, Output
from prospero.mqtt.__main__ import config_from, parser
from prospero.mqtt.payload import decode, encode

FILE = """
network = "robot"
target = "10.0.0.1:50051"
host = "broker"
status = "robot/status"

[[inputs]]
topic = "robot/camera"
input = "camera"
format = "float32"
between = "linear"

[[outputs]]
variable = "arm.command"
topic = "robot/arm"
field = "data"
max_rate = 50
"""


def parsed(*arguments):
    return config_from(parser().parse_args(list(arguments)))


def test_flags_come_on_top_of_the_file(tmp_path):
    path = tmp_path / "bridge.toml"
    path.write_text(FILE)
    config = parsed("--config", str(path), "--broker", "other:1884", "--input", "a/b=touch")
    assert config == Config(
        network="robot",
        target="10.0.0.1:50051",
        host="other",
        port=1884,
        status="robot/status",
        inputs=(
            Input("robot/camera", "camera", "float32", between="linear"),
            Input("a/b", "touch"),
        ),
        outputs=(Output("arm.command", "robot/arm", field="data", max_rate=50),),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "a=b"], "network: is required"),
        (["--network", "a"], "nothing to bridge"),
        (["--network", "a", "--input", "a"], "--input: must be two names"),
        (["--network", "a", "--input", "a/+=b"], "without wildcards"),
        (["--network", "a", "--input", "a=b", "--input", "a=c"], "stands for two inputs"),
        (["--network", "a", "--input", "a=b", "--broker", "host:x"], "broker: must be HOST"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_bridged_is_refused(arguments, message):
    with pytest.raises(prospero.InvalidArgument, match=message):
        parsed(*arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("netwrok = 'a'", "netwrok: is none of network"),
        ("network = 'a'\n[[inputs]]\ntopic = 'a'\nport = 'b'", "inputs.port: is none of topic"),
        ("network = 'a'\n[[inputs]]\ntopic = 'a'", "inputs: .*'input'"),
        ("network = 'a'\n[[outputs]]\nvariable = 'a'\ntopic = 'b'\nqos = 3", "qos: must be 0, 1"),
        ("network = 'a'\n[[outputs]]\nvariable = 'a'\ntopic = 'b'\nformat = 'xml'", "format: must"),
        ("network =", "bridge.toml"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, message):
    path = tmp_path / "bridge.toml"
    path.write_text(text)
    with pytest.raises(prospero.InvalidArgument, match=message):
        parsed("--config", str(path))


def test_payloads_are_json_arrays_or_raw_floats():
    values = np.array([[1.5, -2.0]])
    for format, payload in [
        ("json", b"[1.5, -2.0]"),
        ("float32", np.array([1.5, -2.0], "<f4").tobytes()),
        ("float64", np.array([1.5, -2.0], "<f8").tobytes()),
    ]:
        assert encode(values, format, "") == payload
        assert np.array_equal(decode(payload, format, "", (1, 2)), values)
    assert json.loads(encode(values, "json", "data")) == {"data": [1.5, -2.0]}
    assert np.array_equal(decode(b'{"data": [[1.5, -2]]}', "json", "data", (1, 2)), values)
    assert decode(b"7", "json", "", ()) == 7.0 and encode(np.array(7.0), "json", "") == b"7.0"


@pytest.mark.parametrize(
    ("payload", "format", "field"),
    [
        (b"[1, 2, 3]", "json", ""),
        (b"[1, ", "json", ""),
        (b'["a", "b"]', "json", ""),
        (b"[1, 2]", "json", "data"),
        (b"[[1], 2]", "json", ""),
        (b"\xff\xfe", "json", ""),
        (b"1234567", "float32", ""),
        (b"12345678", "float64", ""),
    ],
)
def test_a_payload_of_something_else_is_refused(payload, format, field):
    with pytest.raises(ValueError):
        decode(payload, format, field, (1, 2))
