"""A drawing that comes with its frame: made before the frame is sent, painted by the engine in its own pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from picasso.draw.lists import DisplayList, revisions
from picasso.primitives import Attribute, AttributeValue
from picasso_kernels.paint import display_list as at

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

ATTACHED: Final = ("picasso.draw", "attached")
"""Namespace and name of the attribute that holds it; name it as ``ConditionalSpec.render_attribute``."""


def attach(frame: VideoFrame, drawing: DisplayList) -> None:
    """Have the engine paint ``drawing`` on ``frame``; its positions are pixels of the encoded picture.

    The source's spec names ``ATTACHED`` as its ``render_attribute``. What specs say of the objects is not drawn then.
    """
    value = AttributeValue.temporary_python_object(drawing, None)
    frame.set_attribute(Attribute(*ATTACHED, [value], None, False, True))


def attached(frame: VideoFrame) -> DisplayList | None:
    """Return what was attached to ``frame``, or None."""
    attribute = frame.get_attribute(*ATTACHED)
    held = None if attribute is None else attribute.values[0].as_temporary_python_object()
    return held if isinstance(held, DisplayList) else None


def moved(drawing: DisplayList, right: int, down: int) -> DisplayList:
    """Return a drawing that lies elsewhere, by whole pixels."""
    if not right and not down:
        return drawing
    commands, glyphs = drawing.commands.copy(), drawing.glyphs.copy()
    commands[:, [at.LEFT, at.RIGHT]] += right
    commands[:, [at.TOP, at.BOTTOM]] += down
    has_centre = commands[:, at.KIND] < at.TEXT
    commands[has_centre, at.CENTER_X] += right * at.ONE_PIXEL
    commands[has_centre, at.CENTER_Y] += down * at.ONE_PIXEL
    glyphs[:, at.GLYPH_LEFT] += right
    glyphs[:, at.GLYPH_TOP] += down
    return DisplayList(commands, glyphs, drawing.coverage, drawing.revision, drawing.may_blur)


def moved_apart(drawing: DisplayList, steps_xy: NDArray[np.integer]) -> DisplayList:
    """Return a drawing of boxes and texts whose commands lie elsewhere, each by whole pixels of its own.

    Args:
        drawing: Its commands share no glyphs.
        steps_xy: ``(N, 2)`` to the right and down, one for each command.
    """
    commands, glyphs = drawing.commands.copy(), drawing.glyphs.copy()
    commands[:, [at.LEFT, at.TOP]] += steps_xy
    commands[:, [at.RIGHT, at.BOTTOM]] += steps_xy
    has_centre = commands[:, at.KIND] < at.TEXT
    commands[has_centre, at.CENTER_X : at.CENTER_Y + 1] += (steps_xy[has_centre] * at.ONE_PIXEL).astype(np.int32)
    texts = np.flatnonzero(~has_centre)
    counts = commands[texts, at.COUNT]
    places = np.repeat(commands[texts, at.FIRST] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    glyphs[places, at.GLYPH_LEFT : at.GLYPH_TOP + 1] += np.repeat(steps_xy[texts], counts, axis=0)
    return DisplayList(commands, glyphs, drawing.coverage, drawing.revision, drawing.may_blur)


def joined(drawings: Sequence[DisplayList]) -> DisplayList:
    """Return several drawings as one, the first of ``drawings`` lowest.

    It shares the coverage of the only one that has some: then its revision stays.
    """
    if len(drawings) == 1:
        return drawings[0]
    commands = np.concatenate([drawing.commands for drawing in drawings])
    glyphs = np.concatenate([drawing.glyphs for drawing in drawings])
    covered = [drawing for drawing in drawings if len(drawing.coverage)]
    row = letter = offset = 0
    for drawing in drawings:
        some = commands[row : row + len(drawing.commands)]
        some[some[:, at.KIND] >= at.TEXT, at.FIRST] += letter
        if offset:  # of runs, the offset is none
            letters = glyphs[letter : letter + len(drawing.glyphs)]
            letters[_with_offset(drawing), at.GLYPH_OFFSET] += offset
        row, letter, offset = row + len(some), letter + len(drawing.glyphs), offset + len(drawing.coverage)
    may_blur = any(drawing.may_blur for drawing in drawings)
    if len(covered) == 1:
        return DisplayList(commands, glyphs, covered[0].coverage, covered[0].revision, may_blur)
    coverage = np.concatenate([drawing.coverage for drawing in drawings])
    return DisplayList(commands, glyphs, coverage, next(revisions), may_blur)


def _with_offset(drawing: DisplayList) -> NDArray[np.bool_]:
    """Return which glyphs of a drawing have coverage: those of texts and images, and runs with spots."""
    found = np.ones(len(drawing.glyphs), bool)
    for first, count in drawing.commands[drawing.commands[:, at.KIND] == at.RUNS][:, [at.FIRST, at.COUNT]].tolist():
        found[first : first + count] = drawing.glyphs[first : first + count, at.GLYPH_OFFSET] >= at.SPOTS
    return found
