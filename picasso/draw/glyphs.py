"""Letters as sprites: each glyph of each size is rasterised once, at four phases of a pixel, and kept."""

from __future__ import annotations

import itertools
import unicodedata

import numpy as np
import numpy.typing as npt

from picasso.draw.fonts import FaceChain
from picasso.draw.fonts.face import GlyphPlace
from picasso.draw.shaping import NEEDS_SHAPING, Placed, lines_of, shape_line
from picasso_kernels.paint import display_list

Ints = npt.NDArray[np.int32]

_LARGE = 64 * display_list.PEN_UNIT
"""Fonts from this size on share one sprite for all phases: a quarter of a pixel no longer shows."""
_MAX_BYTES = 32 << 20
"""Coverage kept; beyond it, everything is forgotten and made again."""
_FIRST_SHAPED = 0x40000
"""Code points from here on have no letters, in planes that Unicode does not use: they stand for shaped glyphs."""
_MOST_SHAPED = 1 << 17
"""Shaped glyphs kept; beyond it, everything is forgotten, too."""
_MOST_SPELLED = 1 << 20
"""Letters of the texts that are kept beside how they are spelled."""
_revisions = itertools.count(1)
"""Numbers of coverages, each given once in this process: painters of GPUs keep letters by them."""
_INVISIBLE = frozenset({"Cc", "Cf"})
"""Unicode categories that are not drawn: control and format characters."""


