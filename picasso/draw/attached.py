"""A drawing that comes with its frame: made before the frame is sent, painted by the engine in its own pass."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from picasso.draw.scene import DisplayList
from picasso.primitives import Attribute, AttributeValue
from picasso_kernels.paint import display_list as at

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

ATTACHED: Final = ("picasso.draw", "attached")
"""Namespace and name of the attribute that holds it; name it as ``ConditionalSpec.render_attribute``."""
revisions: Final = itertools.count(1 << 40)
"""Numbers of coverages that no scene makes, each given once in this process."""


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
    has_centre = commands[:, at.KIND] != at.TEXT
    commands[has_centre, at.CENTER_X] += right * at.ONE_PIXEL
    commands[has_centre, at.CENTER_Y] += down * at.ONE_PIXEL
    glyphs[:, at.GLYPH_LEFT] += right
    glyphs[:, at.GLYPH_TOP] += down
    return DisplayList(commands, glyphs, drawing.coverage, drawing.revision, drawing.may_blur)


def joined(drawings: Sequence[DisplayList]) -> DisplayList:
    """Return several drawings as one, the first of ``drawings`` lowest."""
    if len(drawings) == 1:
        return drawings[0]
    commands, glyphs = [], []
    first, offset = 0, 0
    for drawing in drawings:
        some, letters = drawing.commands.copy(), drawing.glyphs.copy()
        some[some[:, at.KIND] == at.TEXT, at.FIRST] += first
        letters[:, at.GLYPH_OFFSET] += offset
        first += len(letters)
        offset += len(drawing.coverage)
        commands.append(some)
        glyphs.append(letters)
    coverage = np.concatenate([drawing.coverage for drawing in drawings])
    may_blur = any(drawing.may_blur for drawing in drawings)
    return DisplayList(np.concatenate(commands), np.concatenate(glyphs), coverage, next(revisions), may_blur)
