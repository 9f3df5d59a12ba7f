"""Lines of text as glyphs: measured before they have a place, and drawn wherever they are put."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso.draw.glyphs import GlyphAtlas
from picasso_kernels.paint import display_list as at

_MOST_TEXTS: Final = 512
_LONGEST: Final = 1024
"""Letters of a line that are drawn."""
LINE_HEIGHT: Final = 1.25
"""Of the size of the font, as labels have it."""


class Glyph(NamedTuple):
    """A letter on its way to a picture."""

    left: int
    """Whole pixels from where its line starts."""
    top: int
    """Whole pixels from the baseline."""
    coverage: npt.NDArray[np.uint8]
    """``(height, width)``."""


class Text(NamedTuple):
    """Lines of letters."""

    lines: tuple[tuple[Glyph, ...], ...]
    width: int
    """Pixels of the longest line."""
    font_px: float
    """Size of the font in pixels; a line takes ``LINE_HEIGHT`` of it."""

    @property
    def height(self) -> int:
        """Pixels of all lines."""
        return round(self.font_px * LINE_HEIGHT * len(self.lines))


class Letters:
    """The letters of one font family. Not for several threads at once."""

    __slots__ = ("_atlas", "_known")

    def __init__(self, font_family: str = "sans-serif") -> None:
        """Hold none yet; ``font_family`` is one that ships, was added or is installed."""
        self._atlas = GlyphAtlas(font_family)
        self._known: OrderedDict[tuple[str, int], Text] = OrderedDict()

    def text(self, text: str, font_px: float) -> Text:
        """Return ``text`` in a font of ``font_px`` pixels; line breaks begin lines."""
        size = max(round(font_px * at.PEN_UNIT), 1)
        known = self._known.get((text, size))
        if known is None:
            known = self._known[text, size] = self._make(text, size)
            if len(self._known) > _MOST_TEXTS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end((text, size))
        return known

    def _make(self, text: str, size: int) -> Text:
        self._atlas.trim()
        font = self._atlas.font(size)
        made = [
            self._line(line[:_LONGEST], font)
            for line in self._atlas.spell(text.replace("\0", "\N{REPLACEMENT CHARACTER}"))
        ]
        return Text(tuple(line for line, _ in made), max((width for _, width in made), default=0), size / at.PEN_UNIT)

    def _line(self, line: str, font: int) -> tuple[tuple[Glyph, ...], int]:
        """Return the glyphs of a line, and its width in whole pixels; as the kernel lays lines out."""
        places = np.array([font * at.CODE_POINTS + ord(letter) for letter in line], np.int64)
        self._atlas.ensure(places)
        firsts = self._atlas.first_sprite[places].tolist()
        rows = self._atlas.sprites.reshape(-1, at.SPRITE_SIZE)
        coverage, pen, glyphs = self._atlas.coverage, 0, []
        for first in firsts:
            near = pen + at.PEN_UNIT // (2 * at.PHASES)
            dx, dy, width, height, offset, advance = rows[first + near * at.PHASES // at.PEN_UNIT % at.PHASES].tolist()
            if width and height:
                mask = coverage[offset : offset + width * height].reshape(height, width)
                glyphs.append(Glyph(dx + near // at.PEN_UNIT, dy, mask))
            pen += advance
        return tuple(glyphs), -(-pen // at.PEN_UNIT)
