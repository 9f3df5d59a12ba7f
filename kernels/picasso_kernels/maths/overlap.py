"""Which of many boxes stay when each removes those that it covers: what ``picasso.primitives.nms`` does, at once."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from picasso_kernels.maths.memory import Ints

Floats: TypeAlias = Any
"""Flat table of numbers: a 1-D C-contiguous float64 array, or in the reference a list."""
BOX: Final = 4
"""Numbers of a box: its left, top, right and bottom edge."""


def suppress(boxes: Floats, groups: Ints, share: Floats, count: int, kept: Ints) -> int:
    """Write which boxes stay when each that stays removes those behind it that it covers.

    Args:
        boxes: ``BOX`` numbers each, the best box first.
        groups: Boxes of different groups do not remove each other.
        share: One number: a box is removed where its intersection over union is more.
        count: Boxes.
        kept: Written: the numbers of those that stay, in order; behind them what has no meaning.

    Returns:
        How many stay.
    """
    for box in range(count):
        kept[box] = box
    number, left = 0, count
    while number < left:
        best, write = kept[number], number + 1
        for place in range(number + 1, left):
            other = kept[place]
            if groups[other] != groups[best] or not covers(boxes, BOX * best, BOX * other, share[0]):
                kept[write] = other
                write += 1
        number, left = number + 1, write
    return number


def covers(boxes: Floats, one: int, two: int, share: float) -> bool:
    """Tell whether two boxes have more than a share of their union in common; no where a number is none."""
    width = min(boxes[one + 2], boxes[two + 2]) - max(boxes[one], boxes[two])
    height = min(boxes[one + 3], boxes[two + 3]) - max(boxes[one + 1], boxes[two + 1])
    if not (width > 0 and height > 0):
        width, height = 0.0, 0.0
    common = width * height
    area = (boxes[one + 2] - boxes[one]) * (boxes[one + 3] - boxes[one + 1])
    other = (boxes[two + 2] - boxes[two]) * (boxes[two + 3] - boxes[two + 1])
    covered: bool = common > (area + other - common) * share
    return covered
