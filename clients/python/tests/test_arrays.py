import numpy as np
import pytest

import prospero
from prospero import v1
from prospero._arrays import as_numbers, from_tensor, rows_of, to_tensor


@pytest.mark.parametrize(
    ("given", "shape", "rows"),
    [
        ((1, 3), (1, 3), None),
        ((3,), (1, 3), None),
        ((5, 3), (1, 3), 5),
        ((5, 1, 3), (1, 3), 5),
        ((1, 1, 3), (1, 3), 1),
        ((4, 3), (4, 3), None),
        ((7, 4, 3), (4, 3), 7),
        ((), (1, 1), None),
        ((9,), (1, 1), 9),
        ((9, 1), (1, 1), 9),
        ((), (), None),
        ((6,), (), 6),
    ],
)
def test_a_row_may_leave_out_a_batch_of_one(given, shape, rows):
    assert rows_of(np.zeros(given), shape, "input") == rows


@pytest.mark.parametrize(
    ("given", "shape"),
    [((2,), (1, 3)), ((3,), (4, 3)), ((5, 3), (4, 3)), ((2, 2, 4, 3), (4, 3)), ((0, 3), (1, 3))],
)
def test_a_wrong_shape_is_refused_before_it_is_sent(given, shape):
    with pytest.raises(prospero.InvalidArgument) as error:
        rows_of(np.zeros(given), shape, "input")
    assert error.value.field_violations[0].field == "input"
    assert "has shape [" in str(error.value)


def test_the_message_of_a_wrong_shape_names_the_right_ones():
    with pytest.raises(prospero.InvalidArgument, match=r"\[3\], \[T, 3\] or \[1, 3\], \[T, 1, 3\]"):
        rows_of(np.zeros(2), (1, 3), "input")


def test_numbers_are_cast_to_the_type_of_the_variable():
    packed = as_numbers([1, 2, 3], np.dtype("<f4"), "x")
    assert packed.dtype == np.float32 and packed.tobytes() == np.float32([1, 2, 3]).tobytes()


def test_an_array_of_the_right_type_is_not_copied():
    array = np.arange(6.0).reshape(2, 3)
    assert as_numbers(array, np.dtype("<f8"), "x") is array or np.shares_memory(
        as_numbers(array, np.dtype("<f8"), "x"), array
    )


def test_a_strided_array_goes_out_row_major():
    array = np.arange(6.0).reshape(2, 3).T
    assert as_numbers(array, np.dtype("<f8"), "x").tobytes() == np.array(array.tolist()).tobytes()


@pytest.mark.parametrize("value", ["a", [1j], [None], [object()]])
def test_what_is_not_a_real_number_is_refused(value):
    with pytest.raises(prospero.InvalidArgument, match="real numbers"):
        as_numbers(value, np.dtype("<f4"), "x")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tensor_gives_back_the_bits_that_went_in(dtype):
    array = (np.arange(12) / 7).astype(dtype).reshape(3, 4)
    back = from_tensor(to_tensor(array))
    assert back.dtype == dtype and np.array_equal(back, array)


def test_plain_numbers_travel_as_float64():
    assert to_tensor(0.1).data_type == v1.DATA_TYPE_FLOAT64
    assert from_tensor(to_tensor(0.1)) == 0.1
