"""One font: which letters it has, how a run of text becomes glyphs, and what a glyph covers."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso.errors import require

Mask = npt.NDArray[np.uint8]
Stamp = tuple[Mask, tuple[int, int]]

_NO_LANGUAGE: Final = "und"
"""Else HarfBuzz takes the language of the process, and labels would differ from machine to machine."""
_FINE: Final = 4
"""How many times larger letters are rasterised, each way, and averaged: HarfBuzz alone is off by up to 25 of 255."""
_LARGE: Final = 128
"""Pixels of an em, from where on that no longer shows."""
_MOST_PIXELS: Final = 1 << 25
"""Of one glyph; what a broken font draws beyond is left out."""
_BEGIN_OF_TEXT, _END_OF_TEXT = 1, 2
_REGULAR_STYLES = ("regular", "book", "roman", "normal", "medium", "")


class GlyphPlace(NamedTuple):
    """A glyph of a shaped run. Lengths are in em, y points upwards."""

    glyph: int
    dx: float
    """From the pen to the glyph's origin."""
    dy: float
    advance: float
    """How far the pen goes on, at least 0."""


class Face:
    """A font file, opened once; letters are never hinted, so one shaping holds for all sizes."""

    __slots__ = ("_font", "_library", "_upem", "family", "index", "is_color", "path", "style")

    def __init__(self, blob: Any, path: str, index: int = 0) -> None:
        """Open what HarfBuzz has loaded.

        Raises:
            ValueError: It is not a font, or has no font of this number.
        """
        self._library = hb = harfbuzz()
        face = hb.Face(blob, index)
        if face.glyph_count == 0:
            raise ValueError(f"it holds no font of number {index}")
        self._font = hb.Font(face)
        self._upem = face.upem
        self.path: str = path
        self.index: int = index
        self.family: str = face.get_name(_FAMILY) or Path(path).stem
        self.style: str = face.get_name(_STYLE) or ""
        self.is_color: bool = bool(face.has_color_png or face.has_color_paint or face.has_color_layers)
        """Whether it has glyphs of several colours, as fonts of emoji do."""

    @classmethod
    def read(cls, path: str | os.PathLike[str], index: int = 0) -> Face:
        """Read a font file into memory.

        Raises:
            OSError: It cannot be read.
            ValueError: It is not a file, or holds no such font.
        """
        _check_file(path)
        return cls(harfbuzz().Blob(Path(path).read_bytes()), os.path.realpath(path), index)

    @classmethod
    def map(cls, path: str) -> Face:
        """Open a font file by the page: what is not used costs no memory.

        Raises:
            OSError: It cannot be opened.
            ValueError: It is not a font.
        """
        _check_file(path)
        hb = harfbuzz()
        try:
            return cls(hb.Blob.from_file_path(path), path)
        except hb.HarfBuzzError as error:
            raise OSError(str(error)) from error

    @property
    def is_regular(self) -> bool:
        """Whether it is the upright font of its family, of normal weight."""
        return self.style.lower() in _REGULAR_STYLES

    @property
    def glyph_count(self) -> int:
        """How many glyphs there are."""
        return int(self._font.face.glyph_count)

    def glyph(self, code: int) -> int:
        """Return the glyph of a code point; 0, the box of a missing letter, where there is none."""
        return self._font.get_nominal_glyph(code) or 0

    def has(self, codes: Sequence[int]) -> bool:
        """Tell whether there is a glyph for each of ``codes``."""
        return all(self._font.get_nominal_glyph(code) for code in codes)

    def advance(self, glyph: int) -> float:
        """Return how far a glyph alone moves the pen, in em."""
        return float(max(self._font.get_glyph_h_advance(glyph), 0) / self._upem)

    def shape(
        self, codes: Sequence[int], start: int, end: int, *, rtl: bool, script: str, features: Mapping[str, bool]
    ) -> list[GlyphPlace]:
        """Return the glyphs of a run in the order in which they stand, from left to right.

        Args:
            codes: Code points of the whole line: what stands beside the run decides how letters join.
            start: Of the run.
            end: Behind its last code point.
            rtl: Whether it is read from right to left.
            script: Its script's four letters, e.g. ``"Arab"``.
            features: OpenType features that are switched on or off.
        """
        hb = self._library
        buffer = hb.Buffer()
        buffer.add_codepoints(codes, start, end - start)
        buffer.direction, buffer.script, buffer.language = "rtl" if rtl else "ltr", script, _NO_LANGUAGE
        ends = (_BEGIN_OF_TEXT if start == 0 else 0) | (_END_OF_TEXT if end == len(codes) else 0)
        buffer.flags = hb.BufferFlags(ends)
        hb.shape(self._font, buffer, dict(features))
        em = self._upem
        return [
            GlyphPlace(info.codepoint, place.x_offset / em, place.y_offset / em, max(place.x_advance, 0) / em)
            for info, place in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True)
        ]

    def mask(self, glyph: int, size: float, shift_xy: tuple[float, float]) -> tuple[Mask, tuple[int, int]]:
        """Return what a glyph covers of each pixel, ``(H, W)`` in 0..255, and the top left corner from the pen.

        Args:
            glyph: Number of the glyph.
            size: Pixels of an em.
            shift_xy: Of the origin from the pen, in pixels, rightwards and downwards.
        """
        scale, (right, down) = size / self._upem, shift_xy
        extents = self._font.get_glyph_extents(glyph)
        if extents is None or abs(extents.width * scale + 2) * abs(extents.height * scale - 2) > _MOST_PIXELS:
            return _NOTHING
        shades = self._shades(glyph, scale, shift_xy, extents) if self.is_color else None
        if shades is not None:
            return shades
        raster, fine = self._library.RasterDraw(), _FINE if size < _LARGE else 1
        raster.transform = (fine * scale, 0.0, 0.0, fine * scale, fine * right, -fine * down)
        raster.draw_glyph(self._font, glyph)
        return _upright(raster.render(), fine)

    def _shades(self, glyph: int, scale: float, shift_xy: tuple[float, float], extents: Any) -> Stamp | None:
        """Return the mask and corner of a glyph of several colours, or None where it has one."""
        from picasso.draw.fonts.color import shades_of_layers, shades_of_png

        face = self._font.face
        if face.has_color_png and (png := bytes(self._font.get_glyph_color_png(glyph).data or b"")):
            return shades_of_png(png, scale, shift_xy, extents)
        if face.glyph_has_color_paint(glyph) or face.get_glyph_color_layers(glyph):
            return shades_of_layers(self._library, self._font, glyph, scale, shift_xy)
        return None


