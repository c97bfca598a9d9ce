"""The examples do what they say, against a real server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def example(server, tmp_path):
    """Runs an example and returns what it printed; it must exit with 0."""

    def example(name, *arguments):
        command = [sys.executable, str(EXAMPLES / name), "--target", server.target, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return example


def test_the_electrocardiogram_is_forecast_better_than_by_persistence(example, tmp_path):
    output = example("ecg.py", "--seconds", "120", "--plot", "ecg.png")
    skills = re.findall(r"last minute: skill over persistence ([+-][\d.]+)", output)
    assert float(skills[0]) > 0.1, output
    assert "hidden1_to_hidden2.W.norm" in output
    assert (tmp_path / "ecg.png").read_bytes().startswith(b"\x89PNG")


def test_lagline_comes_nearer_to_its_teacher(example, tmp_path):
    output = example("lagline.py", "--steps", "20000", "--plot", "lagline.png")
    student = dict(re.findall(r"(\w+) +teacher [\d.]+ +student ([\d.]+)", output))
    published = {"tau_0": 1.002128, "tau_1": 1.207279, "W_0": 0.630142, "W_1": 2.038006}
    for name, value in published.items():
        assert float(student[name]) == pytest.approx(value, rel=2e-3), output
    assert (tmp_path / "lagline.png").exists()


def test_the_network_takes_the_arm_over_from_the_reflex(example):
    output = example("closed_loop.py", "--steps", "8000")
    alone, first, taught, frozen = map(float, re.findall(r"(0\.\d+)", output)[:4])
    assert taught < 0.2 * alone and frozen < 0.5 * alone, output


def test_the_observer_sees_weights_of_a_driven_network(example, make, chain):
    network = make(chain())
    with network.drive() as drive:
        drive.run({"input": [1.0, 1.0], "output": [1.0]}, steps=100)
        output = example("observe.py", "--network", network.id, "--count", "2")
    assert "input_to_hidden.W.norm" in output and "step       100" in output
