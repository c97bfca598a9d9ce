import numpy as np
import pytest

import prospero
from prospero._tape import INPUTS, PARAMETERS, Tape
from prospero.values import Cursor, Sample

STEPS = 6


def tape():
    """Inputs x and a target that is there in steps 2 and 3; eta changes in step 4."""
    tape = Tape(Cursor(0, 10), 0.5)
    for index in range(STEPS):
        cursor = Cursor(0, 11 + index)
        if index in (0, 4):
            values = {"W.eta": np.float32(0.1 if index == 0 else 0.2), "learning": np.float32(1)}
            tape.add(Sample(cursor, values, PARAMETERS))
        values = {
            "input.r": np.full((1, 2), index, np.float32),
            "output.target": np.full((1, 1), -index, np.float32),
            "output.teach": np.float32(index in (2, 3)),
        }
        tape.add(Sample(cursor, values, INPUTS))
    return tape


def test_a_tape_is_cut_where_parameters_change():
    first, second = tape().segments()
    assert (first.steps, second.steps) == (4, 2)
    assert first.parameters == {"W.eta": np.float32(0.1)} and first.learning is True
    assert second.parameters == {"W.eta": np.float32(0.2)} and second.learning is None


def test_what_was_absent_is_absent_again():
    first, second = tape().segments()
    assert set(first.inputs) == {"input.r", "output.target"}
    assert [row is None for row in first.inputs["output.target"]] == [True, True, False, False]
    assert second.inputs["output.target"] == [None, None]
    assert np.array_equal(first.inputs["input.r"][:, 0, 0], [0, 1, 2, 3])


def test_a_step_that_is_missing_is_an_error():
    recorded = tape()
    with pytest.raises(prospero.Aborted, match="step 17 was not recorded"):
        recorded.add(Sample(Cursor(0, 18), {}, INPUTS))
    with pytest.raises(prospero.Aborted, match="reset"):
        recorded.add(Sample(Cursor(1, 17), {}, INPUTS))


def test_a_record_comes_back_from_its_file(tmp_path):
    path = tmp_path / "run.npz"
    tape().save(path)
    record = prospero.Record.load(path)
    assert record.start == (0, 10) and record.cursor == (0, 16) and record.steps == STEPS
    assert np.array_equal(record["input.r"], tape().array("input.r"))
    for a, b in zip(record.tape.segments(), tape().segments()):
        assert a.steps == b.steps and a.parameters == b.parameters and a.learning == b.learning
    np.savez(tmp_path / "other.npz", x=1)
    with pytest.raises(prospero.InvalidArgument, match="other.npz"):
        prospero.Record.load(tmp_path / "other.npz")


def test_an_empty_tape_has_nothing_to_do():
    assert list(Tape(Cursor(0, 0), 1.0).segments()) == []
