"""The black bars of planes: what the picture leaves of the target, and chroma samples that lie half in a bar."""

from __future__ import annotations

from picasso_kernels.frame.job import OUT_BASE, OUT_PITCH, OUT_STEP
from picasso_kernels.maths.memory import Bytes, Ints, load8, store8, tail


def fill_samples(out: Bytes, step: int, value: int, count: int) -> None:
    """Write the same byte ``count`` times, ``step`` bytes apart."""
    for x in range(count):
        store8(out, x * step, value)


def fill_bars(
    out: Bytes, plane: Ints, width: int, height: int, left: int, top: int, right: int, bottom: int, value: int
) -> None:
    """Fill a plane of ``width`` x ``height`` samples except a rectangle; ``plane`` is its entry in the job."""
    step = plane[OUT_STEP]
    for y in range(height):
        row = tail(out, plane[OUT_BASE] + y * plane[OUT_PITCH])
        if top <= y < bottom:
            fill_samples(row, step, value, left)
            fill_samples(tail(row, right * step), step, value, width - right)
        else:
            fill_samples(row, step, value, width)


def shared(chroma: int, pixels: int) -> int:
    """Return the chroma of a block of which ``pixels`` of 4 show the picture and the others are black."""
    return (chroma * pixels + 128 * (4 - pixels) + 2) >> 2


def blend_bars(row: Bytes, step: int, left: int, right: int, lines: int) -> None:
    """Mix a row of chroma with the bars it overlaps; ``row`` is the tail from its first sample of the picture on.

    The picture covers the columns ``left..right`` and ``lines`` of the row's two lines, in pixels.
    """
    first, last = left >> 1, (right + 1) >> 1
    stride = max(last - first - 1, 1) if lines == 2 else 1  # of a whole row only the two ends can overlap
    for x in range(first, last, stride):
        columns = min(2 * x + 2, right) - max(2 * x, left)
        at = (x - first) * step
        store8(row, at, shared(load8(row, at), columns * lines))
