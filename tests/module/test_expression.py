"""Expressions of ``eval_expr``: values by Python's own arithmetic, faults with their place, values that are kept."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.module.params import ExpressionError, eval_expr, fill, param_storage, use_dynamic

WHOLE = st.integers(-(2**31), 2**31)


@pytest.fixture(autouse=True)
def parameters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fill({"frame": {"width": 1280, "height": None}, "list": [5, "a"], "flag": True, "rate": 0.5, "name": "x"})
    use_dynamic(None)
    monkeypatch.setenv("PICASSO_TEST_N", "7")
    monkeypatch.delenv("PICASSO_TEST_NONE", raising=False)
    yield
    fill({})


def value_of(expr: str) -> object:
    return eval_expr(expr, 0)[0]


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 3", 8.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ -1", 0.5),
        ("10 / 4", 2),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("10 / 4.0", 2.5),
        ("1.0 / 0", math.inf),
        ("0xff", 255),
        ("1e3", 1000.0),
        ('"a" + "b"', "ab"),
        (r'"a\"\\\n"', 'a"\\\n'),
        ('"a" < "b"', True),
        ("1 == 1.0", False),
        ("true == 1", False),
        ('"1" == 1', False),
        ("(1, (2, 3)) == (1, (2, 3.0))", False),
        ("(1, (2, 3)) == (1, (2, 3))", True),
        ("1 < 2 && !(3 >= 4) || false", True),
        ("false && missing(1)", False),
        ("true || missing(1)", True),
        ("1, 2, 3", [1, 2, 3]),
        ("(1, 2, (3, 4))", [1, 2, [3, 4]]),
        ("()", None),
        ("", None),
        ("a = 5; b = a * 2; b - 1", 9),
        ("a = 5;", None),
        ('env("PICASSO_TEST_N", 1)', 7),
        ('env("PICASSO_TEST_N", 1.0)', 7.0),
        ('env("PICASSO_TEST_N", "a")', "7"),
        ('env("PICASSO_TEST_NONE", true)', True),
        ('config("frame.width", 0)', 1280),
        ('config("frame.width", "")', "1280"),
        ('config("frame.height", 720)', 720),
        ('config("flag", false)', True),
        ('config("rate", 1.0)', 0.5),
        ('config("list[1]", "")', "a"),
        ('config("nothing", 3)', 3),
        ('config("frame#type", "")', "dict"),
        ('config("list#type", "")', "list"),
        ('config("list#len", 0)', 2),
        ('config("frame#len", 0)', 2),
        ('etcd("sources/gate", true)', True),
        ("is_int(5) && is_float(5.0) && is_boolean(true)", True),
        ("is_int(true)", False),
        ('if(1 < 2, len("ab"), 0)', 2),
        ("min(3, 1.5, 2) + math::sqrt(4.0)", 3.5),
        ('typeof(max(1, 2)) + str::to_uppercase("x")', "intX"),
        ("contains((1, 2), 2) && !contains((1, 2), 2.0)", True),
        ('str::regex_matches("cam-12", "^cam-[0-9]+$")', True),
        ("(round(2.5), round(-2.5), floor(2.5), ceil(2.5))", [3.0, -3.0, 2.0, 3.0]),
        ('is_string("") && is_tuple((1, 2)) && is_empty(())', True),
        ('starts_with("camera-1", "camera") && ends_with("camera-1", "1")', True),
    ],
)
def test_an_expression_has_its_value(expr: str, value: object) -> None:
    result = value_of(expr)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("1 +", "unexpected 'the end' at 3"),
        ("(1", r"the parenthesis of '\(' is not closed at 0"),
        ("f(1", "the parenthesis of 'f' is not closed at 0"),
        ('"a', "unexpected '\"' at 0"),
        (r'"\x"', r"unknown escape \\x at 0"),
        ("word", "unknown name 'word'; text stands in double quotes at 0"),
        ("f(1)", "unknown function 'f'; one of ceil, config, contains, ends_with, env, "),
        ("1 / 0", "division by zero at 2"),
        ("9223372036854775807 + 1", "the number does not fit 64 bits at 20"),
        ("9223372036854775808", "9223372036854775808 does not fit 64 bits at 0"),
        ("10.0 ^ 1000", "the number is too large at 5"),
        ('"a" - 1', "'-' takes numbers, got the text 'a' at 4"),
        ("true + 1", r"'\+' takes numbers, got the boolean True at 5"),
        ("1 && true", "'&&' takes true or false, got the whole number 1 at 2"),
        ("1 = 2", "only a name can be assigned to at 0"),
        ("1 2", "unexpected '2' at 2"),
        ("1 & 2", "unexpected '&' at 2"),
        ('etcd("/a", 1)', "etcd: the key '/a' is absolute; keys are relative to etcd.watch_path at 0"),
        ('env("PICASSO_TEST_N", true)', "is '7', which is not of type bool, as its default True at 0"),
        ('env("PICASSO_TEST_N")', "env: takes a key as text and a default at 0"),
        ("is_int(1, 2)", "is_int: takes 1 argument, got 2 at 0"),
        ("starts_with(1, 2)", "starts_with: takes two texts at 0"),
        ("(" * 500, "nested more than 100 deep"),
        ("-" * 500 + "1", "nested more than 100 deep"),
    ],
)
def test_what_has_no_value_is_named_with_its_place(expr: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        value_of(expr)


@given(WHOLE, WHOLE, WHOLE)
def test_whole_numbers_are_added_and_multiplied_as_in_python(a: int, b: int, c: int) -> None:
    assert value_of(f"({a}) + ({b}) * 2 - ({c})") == a + b * 2 - c
    assert value_of(f"({a}) < ({b}) || ({a}) >= ({b})") is True


@given(WHOLE, WHOLE.filter(bool))
def test_quotient_and_remainder_belong_together(a: int, b: int) -> None:
    quotient, remainder = value_of(f"({a}) / ({b})"), value_of(f"({a}) % ({b})")
    assert isinstance(quotient, int)
    assert isinstance(remainder, int)
    assert quotient * b + remainder == a
    assert abs(remainder) < abs(b)


@given(st.text(max_size=30))
def test_any_text_has_a_value_or_an_error_of_ours(text: str) -> None:
    with suppress(ExpressionError):
        eval_expr(text, 0)


@given(st.text(alphabet='()+-*/%^!<>=&|,;" abc01.', max_size=40))
def test_so_has_any_text_of_its_own_letters(text: str) -> None:
    with suppress(ExpressionError):
        eval_expr(text, 0)


def test_a_value_is_kept_for_its_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = 0
    monkeypatch.setattr("picasso.module.params.evaluate.time.monotonic_ns", lambda: now_ns)
    expr = 'env("PICASSO_TEST_N", 1)'
    assert eval_expr(expr, 50) == (7, False)
    monkeypatch.setenv("PICASSO_TEST_N", "8")
    now_ns = 49_999_999
    assert eval_expr(expr, 50) == (7, True)
    assert eval_expr(expr, 0) == (8, False)
    now_ns = 50_000_000
    assert eval_expr(expr, 50) == (8, False)


def test_without_etcd_the_default_comes_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert [value_of('etcd("a", 5)') for _ in range(3)] == [5, 5, 5]
    assert caplog.messages == ["etcd('a'): no etcd is configured; defaults are used"]


def test_values_of_etcd_have_the_type_of_the_default() -> None:
    use_dynamic({"on": "true", "count": "12", "text": "12"})  # a mapping has the one method that is needed
    assert [value_of(expr) for expr in ('etcd("on", false)', 'etcd("count", 1)', 'etcd("text", "")')] == [
        True,
        12,
        "12",
    ]


def test_parameters_are_reached_by_key_and_by_attribute() -> None:
    stored = param_storage()
    assert stored["frame"].width == stored["frame"]["width"] == 1280
    with pytest.raises(KeyError):
        stored["nothing"]
    with pytest.raises(AttributeError, match="no parameter 'depth'; there are: width, height"):
        stored["frame"].depth  # noqa: B018
    fill({"other": 1})
    assert (stored is param_storage(), stored) == (True, {"other": 1})


def test_a_value_that_was_evaluated_before_the_values_were_dropped_is_not_kept_after_that() -> None:
    class Replaced:
        """A store whose place another one takes while it answers."""

        def get(self, _key: str) -> str:
            use_dynamic({"gate": "new"})
            return "old"

    use_dynamic(Replaced())
    assert eval_expr('etcd("gate", "")', 10**9) == ("old", False)
    assert eval_expr('etcd("gate", "")', 10**9) == ("new", False)
    assert eval_expr('etcd("gate", "")', 10**9) == ("new", True)
