"""Plain functions as kernels compute them: every number that a sum may start from has 32 bits."""

from __future__ import annotations

from typing import Final

import pytest

from picasso_kernels.cuda.rewrite import narrow

HALF: Final = 128
FLAG: Final = True
NAMES: Final = (1, 2)


class Narrow(int):
    """A number that was cast."""


def start() -> int:
    return HALF


def grown(taps: int) -> int:
    total = HALF
    while taps > 0:
        total += taps
        taps -= 1
    return total


def negative(value: int) -> int:
    return -value


def flagged() -> bool:
    return FLAG


def second() -> int:
    return NAMES[1]


def hidden(HALF: int) -> int:  # noqa: N803 -- a local name is not the global one
    return HALF


@pytest.mark.parametrize(
    ("function", "arguments"), [(start, ()), (grown, (0,)), (grown, (3,)), (negative, (Narrow(2),))]
)
def test_literals_names_and_results_are_cast(function: object, arguments: tuple[int, ...]) -> None:
    rewritten = narrow(function, {}, Narrow)  # type: ignore[arg-type]
    made = rewritten(*arguments)
    assert type(made) is Narrow
    assert made == function(*arguments)  # type: ignore[operator]


@pytest.mark.parametrize(("function", "arguments"), [(flagged, ()), (second, ()), (hidden, (5,))])
def test_what_is_no_whole_number_of_the_module_stays(function: object, arguments: tuple[int, ...]) -> None:
    made = narrow(function, {}, Narrow)(*arguments)  # type: ignore[arg-type]
    assert made == function(*arguments)  # type: ignore[operator]
    assert type(made) is not Narrow
