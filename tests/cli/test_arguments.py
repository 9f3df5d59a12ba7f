from __future__ import annotations

from collections.abc import Callable

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from picasso.cli.arguments import bit_rate, inset, one_of, rectangle, size

sides = st.integers(8, 8192).map(lambda half: 2 * half)


@given(sides, sides)
def test_size_reads_what_it_writes(width: int, height: int) -> None:
    assert size(f"{width}x{height}") == size(f" {width}X{height} ") == (width, height)


@given(*[st.integers(0, 9999)] * 2, *[st.integers(1, 9999)] * 2)
def test_rectangle_reads_what_it_writes(left: int, top: int, width: int, height: int) -> None:
    assert rectangle(f"{left},{top}, {width},{height}") == (left, top, width, height)


@given(st.integers(1_000, 999_999))
def test_bit_rates_count_in_thousands(rate: int) -> None:
    assert bit_rate(f"{rate}") == rate
    assert bit_rate(f"{rate}k") == 1000 * rate


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (bit_rate, "2.5M", 2_500_000),
        (bit_rate, "1g", 1_000_000_000),
        (inset, "8", (8, 8, 8, 8)),
        (inset, "1,2,3,4", (1, 2, 3, 4)),
    ],
)
def test_good_text(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (size, "", "WIDTHxHEIGHT"),
        (size, "1280", "WIDTHxHEIGHT"),
        (size, "1280x", "WIDTHxHEIGHT"),
        (size, "-2x720", "WIDTHxHEIGHT"),
        (size, "1e3x720", "WIDTHxHEIGHT"),
        (size, "999999x720", "WIDTHxHEIGHT"),
        (size, "0x0", "16..16384"),
        (size, "16x16386", "16..16384"),
        (size, "641x480", "even"),
        (size, "640x481", "even"),
        (rectangle, "1,2,3", "LEFT,TOP,WIDTH,HEIGHT"),
        (rectangle, "1,2,3,4,5", "LEFT,TOP,WIDTH,HEIGHT"),
        (rectangle, "1,2,3,-4", "LEFT,TOP,WIDTH,HEIGHT"),
        (rectangle, "a,b,c,d", "LEFT,TOP,WIDTH,HEIGHT"),
        (rectangle, "0,0,0,10", "at least 1"),
        (inset, "1,2", "LEFT,TOP,RIGHT,BOTTOM"),
        (inset, "", "LEFT,TOP,RIGHT,BOTTOM"),
        (bit_rate, "fast", "bits per second"),
        (bit_rate, "0", "bits per second"),
        (bit_rate, "999", "bits per second"),
        (bit_rate, "3G", "bits per second"),
        (bit_rate, "nan", "bits per second"),
        (bit_rate, "-4M", "bits per second"),
    ],
)
def test_bad_text_names_the_form_and_the_value(parse: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(typer.BadParameter, match=says) as raised:
        parse(text)
    assert repr(text) in str(raised.value)


@given(st.text())
def test_no_text_escapes_as_another_error(text: str) -> None:
    for parse in (size, rectangle, inset, bit_rate):
        try:
            parse(text)
        except typer.BadParameter:
            continue


def test_a_choice_is_taken_whatever_its_case_and_an_unknown_one_lists_the_choices() -> None:
    parse = one_of(("h264", "av1"), "codec")
    assert parse(" H264") == "h264"
    with pytest.raises(typer.BadParameter, match="unknown codec 'h266'; one of h264, av1"):
        parse("h266")
