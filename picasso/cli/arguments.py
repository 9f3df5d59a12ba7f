"""What an argument's text means: sizes, rectangles, bit rates, names of an enumeration.

Each parser raises ``typer.BadParameter``, which the command line reports as exit code 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import typer


class Size(NamedTuple):
    """A picture's width and height in pixels."""

    width: int
    height: int


class Rectangle(NamedTuple):
    """A rectangle of source pixels."""

    left: int
    top: int
    width: int
    height: int


class Inset(NamedTuple):
    """Pixels kept free at each side of a picture."""

    left: int
    top: int
    right: int
    bottom: int


_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def size(text: str) -> Size:
    """``"1280x720"`` as ``Size(1280, 720)``, both even, as 4:2:0 pictures need."""
    match = re.fullmatch(r"(\d{1,5})[xX×](\d{1,5})", text.strip())
    if match is None:
        raise typer.BadParameter(f"expected WIDTHxHEIGHT such as 1280x720, got {text!r}")
    width, height = int(match[1]), int(match[2])
    if not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise typer.BadParameter(f"each side must lie in 16..16384 pixels, got {text!r}")
    if width % 2 or height % 2:
        raise typer.BadParameter(f"each side must be even, got {text!r}")
    return Size(width, height)


def rectangle(text: str) -> Rectangle:
    """``"160,0,960,720"`` as ``Rectangle(left=160, top=0, width=960, height=720)``."""
    parsed = Rectangle(*_integers(text, 4, "LEFT,TOP,WIDTH,HEIGHT such as 160,0,960,720"))
    if parsed.width < 1 or parsed.height < 1:
        raise typer.BadParameter(f"width and height must be at least 1, got {text!r}")
    return parsed


def inset(text: str) -> Inset:
    """``"8"`` or ``"8,0,8,40"`` as ``Inset(left, top, right, bottom)``; one number goes for all sides."""
    count = 4 if "," in text else 1
    sides = _integers(text, count, "N or LEFT,TOP,RIGHT,BOTTOM such as 0,0,0,40")
    return Inset(*sides * (4 // count))


def bit_rate(text: str) -> int:
    """``"2.5M"`` as 2,500,000 bit/s; the suffixes k, M and G count in thousands."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgKMG]?)", text.strip())
    rate = round(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if not 1_000 <= rate <= 2_000_000_000:
        raise typer.BadParameter(f"expected bits per second in 1k..2G such as 800k or 4M, got {text!r}")
    return rate


def one_of(choices: Sequence[str], what: str) -> Callable[[str], str]:
    """A parser that takes one of the lower-case ``choices``, in upper or lower case."""

    def parse(text: str) -> str:
        if (choice := text.strip().lower()) not in choices:
            raise typer.BadParameter(f"unknown {what} {text!r}; one of {', '.join(choices)}")
        return choice

    return parse


TRUST = typer.Option(
    parser=one_of(("origin", "any"), "trust"),
    metavar="origin|any",
    help="What IN may open besides itself: files of its own folder or addresses of its own host, or anything.",
)
"""The option of every command that reads a file."""


def _integers(text: str, count: int, form: str) -> list[int]:
    if re.fullmatch(rf"\s*\d{{1,6}}(\s*,\s*\d{{1,6}}){{{count - 1}}}\s*", text) is None:
        raise typer.BadParameter(f"expected {form}, got {text!r}")
    return [int(digits) for digits in re.findall(r"\d+", text)]
