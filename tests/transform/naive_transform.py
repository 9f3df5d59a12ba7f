"""What a transformed picture is, told sample by sample with exact fractions: the oracle of the transform's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt

from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform.config import Interpolation
from picasso.transform.placement import Placement
from picasso_kernels.maths.axis import Axis
from picasso_kernels.maths.color import to_rgb, to_yuv
from picasso_kernels.maths.filters import tap_table

Samples = npt.NDArray[np.int64]
Component = tuple[Samples, int, int]
"""The samples of a channel, and how many luma pixels each covers across and down."""

ORDER = {"RGBA": "RGBA", "BGRA": "BGRA", "BGRx": "BGRx", "RGB": "RGB", "BGR": "BGR"}
TAPS = {
    Interpolation.GPU_CUBIC_VIC_5TAP: "cubic5",
    Interpolation.GPU_SUPER_VIC_10TAP: "lanczos10",
    Interpolation.GPU_LANCZOS_VIC_SMART: "lanczos8",
    Interpolation.GPU_IGNORED_VIC_NICEST: "nicest",
    Interpolation.AREA: "area",
}
Resample = Callable[[Component, int], Samples]


def naive_transform(
    source: SurfaceView, placement: Placement, form: VideoFormat, color: ColorSpace, interpolation: Interpolation
) -> tuple[Samples, ...]:
    """Return the planes of the target: ``(H, W, C)``, or Y and U and V."""

    def resample(component: Component, unit: int = 1) -> Samples:
        return resample_component(component, unit, placement, interpolation)

    name = form.name()
    if name not in ORDER and source.format.is_yuv and source.color == color:
        black = (0 if color.full_range else 16, 128, 128)
        parts = yuv_components(source)
        return tuple(
            compose(resample(part, unit), unit, value, placement)
            for part, unit, value in zip(parts, (1, 2, 2), black, strict=True)
        )
    canvas = rgba_canvas(source, placement, resample)
    if name in ORDER:
        channels = {"R": canvas[..., 0], "G": canvas[..., 1], "B": canvas[..., 2], "A": canvas[..., 3]}
        channels["x"] = channels["A"]
        return (np.stack([channels[letter] for letter in ORDER[name]], axis=-1),)
    return yuv_of(canvas, color)


def rgba_canvas(source: SurfaceView, placement: Placement, resample: Resample) -> Samples:
    """Return the target as RGBA, opaque black where the picture is not."""
    left, top, width, height = placement.inner_ltwh
    canvas = np.zeros((placement.target_wh[1], placement.target_wh[0], 4), np.int64)
    canvas[..., 3] = 255
    if source.format.is_yuv:
        picture = rgb_of([resample(part) for part in yuv_components(source)], source.color)
    else:
        picture = np.stack([resample((channel, 1, 1)) for channel in rgba_channels(source)], axis=-1)
    canvas[top : top + height, left : left + width] = picture
    return canvas


def rgba_channels(source: SurfaceView) -> list[Samples]:
    pixels = source.planes[0].astype(np.int64)
    if source.format is VideoFormat.GRAY8:
        return [pixels, pixels, pixels, np.full_like(pixels, 255)]
    letters = ORDER[source.format.name()]
    opaque = np.full(pixels.shape[:2], 255)
    return [pixels[..., letters.index(letter)] if letter in letters else opaque for letter in "RGBA"]


def yuv_components(source: SurfaceView) -> list[Component]:
    planes = [plane.astype(np.int64) for plane in source.planes]
    if source.format is VideoFormat.I420:
        return [(planes[0], 1, 1), (planes[1], 2, 2), (planes[2], 2, 2)]
    if source.format is VideoFormat.UYVY:
        return [(planes[0][..., 1], 1, 1), (planes[0][:, 0::2, 0], 2, 1), (planes[0][:, 1::2, 0], 2, 1)]
    first, second = (0, 1) if source.format is VideoFormat.NV12 else (1, 0)
    return [(planes[0], 1, 1), (planes[1][..., first], 2, 2), (planes[1][..., second], 2, 2)]


def resample_component(component: Component, unit: int, placement: Placement, how: Interpolation) -> Samples:
    """Return the component on the part of the target's grid that shows any of the picture."""
    samples, unit_x, unit_y = component
    (left, top, width, height), (crop_x, crop_y, crop_w, crop_h) = placement.inner_ltwh, placement.crop_ltwh
    across = Axis(left, width, unit, crop_x, crop_w, unit_x)
    down = Axis(top, height, unit, crop_y, crop_h, unit_y)
    if how in TAPS and not (is_copy(across) and is_copy(down)):
        return weigh_taps(samples, across, down, TAPS[how])
    pick = nearest_sample if how is Interpolation.NEAREST else bilinear_sample
    rows, columns = centres(down), centres(across)
    return np.array([[pick(samples, x, y, across, down) for x in columns] for y in rows])


def is_copy(axis: Axis) -> bool:
    """Whether each target sample's centre is the next source sample's."""
    expected = [Fraction(axis.first_source + i) + Fraction(1, 2) for i in range(axis.targets)]
    return axis.samples == axis.targets and centres(axis) == expected