def harfbuzz() -> Any:
    """Import HarfBuzz.

    Raises:
        MissingDependencyError: It is not installed.
    """
    return require("uharfbuzz")


def _check_file(path: str | os.PathLike[str]) -> None:
    """Raise unless ``path`` is a file with an end: reading a pipe or a device would wait, or never stop."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is not a file")


_FAMILY, _STYLE = 1, 2
"""Entries of a font's table of names."""
_NOTHING: Final = (np.zeros((0, 0), np.uint8), (0, 0))


def _upright(image: Any, fine: int) -> tuple[Mask, tuple[int, int]]:
    """Return HarfBuzz's picture, whose rows run upwards and are ``fine`` to a pixel, and its top left corner."""
    if image is None or not image.extents.width or not image.extents.height:
        return _NOTHING
    size = image.extents
    rows = np.frombuffer(image.buffer, np.uint8).reshape(size.height, size.stride)[::-1, : size.width]
    left, top = size.x_origin, -(size.y_origin + size.height)
    if fine == 1:
        return np.ascontiguousarray(rows), (left, top)
    over, above = left % fine, top % fine
    width, height = -(-(over + size.width) // fine), -(-(above + size.height) // fine)
    whole = np.zeros((height, fine, width, fine), np.uint16)
    whole.reshape(height * fine, width * fine)[above : above + size.height, over : over + size.width] = rows
    mask = (whole.sum((1, 3)) + fine * fine // 2) // (fine * fine)
    return mask.astype(np.uint8), (left // fine, top // fine)
