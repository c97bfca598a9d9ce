"""Reads the published codes' traces in tests/golden of the repository.

A file is one or more traces, each a line of JSON and then numbers; the converters there say what
they mean.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parents[3] / "tests" / "golden"


class Arrays(NamedTuple):
    header: dict
    arrays: dict


def read(file):
    """The only trace, or the first one, of a file."""
    line, _, numbers = file.read_bytes().partition(b"\n")
    header, at, arrays = json.loads(line), 0, {}
    for array in header["arrays"]:
        count = int(np.prod(array["shape"]))
        values = np.frombuffer(numbers, "<f8", count, offset=8 * at)
        arrays[array["name"]] = values.reshape(array["shape"])
        at += count
    return Arrays(header, arrays)


def worst(values, expected):
    """The greatest distance, relative where the expected value is beyond 1."""
    return np.max(np.abs(values - expected) / np.maximum(1, np.abs(expected)))
