"""Which of a detector's candidates may be objects: the best score of each, among those of all classes.

Scores are float32 and are compared as the integers that their bits are: of numbers that are not negative these have the
same order, and every negative one is below them. So a candidate is above a floor of 0 or more by either.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Ints, tail

SEGMENT: Final = 2048
"""Candidates whose best scores are found at once: as many as stay in the nearest cache."""
CANDIDATE: Final = 3
"""Numbers of a candidate that is found: which one, the bits of its confidence, its class."""
INFINITE: Final = 0x7F800000
"""Bits of an infinite float32; those of what is no number are higher, apart from the sign."""
_NO_SIGN: Final = 0x7FFFFFFF


def find_candidates(
    scores: Ints, first: int, pitch: int, classes: int, count: int, floor: int, best: Ints, found: Ints
) -> int:
    """Write the candidates whose best score is above a floor, in order; none of which a score is no number.

    Args:
        scores: Bits of float32: that of class ``c`` and candidate ``n`` at ``first + c * pitch + n``.
        first: Entry of the first score.
        pitch: Entries from a class to the next.
        classes: How many there are.
        count: Candidates.
        floor: Bits of a float32 of 0 or more.
        best: ``SEGMENT`` entries to work with.
        found: Written: ``CANDIDATE`` numbers for each candidate that is found. Of equal scores that of the lower class
            counts.

    Returns:
        How many were found.
    """
    number = 0
    for start in range(0, count, SEGMENT):
        part, here = min(SEGMENT, count - start), tail(scores, first + start)
        for x in range(part):
            best[x] = floor
        raise_to_rows(best, here, pitch, classes, part)
        for x in range(part):
            if best[x] > floor:
                which = best_class(tail(here, x), pitch, classes)
                if which >= 0:
                    found[CANDIDATE * number] = start + x
                    found[CANDIDATE * number + 1] = best[x]
                    found[CANDIDATE * number + 2] = which
                    number += 1
    return number


def raise_to_rows(best: Ints, rows: Ints, pitch: int, number: int, count: int) -> None:
    """Raise each of ``count`` numbers to the largest of its column in ``number`` rows that lie ``pitch`` apart."""
    for row in range(number):
        for x in range(count):
            best[x] = max(best[x], rows[row * pitch + x])


def best_class(scores: Ints, pitch: int, classes: int) -> int:
    """Return the first class of the largest score of a candidate; -1 where one is no number."""
    which = 0
    for number in range(classes):
        if (scores[number * pitch] & _NO_SIGN) > INFINITE:
            return -1
        if scores[number * pitch] > scores[which * pitch]:
            which = number
    return which
