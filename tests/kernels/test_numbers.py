"""Numbers of tensors: rounded once, looked up or computed, the same bits."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from picasso_kernels.maths.numbers import ENTRIES, level_numbers, table_of

factors = st.floats(-300, 300, width=32) | st.sampled_from([1 / 255, 1.0, 0.0, 1 / 58.395, 2.0**-30])
threes = st.tuples(factors, factors, factors)


def nearest_single(exact: Fraction) -> np.float32:
    """The float32 that is nearest, of two the one whose last bit is 0."""
    guess = np.float32(float(exact))
    around = [np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))]
    return min(around, key=lambda value: (abs(Fraction(float(value)) - exact), int(value.view(np.int32)) & 1))


@given(threes, threes)
@example((1 / 58.395, 1 / 57.12, 1 / 57.375), (-123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375))
def test_a_number_is_the_nearest_to_the_exact_sum(scale: tuple[float, ...], bias: tuple[float, ...]) -> None:
    made = level_numbers(scale, bias, "float32")
    assert (made.shape, made.dtype) == ((3, 256), np.float32)
    for channel, row in enumerate(made):
        factor, offset = (Fraction(float(np.float32(values[channel]))) for values in (scale, bias))
        for level in range(0, 256, 5):
            assert row[level] == nearest_single(level * factor + offset)


@pytest.mark.parametrize("factor", [1 + 2.0**-23, 1 - 2.0**-24, 3 + 2.0**-22])
@pytest.mark.parametrize("exponent", range(-70, -28, 3))
@pytest.mark.parametrize("sign", [1, -1])
def test_what_lies_midway_is_rounded_by_what_is_left(factor: float, exponent: int, sign: int) -> None:
    """An offset far below the last bit decides ties, and is lost where sums are rounded twice."""
    offset = math.ldexp(sign * (1 + 2.0**-20), exponent)
    made = level_numbers((factor,) * 3, (offset,) * 3, "float32")[0]
    for level in range(256):
        exact = level * Fraction(float(np.float32(factor))) + Fraction(float(np.float32(offset)))
        assert made[level] == nearest_single(exact)


@given(threes, threes)
def test_smaller_types_are_rounded_from_float32(scale: tuple[float, ...], bias: tuple[float, ...]) -> None:
    single = level_numbers(scale, bias, "float32")
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(level_numbers(scale, bias, "float16"), single.astype(np.float16))
    np.testing.assert_array_equal(level_numbers(scale, bias, "uint8"), np.clip(np.round(single), 0, 255))


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("float16", 2), ("uint8", 1)])
def test_factors_and_offsets_lie_behind_the_tables(dtype: str, size: int) -> None:
    table = table_of((1, 2, 3), (4, 5, 6), dtype)
    assert len(table) == ENTRIES * size + 24
    assert table[-24:].view(np.float32).tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(table[:-24].view(dtype).reshape(3, 256), level_numbers((1, 2, 3), (4, 5, 6), dtype))
