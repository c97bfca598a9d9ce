import numpy as np
import pytest

import prospero
from prospero._frames import Ports, Series, pieces
from prospero.values import Variable


def variable(name, shape, uid=1):
    return Variable(uid, name, "input", np.dtype("<f4"), shape, "1", "", False)


@pytest.fixture
def ports():
    return Ports(
        [
            variable("input.r", (1, 3), 1),
            variable("output.target", (1, 2), 2),
            variable("output.beta", (), 3),
        ]
    )


def test_a_population_stands_for_its_port(ports):
    assert ports["input"].uid == ports["input.r"].uid == 1
    assert ports["output"].uid == 2


def test_an_unknown_input_is_refused_with_the_known_ones(ports):
    with pytest.raises(prospero.InvalidArgument, match="'inputs'.*input.r.*output.target"):
        ports["inputs"]


def test_one_value_of_each_input_is_a_single_step(ports):
    frames, steps, single = ports.frames({"input": [1, 2, 3], "output": [[0, 1]]}, None)
    assert (steps, single) == (1, True)
    assert [f.values.shape for f in frames] == [(1, 1, 3), (1, 1, 2)]


def test_rows_make_as_many_steps(ports):
    frames, steps, single = ports.frames({"input": np.ones((5, 3)), "output.beta": 0.5}, None)
    assert (steps, single) == (5, False)
    assert [f.values.shape for f in frames] == [(5, 1, 3), (1,)]


def test_a_value_holds_for_all_steps_asked_for(ports):
    frames, steps, single = ports.frames({"input": [1, 2, 3]}, 7)
    assert (steps, single) == (7, False)
    assert frames[0].values.shape == (1, 1, 3)


def test_rows_must_be_as_many_as_the_steps(ports):
    with pytest.raises(prospero.InvalidArgument, match="5 rows for 4 steps"):
        ports.frames({"input": np.ones((5, 3))}, 4)
    with pytest.raises(prospero.InvalidArgument, match="rows for 5 steps"):
        ports.frames({"input": np.ones((5, 3)), "output": np.ones((4, 2))}, None)


def test_none_is_no_frame(ports):
    frames, _, single = ports.frames({"input": [1, 2, 3], "output": None}, None)
    assert [f.variable.name for f in frames] == ["input.r"] and single


def test_a_list_with_none_has_no_frame_in_those_steps(ports):
    series = Series(
        ports, {"input": np.zeros((4, 3)), "output": [None, [1, 2], [3, 4], None]}, None
    )
    assert series.cuts() == [1, 3, 4]
    assert [len(series.piece(a, b)) for a, b in ((0, 1), (1, 3), (3, 4))] == [1, 2, 1]
    assert series.piece(1, 3)[1].values.tolist() == [[[1, 2]], [[3, 4]]]


def test_a_series_of_one_row_is_one_step(ports):
    assert Series(ports, {"input": np.ones((1, 3)), "output.beta": 1.0}, None).steps == 1
    assert Series(ports, {"input": np.ones((1, 3))}, 9).steps == 9


@pytest.mark.parametrize("total", [1, 2, 7, 60])
@pytest.mark.parametrize("chunk", [1, 3, 10, 100])
@pytest.mark.parametrize("every", [1, 2, 5, 70])
@pytest.mark.parametrize("cuts", [[], [1], [4, 5], [2, 33]])
def test_pieces_give_the_same_rows_as_one_advance(total, chunk, every, cuts):
    cuts = [c for c in cuts if c < total] + [total]
    rows, at = [], 0
    for piece in pieces(total, chunk, every, cuts):
        assert piece.start == at and 0 < piece.stop - piece.start <= chunk
        assert not any(piece.start < cut < piece.stop for cut in cuts)
        steps = range(piece.start + 1, piece.stop + 1)
        returned = [s for s in steps if (piece.stop - s) % piece.output_every == 0]
        rows += returned if piece.keep else []
        at = piece.stop
    assert at == total
    assert rows == [s for s in range(1, total + 1) if (total - s) % every == 0]