class GlyphAtlas:
    """The sprites of one font family, in the layout of ``picasso_kernels.paint.display_list``.

    ``sprites``, ``coverage`` and ``first_sprite`` are replaced when they grow, and never shrink in place: code that
    holds the arrays of a frame can go on reading them. Sprite 0 is empty. Not for several threads at once.
    """

    __slots__ = (
        "_code_of",
        "_coverage",
        "_coverage_end",
        "_faces",
        "_family",
        "_lines",
        "_shaped",
        "_sizes",
        "_spelled",
        "_sprite_end",
        "first_sprite",
        "is_full",
        "revision",
        "sprites",
    )

    sprites: Ints
    """``SPRITE_SIZE`` numbers a sprite."""
    first_sprite: Ints
    """``CODE_POINTS`` numbers a font; 0 where a glyph is not there yet."""
    is_full: bool
    """Whether there is so much that ``trim`` forgets everything."""
    _spelled: int

    def __init__(self, family: str) -> None:
        """Hold nothing yet; ``family`` is looked up when the first glyph is needed."""
        self._family = family
        self._faces: FaceChain | None = None
        self._sizes: list[int] = []
        self.revision: int = next(_revisions)
        """Another number whenever the coverage is another."""
        self._forget_lines()
        self._clear(fonts=1)

    @property
    def coverage(self) -> npt.NDArray[np.uint8]:
        """Coverage of all sprites, a byte a pixel."""
        return self._coverage[: self._coverage_end]

    @property
    def faces(self) -> FaceChain:
        """The fonts that letters are taken from."""
        if self._faces is None:
            self._faces = FaceChain(self._family)
        return self._faces

    def font(self, size: int) -> int:
        """Return the number of the font of ``size``, in 1/64 pixel; call before a frame, it may clear the sprites."""
        if size not in self._sizes:
            self._sizes.append(size)
            if len(self._sizes) * display_list.CODE_POINTS > self.first_sprite.size:
                self._clear(fonts=2 * len(self._sizes))
        return self._sizes.index(size)

    def trim(self) -> None:
        """Forget everything if ``is_full``; call between frames."""
        if self.is_full:
            self._forget_lines()
            self._clear(fonts=len(self._sizes))

    def spell(self, text: str) -> tuple[str, ...]:
        """Return the lines of a text, in code points that each stand for one glyph, from left to right.

        Lines that need no shaping are returned as they are; the code points of the others mean something to this atlas
        alone, until ``trim``.
        """
        known = self._lines.get(text)
        if known is None:
            self._spelled += len(text) + 64  # what a short text costs beside its letters
            if self._spelled > _MOST_SPELLED:
                self._lines.clear()
                self._spelled = 0
            known = self._lines[text] = tuple(map(self._spell_line, lines_of(text)))
        return known

    def ensure(self, places: npt.NDArray[np.int64]) -> None:
        """Make the glyphs at ``places`` of ``first_sprite`` that are not there yet."""
        known = self.first_sprite[places]
        if known.all():
            return
        self.revision = next(_revisions)
        for place in np.unique(places[known == 0]).tolist():
            font, code = divmod(place, display_list.CODE_POINTS)
            self.first_sprite[place] = self._sprite_end // display_list.SPRITE_SIZE
            self._make_sprites(self._sizes[font], code)

    def _spell_line(self, line: str) -> str:
        if NEEDS_SHAPING.search(line) is None:
            return line
        return "".join([chr(self._code(glyph)) for glyph in shape_line(line, self.faces)])

    def _code(self, glyph: Placed) -> int:
        """Return the code point that stands for a shaped glyph."""
        code = self._code_of.get(glyph)
        if code is None:
            code = self._code_of[glyph] = _FIRST_SHAPED + len(self._shaped)
            self._shaped.append(glyph)
            self.is_full = self.is_full or len(self._shaped) > _MOST_SHAPED
        return code

    def _forget_lines(self) -> None:
        self._lines: dict[str, tuple[str, ...]] = {}
        self._spelled = 0
        self._code_of: dict[Placed, int] = {}
        self._shaped: list[Placed] = []

    def _clear(self, fonts: int) -> None:
        self.first_sprite = np.zeros(fonts * display_list.CODE_POINTS, np.int32)  # untouched pages cost nothing
        self.sprites = np.zeros(256 * display_list.SPRITE_SIZE, np.int32)
        self._coverage = np.zeros(1 << 14, np.uint8)
        self.revision = next(_revisions)
        self._sprite_end = display_list.PHASES * display_list.SPRITE_SIZE
        self._coverage_end = 0
        self.is_full = len(self._shaped) > _MOST_SHAPED

    def _make_sprites(self, size: int, code: int) -> None:
        """Append the sprites of one glyph."""
        if code < _FIRST_SHAPED and unicodedata.category(chr(code)) in _INVISIBLE:
            for _ in range(display_list.PHASES):
                self._append(self._coverage_end, (0, 0), (0, 0), 0)
            return
        number, place = self._glyph_of(code)
        face, pixels = self.faces[number], size / display_list.PEN_UNIT
        advance = round(place.advance * size)
        for phase in range(display_list.PHASES):
            if phase and size >= _LARGE:
                self._repeat_sprite()
                continue
            shift = phase / display_list.PHASES + place.dx * pixels, -place.dy * pixels
            mask, corner = face.mask(place.glyph, pixels, shift)
            self._append(self._keep(mask), (mask.shape[1], mask.shape[0]), corner, advance)

    def _glyph_of(self, code: int) -> Placed:
        """Return the glyph that a code point stands for: a shaped one, or the letter's own."""
        if code >= _FIRST_SHAPED and code - _FIRST_SHAPED < len(self._shaped):
            return self._shaped[code - _FIRST_SHAPED]
        return plain_glyph(self.faces, code)

    def _append(self, offset: int, size_wh: tuple[int, int], corner: tuple[int, int], advance: int) -> None:
        end = self._sprite_end + display_list.SPRITE_SIZE
        if end > self.sprites.size:
            self.sprites = np.concatenate([self.sprites, np.zeros_like(self.sprites)])
        self.sprites[self._sprite_end : end] = (*corner, *size_wh, offset, advance)
        self._sprite_end = end

    def _repeat_sprite(self) -> None:
        dx, dy, width, height, offset, advance = self.sprites[self._sprite_end - display_list.SPRITE_SIZE :][
            :6
        ].tolist()
        self._append(offset, (width, height), (dx, dy), advance)

    def _keep(self, mask: npt.NDArray[np.uint8]) -> int:
        """Append coverage; return where it starts."""
        start, end = self._coverage_end, self._coverage_end + mask.size
        if end > self._coverage.size:
            self._coverage = np.concatenate([self._coverage, np.zeros(max(end, self._coverage.size), np.uint8)])
        self._coverage[start:end] = mask.ravel()
        self._coverage_end = end
        self.is_full = self.is_full or end > _MAX_BYTES
        return start


def plain_glyph(faces: FaceChain, code: int) -> Placed:
    """Return the glyph of a letter that stands for itself."""
    number = faces.find((code,))
    glyph = faces[number].glyph(code)
    return Placed(number, GlyphPlace(glyph, 0.0, 0.0, faces[number].advance(glyph)))
