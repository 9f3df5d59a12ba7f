"""A whole frame in one call: the transform, and what is painted on its result.

One call gives the interpreter's lock away once. Each time it is given away, a busy thread may keep it for a whole
switch interval, so a frame of two calls waits twice.
"""

from __future__ import annotations

from picasso_kernels.frame.transform import transform_frame
from picasso_kernels.maths.memory import Bytes, Ints
from picasso_kernels.paint.painter import paint_pixels, paint_planes


def pixels_of_frame(
    job: Ints,
    table: Ints,
    scratch: Bytes,
    source0: Bytes,
    source1: Bytes,
    source2: Bytes,
    target0: Bytes,
    target1: Bytes,
    target2: Bytes,
    commands: Ints,
    glyphs: Ints,
    coverage: Bytes,
    surface: Ints,
    shares: Bytes,
) -> None:
    """Do ``transform_frame``, then ``paint_pixels``: their arguments, in their order."""
    transform_frame(job, table, scratch, source0, source1, source2, target0, target1, target2)
    paint_pixels(commands, glyphs, coverage, surface, target0, shares)


def planes_of_frame(
    job: Ints,
    table: Ints,
    scratch: Bytes,
    source0: Bytes,
    source1: Bytes,
    source2: Bytes,
    target0: Bytes,
    target1: Bytes,
    target2: Bytes,
    commands: Ints,
    glyphs: Ints,
    coverage: Bytes,
    surface: Ints,
    shares: Bytes,
) -> None:
    """Do ``transform_frame``, then ``paint_planes``: their arguments, in their order."""
    transform_frame(job, table, scratch, source0, source1, source2, target0, target1, target2)
    paint_planes(commands, glyphs, coverage, surface, target0, target1, target2, shares)
