"""What README.md builds can be built."""

import re
from pathlib import Path

import numpy as np
import pytest

import prospero
from prospero import gle

TEXT = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = [block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "spec =" in block]


def test_the_readme_builds_networks():
    assert len(BLOCKS) == 3


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_readme_builds_is_valid(block, client):
    names = {"np": np, "prospero": prospero, "gle": gle}
    for part in block.split("\n\n"):
        exec(part, names)
        if "spec" in names:
            client.validate_network(names.pop("spec"))
