"""The package builds as its users build it, and its public part is typed."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

# An isolated build installs its tools first: on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[1]


def python(*arguments, cwd=ROOT):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a source distribution and of the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    python("-m", "build", "--outdir", str(folder), str(ROOT), cwd=folder)
    return folder


def test_the_wheel_has_the_code_of_the_protos_and_its_types(built):
    (wheel,) = built.glob("*-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "py.typed",
        "v1/network_pb2.py",
        "v1/network_pb2.pyi",
        "v1/simulation_service_pb2_grpc.py",
        "aio/client.py",
    ):
        assert f"prospero/{name}" in names
    assert all(name.startswith(("prospero/", "prospero-")) for name in names)


def test_the_source_distribution_carries_the_protos(built):
    (source,) = built.glob("*.tar.gz")
    names = [name.partition("/")[2] for name in tarfile.open(source).getnames()]
    assert "proto/prospero/v1/network.proto" in names
    assert not any(name.endswith("_pb2.py") for name in names)


def test_types_are_strict():
    python("-m", "mypy")
