"""What a frame's descriptor says of its target, and the numbers that convert colours on the way."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso_kernels.frame.pixel_formats import PIXEL_FORMATS, Picture
from picasso_kernels.frame.plan import RectLTWH
from picasso_kernels.maths.color import spans, to_rgb, to_yuv

TARGETS: Final = ("RGBA", "BGRA", "BGRx", "NV12", "NV21", "I420", "half", "single")
"""What kernels write; ``half`` and ``single`` are three planes, red, green and blue, of float16 and float32."""
FLOATS: Final = {"half": 2, "single": 4}
"""Bytes of a number in planes of floats."""


def writer_of(form: str) -> str:
    """Return the name of the writer of a format."""
    if form in FLOATS:
        return f"{form}_planes"
    return "pixels" if form in PIXEL_FORMATS else "yuv420"


def write_target(row: npt.NDArray[Any], target: Picture, target_wh: tuple[int, int], inner: RectLTWH) -> None:
    """Write where the target's planes and the picture in it are; ``row`` is one ``FRAME``."""
    form = target.format
    width, height = target_wh
    left, top, inner_width, inner_height = inner
    row["width"], row["height"] = width, height
    row["left"], row["top"], row["right"], row["bottom"] = left, top, left + inner_width, top + inner_height
    row["luma_black"] = spans(target.full_range)[0]
    first, chroma = target.planes[0], target.planes[-1]
    row["target_pitch"], row["chroma_target_pitch"] = first.pitch, chroma.pitch
    row["chroma_target_step"] = chroma.step
    unit = {"yuv420": 2, "pixels": 8, "half_planes": 4, "single_planes": 8}[writer_of(form)]
    planes = target.planes if form != "I420" else target.planes[:1]
    aligned = all(plane.base % unit == 0 and plane.pitch % unit == 0 for plane in planes)
    row["wide_stores"] = aligned and width % 2 == 0


def write_yuv(row: npt.NDArray[Any], target: Picture, *, swapped: bool) -> None:
    """Write the coefficients to luma and chroma; ``swapped`` ones are of pixels with blue instead of red."""
    yuv = to_yuv(target.matrix, target.full_range)
    yuv = yuv.swapped() if swapped else yuv
    yuv = yuv.exchanged() if target.format == "NV21" else yuv
    for field, value in zip(yuv._fields, yuv, strict=True):
        row[field] = value


def write_rgb(row: npt.NDArray[Any], source: Picture, *, blue_first: bool) -> None:
    """Write the coefficients from luma and chroma; red and blue change places where the target has blue first."""
    rgb = to_rgb(source.matrix, source.full_range)
    row["luma"], row["rgb_floor"] = rgb.luma, rgb.luma_floor
    row["red_v"], row["blue_u"] = (rgb.blue_u, rgb.red_v) if blue_first else (rgb.red_v, rgb.blue_u)
    row["green_u"], row["green_v"] = (rgb.green_v, rgb.green_u) if blue_first else (rgb.green_u, rgb.green_v)


def write_scales(row: npt.NDArray[Any], normalize: tuple[tuple[float, ...], tuple[float, ...]]) -> None:
    """Write the factors and offsets of planes of floats."""
    for kind, values in zip(("scale", "bias"), normalize, strict=True):
        bits = np.array(values, np.float32).view(np.int32)
        for color, value in zip(("red", "green", "blue"), bits, strict=True):
            row[f"{kind}_{color}"] = value
