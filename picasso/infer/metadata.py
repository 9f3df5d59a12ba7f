"""What a model's maker wrote into its file: texts of Python values, which may be anything."""

from __future__ import annotations

import ast
from typing import Any


def literal(text: str) -> Any:
    """Return the number, text, list or dictionary that a text holds as Python writes it; None where it holds none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def two_whole(text: str) -> tuple[int, int] | None:
    """Return the two whole numbers of 1 or more that a text holds as a list; None where it does not."""
    found = literal(text)
    is_pair = isinstance(found, list | tuple) and len(found) == 2
    if not is_pair or not all(type(number) is int and number > 0 for number in found):
        return None
    return found[0], found[1]
