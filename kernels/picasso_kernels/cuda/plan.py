"""From pictures and rectangles to a frame descriptor: which kernel, which axis tables, which numbers.

Everything that stays the same from frame to frame is computed here once and remembered; a launch only writes the
addresses of its planes into a copy of the row.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from picasso_kernels.cuda import axis_tables
from picasso_kernels.cuda.axis_tables import are_near, blend_entries
from picasso_kernels.cuda.frame_table import (
    AS_THEY_ARE,
    BLEND_BITS,
    BLUE_FIRST,
    FRAME,
    OUTSIDE,
    PAIRS,
    SELECTORS,
    V_FIRST,
    FramePlan,
    Place,
)
from picasso_kernels.cuda.pixels.read_fours import CHROMA_SPAN, LUMA_SPAN, PIXELS_SPAN
from picasso_kernels.cuda.plan_target import FLOATS, write_rgb, write_scales, write_target, write_yuv, writer_of
from picasso_kernels.cuda.tap_tables import Shared, in_halves, in_reach, padded_to_fours, share_words, taps_of
from picasso_kernels.frame.pixel_formats import PIXEL_FORMATS, Picture, Samples, list_components
from picasso_kernels.frame.plan import RectLTWH
from picasso_kernels.maths.axis import Axis

_ACROSS: Final = {"threes": 8, "thirds": 8, "twos": 12}
"""Target pixels of a group whose weights kernels know, by the samples that make two or three."""


@functools.lru_cache(maxsize=256)
def plan_frame(
    source: Picture,
    target: Picture,
    crop: RectLTWH,
    target_wh: tuple[int, int],
    inner: RectLTWH,
    name: str,
    normalize: tuple[tuple[float, ...], tuple[float, ...]] = ((1.0,) * 3, (0.0,) * 3),
    pad: tuple[int, ...] = (0, 0, 0),
) -> FramePlan:
    """Plan one transform; the most recent plans are remembered.

    An area filter that keeps a picture's size, or doubles it, is the bilinear one, to the last bit: all of its weights
    are eighths, so that nothing is rounded before the end.

    Args:
        source: What is read; ``base`` of its planes is their address modulo 16, which decides what may be read wide.
        target: What is written, one of ``plan_target.TARGETS``; of its planes too, ``base`` is the address modulo 16.
        crop: Left, top, width, height of what is taken of the source, in pixels.
        target_wh: Size of the target.
        inner: Left, top, width, height of where the crop lands; the rest becomes black.
        name: One of ``plan.FILTERS``.
        normalize: Factor and offset of red, green and blue, of targets of floats.
        pad: Red, green and blue of the bars of targets of floats, 0..255.
    """
    blends = name == "area" and all(inner[side] in {crop[side], 2 * crop[side]} for side in (2, 3))
    return _Planner(source, target, crop, target_wh, inner, "bilinear" if blends else name).plan(normalize, pad)


class _Planner:
    """Fills one row; tables are appended as they are made."""

    def __init__(
        self, source: Picture, target: Picture, crop: RectLTWH, target_wh: tuple[int, int], inner: RectLTWH, name: str
    ) -> None:
        self.source, self.target, self.crop, self.target_wh, self.inner = source, target, crop, target_wh, inner
        self.copied = not source.is_yuv and crop[2:] == inner[2:]
        self.is_upright = all(plane.pitch > 0 for plane in source.planes)
        self.has_word_rows = self.is_upright and self.has_rows_of(4)
        self.is_rgb24 = PIXEL_FORMATS.get(source.format) == 3 and source.planes[0][2:] == (3, 1) and self.has_word_rows
        self.filter = "nearest" if self.copied else name
        self.row = np.zeros((), FRAME)
        self.across = 2
        self.tables: list[npt.NDArray[np.int32]] = []
        self.entries: dict[str, npt.NDArray[np.int32]] = {}
        self.layout = ""
        self.coefficients_swapped = False
        self.components = list_components(source)
        self.thirds = self.filter == "area" and self.has_thirds()
        self.filter = "bilinear" if self.thirds else self.filter

    def plan(self, normalize: tuple[tuple[float, ...], tuple[float, ...]], pad: tuple[int, ...]) -> FramePlan:
        planar = self.is_planar()
        reader = self.add_source(planar)
        write_target(self.row, self.target, self.target_wh, self.inner)
        write_yuv(self.row, self.target, swapped=self.coefficients_swapped)
        write_rgb(self.row, self.source, blue_first=self.blue_first)
        write_scales(self.row, normalize)
        red, green, blue = pad
        self.row["pad"] = red | green << 8 | blue << 16
        writer = "planes" if planar else writer_of(self.target.format)
        sources = [Place(samples.plane, samples.shift) for samples in self.components]
        width, height = self.target_wh
        return FramePlan(
            f"{reader}_to_{writer}",
            self.row,
            np.concatenate(self.tables),
            self.source_places(sources),
            self.target_places(),
            (-(-width // self.across), -(-height // 2)),
        )

    def is_planar(self) -> bool:
        """Whether planes are made of planes: YUV of YUV of the same colour space."""
        same_color = (self.source.matrix, self.source.full_range) == (self.target.matrix, self.target.full_range)
        return self.source.is_yuv and writer_of(self.target.format) == "yuv420" and same_color

    @property
    def blue_first(self) -> bool:
        """Whether the target wants red and blue to change places."""
        return self.target.format.startswith("BGR")

    def source_places(self, places: list[Place]) -> tuple[Place, Place, Place]:
        first, second, third = places[0], places[min(1, len(places) - 1)], places[-1]
        if self.layout == "nv12":
            return first, Place(1, 0), Place(1, 0)  # the pairs; selectors say which is which
        return (first, third, second) if self.chroma_swapped else (first, second, third)

    @property
    def chroma_swapped(self) -> bool:
        """Whether U and V change places on the way."""
        return self.target.format == "NV21" if self.is_planar() else self.source.is_yuv and self.blue_first

    def target_places(self) -> tuple[Place, Place, Place]:
        last = len(self.target.planes) - 1
        return Place(0, 0), Place(min(1, last), 0), Place(last, 0)

    def add_source(self, planar: bool) -> str:
        """Write how the source is read; return the name of the reader."""
        main = self.components[0]
        row, plane = self.row, self.source.planes[main.plane]
        row["pitch"], row["step"] = plane.pitch, main.step
        x, y = self.axes(main, 1)
        copied = x.is_copy and y.is_copy
        keeps = self.copies_planes() if planar else self.keeps_luma()
        filter_, self.filter = self.filter, "nearest" if keeps else self.filter
        self.add_axis(x, self.target_wh[0], "column", copied)
        self.add_axis(y, self.target_wh[1], "row", copied)
        row["next_column"] = main.step if x.samples > 1 else 0
        row["next_row"] = plane.pitch if y.samples > 1 else 0
        self.filter = filter_
        return self.add_yuv(planar, kept=keeps) if self.source.is_yuv else self.add_channels(main, x)

    def add_yuv(self, planar: bool, *, kept: bool) -> str:
        """Write how chroma is read; return the name of the reader. ``kept`` luma is copied, and chroma to planes."""
        if planar and kept:
            self.filter = "nearest"
        self.add_chroma(2 if planar else 1)
        swap = (self.source.format == "NV21") != self.chroma_swapped
        if planar and kept:
            self.layout, self.across, self.row["red_green"] = "nv12", 8, AS_THEY_ARE[swap]
            return "planes_copied"
        self.layout = self.blended_layout()
        if planar and not (self.layout == "nv12" and self.has_word_pairs):
            self.layout = ""
        summed = self.kind == "averaged" or bool(self.shared.kind)
        if self.layout == "nv12" or summed:
            self.layout = "nv12"
            self.row["red_green"], self.row["blue_alpha"] = V_FIRST if swap else SELECTORS
            if planar and self.kind == "averaged":
                self.row["red_green"], self.across = PAIRS[swap], 8
        if summed:
            return f"{'planes' if planar else 'nv12'}_{self.shared.kind or 'averaged'}"
        blends = self.thirds or (self.layout and self.has_pairs)
        if blends and (ratio := self.ratio("yuv420" if planar else "pixels")):
            self.across = _ACROSS[ratio]
            return f"planes_{ratio}" if planar else f"nv12_{ratio}"
        if planar:
            self.across = 4 if self.layout else 2
            blended = "planes_near" if self.layout and self.has_near_planes else "planes_spots"
            return blended if self.layout else f"planes_{self.kind}"
        if kept:
            self.across = 8
            return "nv12_copied"
        return self.reader_of_pixels()

    def reader_of_pixels(self) -> str:
        """Return the name of the reader of luma and chroma that are blended to pixels or planes of floats."""
        self.across = 4
        if self.layout == "nv12" and self.has_near_fours:
            return "nv12_fours"
        if self.layout == "nv12" and any(self.has_groups(4, f"{form}_planes") for form in FLOATS):
            reader = axis_tables.exact_reader(self.entries) if self.has_word_rows else "nv12_words"
            if reader != "nv12_words":
                self.row["red_green"] = PAIRS[int(self.row["red_green"] == V_FIRST[0])]
            return reader
        self.across = 2
        return f"{self.layout or 'yuv'}_{self.kind}"

    def keeps_luma(self) -> bool:
        """Whether luma is copied to pixels, and chroma lies as ``pixels.copied`` has it: a picture of its own size."""
        kept = self.filter == "bilinear" and self.crop[2:] == self.inner[2:] and self.crop[3] > 1
        return kept and self.crop[0] % 4 == 0 and self.has_pairs and self.has_groups(8, "pixels")

    def copies_planes(self) -> bool:
        """Whether all is copied from plane to plane, 8 bytes an access."""
        (left, top, *size), (start, _, *inner) = self.crop, self.inner
        kept = size == inner and (left - start) % 8 == 0 == top % 2
        return kept and self.has_pairs and self.has_rows_of(8) and self.has_groups(8, "yuv420") and self.has_whole_rows

    def ratio(self, writer: str) -> str:
        """Return the name of a ratio across whose weights kernels know, from a word's first byte on; or nothing."""
        if self.thirds:
            return "thirds"
        if self.filter != "bilinear" or self.crop[0] % 4:
            return ""
        pairs = self.target.format != "I420"
        if 3 * self.crop[2] == 2 * self.inner[2] and pairs and self.has_groups(_ACROSS["twos"], writer):
            return "twos"
        return "threes" if self.has_threes(writer) else ""

    def has_threes(self, writer: str) -> bool:
        """Whether each three columns make two, and eight of these come from a word's first byte on."""
        kept = 2 * self.crop[2] == 3 * self.inner[2] and self.crop[0] % 4 == 0
        return kept and self.has_groups(_ACROSS["threes"], writer)

    def has_thirds(self) -> bool:
        """Whether an area filter makes two of three samples across and down as ``pixels.thirds`` does."""
        planar = self.is_planar()
        kept = self.has_pairs and (self.has_whole_rows or not planar) if self.source.is_yuv else self.is_rgb24
        writer = "yuv420" if planar or not self.source.is_yuv else "pixels"
        return kept and 2 * self.crop[3] == 3 * self.inner[3] and self.has_threes(writer)

    @property
    def has_pairs(self) -> bool:
        """Whether chroma lies in pairs, and rows of both planes are aligned words."""
        return [plane[2:] for plane in self.source.planes] == [(1, 1), (2, 1)] and self.has_word_rows

    def has_groups(self, size: int, writer: str) -> bool:
        """Whether each ``size`` neighbours are in the picture or in a bar, and may be written together."""
        planes, form = self.target.planes, self.target.format
        if writer_of(form) != writer or any(
            value % size for value in (self.target_wh[0], self.inner[0], self.inner[2])
        ):
            return False
        units: tuple[int, ...] = (size * FLOATS.get(form, 4),) * len(planes)
        if writer == "yuv420":
            units = (size, size // 2, size // 2) if form == "I420" else (size, size)
        units = tuple(min(unit & -unit, 16) for unit in units)
        return all(plane.base % unit == 0 == plane.pitch % unit for plane, unit in zip(planes, units, strict=True))

    @property
    def has_word_pairs(self) -> bool:
        """Whether the target's chroma lies in pairs, and rows of both its planes are aligned words."""
        planes = self.target.planes
        return len(planes) == 2 and all(plane.base % 4 == 0 == plane.pitch % 4 for plane in planes)

    @property
    def has_whole_rows(self) -> bool:
        """Whether each two rows are in the picture or in a bar, and pairs of chroma are written to pairs."""
        return self.inner[1] % 2 == 0 == self.inner[3] % 2 and self.target.format != "I420"

    @property
    def kind(self) -> str:
        if self.is_averaged:
            return "averaged"
        return self.filter if self.filter in {"nearest", "bilinear"} else "taps"

    @property
    def is_averaged(self) -> bool:
        """Whether each sample is the mean of 2x2 whose rows are halves of aligned accesses.

        So do the area filter and the bilinear one, to the last bit; words that are blended have a way of their own.
        """
        (left, top, width, height), (start, _, inner_width, inner_height) = self.crop, self.inner
        words = not self.source.is_yuv and not self.is_rgb24
        if self.filter not in ({"area"} if words else {"area", "bilinear"}):
            return False
        if (width, height) != (2 * inner_width, 2 * inner_height) or start % 2 or inner_width % 2:
            return False
        if words:
            aligned = self.has_aligned_quads
        elif self.is_rgb24:
            aligned = True
        else:
            aligned = self.has_pairs and top % 2 == 0 and (not self.is_planar() or self.has_eights)
        return aligned and (left - 2 * start) % 4 == 0

    @property
    def has_eights(self) -> bool:
        """Whether halves are written eight neighbours together, each of an aligned access of 16 bytes."""
        whole = self.has_groups(8, "yuv420") and self.has_whole_rows and (self.crop[0] - 2 * self.inner[0]) % 16 == 0
        return whole and self.has_rows_of(16)

    def has_rows_of(self, size: int) -> bool:
        """Whether rows of all planes begin at multiples of ``size`` bytes."""
        return all(plane.base % size == 0 == plane.pitch % size for plane in self.source.planes)

    @property
    def has_near_planes(self) -> bool:
        """Whether four neighbours of luma lie in eight bytes of a row, two pairs of chroma as well, and go to pairs."""
        luma, chroma = self.entries["column"], self.entries["chroma_column"]
        near = self.has_word_rows and are_near(luma, LUMA_SPAN, 4) and are_near(chroma, CHROMA_SPAN)
        return near and self.has_groups(4, "yuv420") and self.has_whole_rows

    @property
    def has_near_fours(self) -> bool:
        """Whether four neighbours are made together: luma lies in eight bytes of a row, chroma in ten."""
        luma, chroma = self.entries["column"], self.entries["chroma_column"]
        near = self.has_word_rows and are_near(luma, LUMA_SPAN, 4) and are_near(chroma, PIXELS_SPAN, 4)
        return near and (self.has_groups(4, "pixels") or self.has_groups(4, "yuv420"))

    def blended_layout(self) -> str:
        """Return how ``pixels.read_spots`` blends luma and chroma: ``nv12``, ``i420``, or nothing where it cannot."""
        planes = self.source.planes
        layout = {((1, 1), (2, 1)): "nv12", ((1, 1),) * 3: "i420"}.get(tuple(plane[2:] for plane in planes), "")
        if self.filter != "bilinear" or not (self.row["next_column"] and self.row["chroma_next_column"]):
            return ""
        if not self.is_upright:
            return ""
        if layout == "nv12":
            return layout if planes[1].base % 2 == 0 == planes[1].pitch % 2 else ""
        return layout if layout and planes[1].pitch == planes[2].pitch else ""

    def axes(self, samples: Samples, target_unit: int) -> tuple[Axis, Axis]:
        crop, inner = self.crop, self.inner
        return (
            Axis(inner[0], inner[2], target_unit, crop[0], crop[2], samples.unit_x),
            Axis(inner[1], inner[3], target_unit, crop[1], crop[3], samples.unit_y),
        )

    def add_chroma(self, target_unit: int) -> None:
        samples = self.components[1]
        row, pitch = self.row, self.source.planes[samples.plane].pitch
        x, y = self.axes(samples, target_unit)
        width, height = self.target_wh
        copied = x.is_copy and y.is_copy
        self.add_axis(x, width // target_unit, "chroma_column", copied)
        self.add_axis(y, height // target_unit, "chroma_row", copied)
        row["chroma_pitch"], row["chroma_step"] = pitch, samples.step
        row["chroma_next_column"] = samples.step if x.samples > 1 else 0
        row["chroma_next_row"] = pitch if y.samples > 1 else 0

    def add_channels(self, samples: Samples, x: Axis) -> str:
        """Write where the channels of packed pixels are; return the name of the reader."""
        row, plane = self.row, self.source.planes[0]
        swap = self.source.format.startswith("BGR") != self.blue_first
        opaque = PIXEL_FORMATS.get(self.source.format, 1) != 4 or self.source.format == "BGRx"
        if samples.lanes == 4 and PIXEL_FORMATS[self.source.format] == 4 and self.is_aligned(4):
            row["red_green"], row["blue_alpha"] = BLUE_FIRST if swap else SELECTORS
            row["alpha"] = -1 if opaque else 0
            return f"words_{self.words_kind(x)}"
        if self.is_rgb24 and (self.kind == "averaged" or self.shared.kind):
            row["red_green"], row["blue_alpha"] = BLUE_FIRST if swap else SELECTORS
            row["alpha"] = -1
            return f"rgb_{self.shared.kind or 'averaged'}"
        if self.is_rgb24 and self.kind == "bilinear" and x.samples > 1:
            if ratio := self.ratio("yuv420"):
                self.across, self.coefficients_swapped = _ACROSS[ratio], bool(swap)
                return f"rgb_{ratio}"
            row["red"] = 2 * swap  # whether it is the third
            wide = self.has_groups(4, "pixels") or self.has_groups(4, "yuv420")
            self.across = 4 if wide else 2
            self.coefficients_swapped = bool(swap) and wide and writer_of(self.target.format) == "yuv420"
            return "rgb_fours" if wide else "rgb_bilinear"
        if self.is_rgb24 and self.copied and self.has_copied_fours:
            row["red_green"], row["blue_alpha"] = BLUE_FIRST if swap else SELECTORS
            row["alpha"] = -1
            self.across = 4
            return "rgb_copied"
        row["red_green"], row["blue_alpha"] = SELECTORS
        lane = plane.lane_step if samples.lanes == 4 else 0
        row["red"], row["green"], row["blue"] = (2 * lane, lane, 0) if swap else (0, lane, 2 * lane)
        row["alpha"] = -1 if opaque else 3 * lane
        return f"bytes_{self.kind}"

    @property
    def has_copied_fours(self) -> bool:
        """Whether ``pixels.wide`` copies pixels of 3 bytes."""
        return self.crop[0] % 4 == 0 and (self.has_groups(4, "pixels") or self.has_groups(4, "yuv420"))

    def words_kind(self, x: Axis) -> str:
        """Return the quickest way to read words: whole pairs are one access where they are aligned for it."""
        if self.is_aligned(16) and "twos" in {self.ratio("yuv420"), self.ratio("pixels")}:
            self.across = _ACROSS["twos"]
            return "twos"
        start = self.crop[0] * 4
        even = not (x.start % 2 or x.size % 2)
        if self.copied and even and self.is_aligned(8) and (start - 4 * x.start) % 8 == 0:
            return "copied"
        halved = self.filter == "bilinear" and x.crop_size == 2 * x.size
        if halved and even and self.is_aligned(16) and (start - 8 * x.start) % 16 == 0:
            return "halved"
        return self.shared.kind or self.kind

    @functools.cached_property
    def shared(self) -> Shared:
        """The taps of columns as readers want them whose neighbours share what they read; none if they cannot.

        They read words of four samples of luma, of two pairs of chroma, or of four pixels. An aligned one has some of
        the source, so its memory is there. Four pixels of 3 bytes are three words, so all have to be the source's.
        """
        whole = self.is_rgb24 and (self.crop[0] + self.crop[2]) % 4 == 0
        aligned = self.has_pairs if self.source.is_yuv else whole or self.has_aligned_quads
        pixels = PIXEL_FORMATS.get(self.source.format) == 4 and self.is_aligned(4)
        if self.kind != "taps" or not (aligned or pixels or self.is_rgb24):
            return Shared()
        units = (1, 1 + self.is_planar())[: 1 + self.source.is_yuv]
        axes = [self.axes(samples, unit) for samples, unit in zip(self.components, units, strict=False)]
        return share_words(axes, self.filter, self.target_wh[0], aligned=aligned)

    @property
    def has_aligned_quads(self) -> bool:
        """Whether four pixels of 4 bytes are one access."""
        return PIXEL_FORMATS.get(self.source.format) == 4 and self.is_aligned(16)

    def is_aligned(self, size: int) -> bool:
        """Whether pixels of 4 bytes lie so that every row starts at a multiple of ``size``."""
        plane = self.source.planes[0]
        return (plane.step, plane.lane_step, plane.base % size, plane.pitch % size) == (4, 1, 0, 0)

    def add_axis(self, axis: Axis, length: int, name: str, copied: bool) -> None:
        """Append the tables of an axis of ``length`` target samples, and write where they start."""
        padded = padded_to_fours(length)
        shown = slice(axis.first_target, axis.first_target + axis.targets)
        entries = np.full(padded, OUTSIDE, np.int32)
        if self.kind == "averaged":
            step = 1 if copied else 2  # chroma of pixels that have a sample each
            entries[shown] = (axis.first_source + step * np.arange(axis.targets)) << BLEND_BITS
        elif name in self.shared.words:
            starts, self.row[f"{name}_taps"], made = self.shared.words[name]
            entries[shown] = starts << BLEND_BITS
            self.row[f"{name}_weights"] = self.append(made)
        elif self.kind == "taps":
            least = self.shared.rows.get(name, 1)
            first, made = in_reach(axis, taps_of(axis, self.filter, copied=copied), least)
            weights = np.zeros((padded, made.shape[1]), np.int32)
            entries[shown], weights[shown] = first << BLEND_BITS, made
            self.row[f"{name}_taps"] = made.shape[1]
            self.row[f"{name}_weights"] = self.append(in_halves(weights) if self.shared.kind else weights.reshape(-1))
        else:
            entries[shown] = blend_entries(axis, self.filter)
        self.entries[name] = entries
        self.row[f"{name}s"] = self.append(entries)

    def append(self, table: npt.NDArray[np.int32]) -> int:
        """Append a table of a multiple of 16 bytes; return where it starts, in bytes."""
        at = 4 * sum(len(table) for table in self.tables)
        self.tables.append(table)
        return at
