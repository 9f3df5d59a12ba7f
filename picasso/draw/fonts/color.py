"""Glyphs of several colours as shades of one: labels are written in a single colour."""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

_DARKEST: Final = 0.25
"""What a black pixel keeps of its coverage, so that outlines and dark parts stay to be seen."""


def shades_of_png(
    png: bytes, scale: float, shift_xy: tuple[float, float], extents: Any
) -> tuple[Mask, tuple[int, int]] | None:
    """Return the mask of a glyph that is a picture, reduced to the size of the text; None where it cannot be decoded.

    Args:
        png: The file in the font.
        scale: Pixels of a unit of the font.
        shift_xy: Of the origin from the pen, in pixels.
        extents: Where the picture stands, in units of the font.
    """
    left, top = extents.x_bearing * scale + shift_xy[0], -extents.y_bearing * scale + shift_xy[1]
    width, height = max(round(extents.width * scale), 1), max(round(-extents.height * scale), 1)
    pixels = _decoded(png, width, height)
    return None if pixels is None else (_shade(pixels), (round(left), round(top)))


def shades_of_layers(
    library: Any, font: Any, glyph: int, scale: float, shift_xy: tuple[float, float]
) -> tuple[Mask, tuple[int, int]] | None:
    """Return the mask of a glyph of coloured layers or gradients; None where it cannot be painted."""
    painter = library.RasterPaint()
    painter.transform = (scale, 0.0, 0.0, scale, shift_xy[0], -shift_xy[1])
    painter.foreground = library.Color(255, 255, 255, 255)
    if not painter.set_glyph_extents(font.get_glyph_extents(glyph)) or not painter.paint_glyph_or_fail(font, glyph):
        return None
    image = painter.render()
    if image is None or not image.extents.width or not image.extents.height:
        return None
    size = image.extents
    pixels = np.frombuffer(image.buffer, np.uint8).reshape(size.height, -1, 4)[::-1, : size.width]
    return _shade(pixels[..., [2, 1, 0, 3]] / 255), (size.x_origin, -(size.y_origin + size.height))


def _decoded(png: bytes, width: int, height: int) -> Floats | None:
    """Return a picture ``(height, width, 4)`` in 0..1, colours multiplied by alpha, each pixel the mean of its area."""
    import av

    try:
        with av.open(io.BytesIO(png), "r", format="png_pipe") as file:
            pixels = next(file.decode(video=0)).to_ndarray(format="rgba") / 255
    except (av.FFmpegError, StopIteration):  # a damaged font costs its letter, not a frame
        return None
    pixels[..., :3] *= pixels[..., 3:]
    return _mean_of_areas(_mean_of_areas(pixels, height).swapaxes(0, 1), width).swapaxes(0, 1)


def _mean_of_areas(values: Floats, count: int) -> Floats:
    """Return ``count`` rows, each the mean of its share of the rows of ``values``."""
    sums = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, 0)])
    edges = np.linspace(0, len(values), count + 1)
    below = np.minimum(edges.astype(int), len(values) - 1)
    part = (edges - below)[:, None, None]
    return np.asarray(np.diff(sums[below] + part * values[below], axis=0) * (count / len(values)))


def _shade(pixels: Floats) -> Mask:
    """Return coverage that grows with the light of a pixel; colours are in 0..1, multiplied by alpha."""
    light = pixels[..., :3] @ np.array([0.2126, 0.7152, 0.0722])
    shares = np.clip(_DARKEST * pixels[..., 3] + (1 - _DARKEST) * light, 0, 1)
    return np.ascontiguousarray(np.rint(shares * 255).astype(np.uint8))