def centres(axis: Axis) -> list[Fraction]:
    """Return where the centres of the target's samples fall, in source samples; sample 0 spans 0..1."""
    first, last = axis.start // axis.target_unit, -(-(axis.start + axis.size) // axis.target_unit)
    scale = Fraction(axis.crop_size, axis.size)
    targets = [(Fraction(t) + Fraction(1, 2)) * axis.target_unit for t in range(first, last)]
    return [(axis.crop + (t - axis.start) * scale) / axis.source_unit for t in targets]


def nearest_sample(samples: Samples, x: Fraction, y: Fraction, across: Axis, down: Axis) -> int:
    return int(samples[clip(floor(y), down), clip(floor(x), across)])


def bilinear_sample(samples: Samples, x: Fraction, y: Fraction, across: Axis, down: Axis) -> int:
    (x0, x1, wx), (y0, y1, wy) = neighbours(x, across), neighbours(y, down)
    left = mix(int(samples[y0, x0]) * 128, int(samples[y1, x0]) * 128, wy)
    right = mix(int(samples[y0, x1]) * 128, int(samples[y1, x1]) * 128, wy)
    return floor(Fraction(mix(left, right, wx), 128) + Fraction(1, 2))


def mix(a: int, b: int, weight: int) -> int:
    return a + floor(Fraction((b - a) * weight, 2048) + Fraction(1, 2))


def neighbours(centre: Fraction, axis: Axis) -> tuple[int, int, int]:
    first, last = axis.first_source, axis.first_source + axis.samples - 1
    place = min(max(floor((centre - Fraction(1, 2)) * 2048 + Fraction(1, 2)), first * 2048), last * 2048)
    return place // 2048, min(place // 2048 + 1, last), place % 2048


def clip(index: int, axis: Axis) -> int:
    return min(max(index, axis.first_source), axis.first_source + axis.samples - 1)


def weigh_taps(samples: Samples, across: Axis, down: Axis, name: str) -> Samples:
    (x_first, x_weights), (y_first, y_weights) = tap_table(across, name), tap_table(down, name)
    inside = samples[down.first_source :, across.first_source :]
    rows = []
    for first, weights in zip(y_first, y_weights, strict=True):
        total = sum(int(weight) * inside[first + tap] for tap, weight in enumerate(weights))
        wide = (total + 128) >> 8
        row = []
        for column, taps in zip(x_first, x_weights, strict=True):
            value = sum(int(weight) * int(wide[column + tap]) for tap, weight in enumerate(taps))
            row.append(min(max((value + (1 << 19)) >> 20, 0), 255))
        rows.append(row)
    return np.array(rows)


def compose(part: Samples, unit: int, black: int, placement: Placement) -> Samples:
    """Put a plane of the picture into the target's plane; samples partly in a bar take their share of black."""
    width, height = placement.target_wh
    left, top, inner_w, inner_h = placement.inner_ltwh
    plane = np.full((height // unit, width // unit), black)
    shown = np.zeros((height, width), np.int64)
    shown[top : top + inner_h, left : left + inner_w] = 1
    for y in range(part.shape[0]):
        for x in range(part.shape[1]):
            row, column = top // unit + y, left // unit + x
            share = int(shown[row * unit : row * unit + unit, column * unit : column * unit + unit].sum())
            mean = Fraction(int(part[y, x]) * share + black * (unit * unit - share), unit * unit)
            plane[row, column] = floor(mean + Fraction(1, 2))
    return plane


def rgb_of(parts: Sequence[Samples], color: ColorSpace) -> Samples:
    k = to_rgb(color.matrix.value, color.full_range)
    luma, u, v = (parts[0] - k.luma_floor) * k.luma, parts[1] - 128, parts[2] - 128
    sums = (luma + k.red_v * v, luma + k.green_u * u + k.green_v * v, luma + k.blue_u * u)
    channels = [np.clip((total + (1 << 12)) >> 13, 0, 255) for total in sums]
    return np.stack([*channels, np.full_like(luma, 255)], axis=-1)


def yuv_of(canvas: Samples, color: ColorSpace) -> tuple[Samples, Samples, Samples]:
    k = to_yuv(color.matrix.value, color.full_range)
    red, green, blue = (canvas[..., channel] for channel in range(3))
    luma = ((k.y_red * red + k.y_green * green + k.y_blue * blue + (1 << 14)) >> 15) + k.luma_floor
    blocks = canvas.reshape(canvas.shape[0] // 2, 2, canvas.shape[1] // 2, 2, 4).sum(axis=(1, 3))
    red, green, blue = (blocks[..., channel] for channel in range(3))
    u = ((k.u_red * red + k.u_green * green + k.u_blue * blue + (1 << 16)) >> 17) + 128
    v = ((k.v_red * red + k.v_green * green + k.v_blue * blue + (1 << 16)) >> 17) + 128
    return luma, np.clip(u, 0, 255), np.clip(v, 0, 255)
