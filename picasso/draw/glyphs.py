"""Letters as sprites: each glyph of each size is rasterised once, at four phases of a pixel, and kept."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt

from picasso.draw.fonts import skia_module, typeface
from picasso_kernels import display

Ints = npt.NDArray[np.int32]

_LARGE = 64 * display.PEN_UNIT
"""Fonts from this size on share one sprite for all phases: a quarter of a pixel no longer shows."""
_MAX_BYTES = 32 << 20
"""Coverage kept; beyond it, everything is forgotten and made anew."""
_INVISIBLE = frozenset({"Cc", "Cf"})
"""Unicode categories that are not drawn: control and format characters."""


class GlyphAtlas:
    """The sprites of one font family, in the layout of ``picasso_kernels.display``.

    ``sprites``, ``coverage`` and ``first_sprite`` are replaced when they grow, and never shrink in place: whoever
    holds the arrays of a frame can go on reading them. Sprite 0 is empty. Not for several threads at once.
    """

    __slots__ = (
        "_coverage",
        "_coverage_end",
        "_family",
        "_sizes",
        "_sprite_end",
        "first_sprite",
        "revision",
        "sprites",
    )

    sprites: Ints
    """``SPRITE_SIZE`` numbers a sprite."""
    first_sprite: Ints
    """``CODE_POINTS`` numbers a font; 0 where a glyph is not there yet."""

    def __init__(self, family: str) -> None:
        """Hold nothing yet; ``family`` is looked up when the first glyph is needed."""
        self._family = family
        self._sizes: list[int] = []
        self.revision = 0
        """Another number whenever the coverage is another."""
        self._clear(fonts=1)

    @property
    def coverage(self) -> npt.NDArray[np.uint8]:
        """Coverage of all sprites, a byte a pixel."""
        return self._coverage[: self._coverage_end]

    def font(self, size: int) -> int:
        """Return the number of the font of ``size``, in 1/64 pixel; call before a frame, it may clear the sprites."""
        if size not in self._sizes:
            self._sizes.append(size)
            if len(self._sizes) * display.CODE_POINTS > self.first_sprite.size:
                self._clear(fonts=2 * len(self._sizes))
        return self._sizes.index(size)

    def trim(self) -> None:
        """Forget everything if there is too much of it; call between frames."""
        if self._coverage_end > _MAX_BYTES:
            self._clear(fonts=len(self._sizes))

    def ensure(self, places: npt.NDArray[np.int64]) -> None:
        """Make the glyphs at ``places`` of ``first_sprite`` that are not there yet."""
        known = self.first_sprite[places]
        if known.all():
            return
        self.revision += 1
        for place in np.unique(places[known == 0]).tolist():
            font, code = divmod(place, display.CODE_POINTS)
            self.first_sprite[place] = self._sprite_end // display.SPRITE_SIZE
            self._rasterise(self._sizes[font], code)

    def _clear(self, fonts: int) -> None:
        self.first_sprite = np.zeros(fonts * display.CODE_POINTS, np.int32)  # untouched pages cost nothing
        self.sprites = np.zeros(256 * display.SPRITE_SIZE, np.int32)
        self._coverage = np.zeros(1 << 14, np.uint8)
        self.revision += 1
        self._sprite_end = display.PHASES * display.SPRITE_SIZE
        self._coverage_end = 0

    def _rasterise(self, size: int, code: int) -> None:
        """Append the sprites of one glyph."""
        if unicodedata.category(chr(code)) in _INVISIBLE:
            for _ in range(display.PHASES):
                self._append(self._coverage_end, (0, 0), (0, 0), 0)
            return
        font, glyph = _font_of(self._family, size, code)
        advance = round(font.getWidths([glyph])[0] * display.PEN_UNIT)
        path = font.getPath(glyph)
        for phase in range(display.PHASES):
            if phase and size >= _LARGE:
                self._repeat_sprite()
            elif path is None or path.isEmpty():
                self._append(self._coverage_end, (0, 0), (0, 0), advance)
            else:
                mask, corner = _mask(path, phase / display.PHASES)
                self._append(self._keep(mask), (mask.shape[1], mask.shape[0]), corner, advance)

    def _append(self, offset: int, size_wh: tuple[int, int], corner: tuple[int, int], advance: int) -> None:
        end = self._sprite_end + display.SPRITE_SIZE
        if end > self.sprites.size:
            self.sprites = np.concatenate([self.sprites, np.zeros_like(self.sprites)])
        self.sprites[self._sprite_end : end] = (*corner, *size_wh, offset, advance)
        self._sprite_end = end

    def _repeat_sprite(self) -> None:
        dx, dy, width, height, offset, advance = self.sprites[self._sprite_end - display.SPRITE_SIZE :][:6].tolist()
        self._append(offset, (width, height), (dx, dy), advance)

    def _keep(self, mask: npt.NDArray[np.uint8]) -> int:
        """Append coverage; return where it starts."""
        start, end = self._coverage_end, self._coverage_end + mask.size
        if end > self._coverage.size:
            self._coverage = np.concatenate([self._coverage, np.zeros(max(end, self._coverage.size), np.uint8)])
        self._coverage[start:end] = mask.ravel()
        self._coverage_end = end
        return start


def _font_of(family: str, size: int, code: int) -> tuple[Any, int]:
    """Return the Skia font and the glyph of a code point, of another installed family where this one lacks it."""
    skia = skia_module()
    face = typeface(family)
    glyph = face.unicharToGlyph(code)
    if glyph == 0:
        other = skia.FontMgr().matchFamilyStyleCharacter("", skia.FontStyle(), [], code)
        if other is not None:
            face, glyph = other, other.unicharToGlyph(code)
    font = skia.Font(face, size / display.PEN_UNIT)
    font.setSubpixel(True)
    font.setLinearMetrics(True)
    font.setHinting(skia.FontHinting.kNone)
    return font, glyph


def _mask(path: Any, shift_x: float) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Return a glyph's coverage ``(H, W)`` and its top left corner relative to the pen."""
    skia = skia_module()
    bounds = path.getBounds().makeOffset(shift_x, 0).roundOut()
    mask = np.zeros((bounds.height(), bounds.width()), np.uint8)
    surface = skia.Surface.MakeRasterDirect(skia.ImageInfo.MakeA8(*mask.shape[::-1]), mask)
    canvas = surface.getCanvas()
    canvas.translate(shift_x - bounds.left(), -bounds.top())
    canvas.drawPath(path, skia.Paint(AntiAlias=True))
    return mask, (bounds.left(), bounds.top())
