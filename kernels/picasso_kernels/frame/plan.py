"""From pictures and rectangles to a job: which components, which tables, how much scratch."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso_kernels.cpu.compile import pure, ready
from picasso_kernels.frame import job as j
from picasso_kernels.frame.job import Filter, Read, Reader, Store, Writer
from picasso_kernels.frame.pixel_formats import PIXEL_FORMATS, TENSORS, Picture, Plane, Samples, list_components
from picasso_kernels.maths.axis import Axis, fill_bilinear, fill_nearest
from picasso_kernels.maths.color import spans, to_rgb, to_yuv
from picasso_kernels.maths.filters import tap_table
from picasso_kernels.maths.pixel import ONE, WEIGHT_BITS

Table = npt.NDArray[np.int16]
RectLTWH = tuple[int, int, int, int]

FILTERS: Final = ("nearest", "bilinear", "cubic5", "lanczos10", "lanczos8", "nicest", "area")
LINE: Final = 64
"""Bytes of a cache line."""
READ_AHEAD: Final = 3 * LINE
"""Bytes behind a row that vector code may read, and ignores."""


class Plan(NamedTuple):
    """What ``transform_frame`` needs beside the planes."""

    job: npt.NDArray[np.int64]
    table: Table
    scratch_bytes: int


@functools.lru_cache(maxsize=256)
def make_plan(
    source: Picture,
    target: Picture,
    crop: RectLTWH,
    target_wh: tuple[int, int],
    inner: RectLTWH,
    name: str,
    pad: int = 0,
    stream: bool = False,
) -> Plan:
    """Return the plan of one transform; the most recent ones are remembered.

    Args:
        source: What is read; its format is one of ``pixel_formats.SOURCES``.
        target: What is written; its format is one of ``pixel_formats.TARGETS`` or ``pixel_formats.TENSORS``.
        crop: Left, top, width, height of what is taken of the source, in pixels.
        target_wh: Size of the target.
        inner: Left, top, width, height of where the crop lands; the rest becomes black.
        name: One of ``FILTERS``.
        pad: The pixel of a tensor's bars, packed, in the order of its channels.
        stream: Whether a tensor is larger than the caches.
    """
    sheet = _Sheet()
    writer = _writer(source, target)
    for index, samples in enumerate(list_components(source)):
        unit = 2 if writer == Writer.PLANES and index else 1
        x = Axis(inner[0], inner[2], unit, crop[0], crop[2], samples.unit_x)
        y = Axis(inner[1], inner[3], unit, crop[1], crop[3], samples.unit_y)
        plane = source.planes[samples.plane]
        sheet.set(_component(sheet, samples, plane, x, y, name), index * j.COMPONENT)
    direct = sheet.job[j.READ] == Read.TIGHT and crop[2:] == inner[2:] and not any(side % 2 for side in inner)
    sheet.set(_geometry(sheet, target_wh, inner))
    sheet.set(_formats(source, target, writer, direct))
    sheet.set(enumerate(_to_yuv(source, target, writer)), j.TO_YUV)
    sheet.set(enumerate(to_rgb(source.matrix, source.full_range)), j.TO_RGB)
    sheet.set({j.PAD: pad, j.STREAM: stream})
    for index, plane in enumerate(_target_planes(target, writer)):
        sheet.set(enumerate(plane), j.OUT + index * j.OUT_PLANE)
    return sheet.finish()


class _Sheet:
    """A job that is being written: tables are appended, scratch is handed out from the front."""

    def __init__(self) -> None:
        self.job = np.zeros(j.JOB, np.int64)
        self._tables: list[Table] = []
        self._entries = 0
        self._scratch = 0

    def set(self, values: Mapping[int, int] | Iterable[tuple[int, int]], start: int = 0) -> None:
        """Write numbers of the job, at places counted from ``start``."""
        for key, value in dict(values).items():
            self.job[start + key] = value

    def append(self, entries: Table) -> int:
        """Append to the table, on a cache line of its own, and say where."""
        at = self._entries
        self._tables.append(np.pad(entries.reshape(-1), (0, -entries.size % (LINE // 2))))
        self._entries += len(self._tables[-1])
        return at

    def take(self, size: int) -> int:
        """Hand out scratch for ``size`` bytes on cache lines of their own, with room for what vectors read ahead."""
        at = self._scratch
        self._scratch += _whole_lines(size + READ_AHEAD)
        return at

    def finish(self) -> Plan:
        """Return the job and its table as one piece."""
        table = aligned(2 * self._entries).view(np.int16)
        np.concatenate(self._tables, out=table)
        return Plan(self.job, table, self._scratch)


def _component(sheet: _Sheet, samples: Samples, plane: Plane, x: Axis, y: Axis, name: str) -> dict[int, int]:
    """Return a component's block of the job."""
    values = {
        j.BASE: plane.base + samples.shift + y.first_source * plane.pitch + x.first_source * samples.step,
        j.PITCH: plane.pitch,
        j.STEP: samples.step,
        j.LANE_STEP: plane.lane_step,
        j.LANES: samples.lanes,
        j.READ: samples.read,
        j.COLUMNS: x.samples,
        j.LAST_ROW: y.samples - 1,
        j.OUT_COLUMNS: x.targets,
        j.OUT_ROWS: y.targets,
    }
    if x.is_copy and y.is_copy:
        name = "nearest"
    values |= (
        _two_taps(sheet, x, y, samples.lanes, name) if name in {"nearest", "bilinear"} else _taps(sheet, x, y, name)
    )
    row, slots = x.samples * samples.lanes, values.get(j.Y_TAPS, 2)
    if samples.read != Read.TIGHT:
        values |= {j.SLOTS: slots, j.SLOT_BYTES: _whole_lines(row + READ_AHEAD), j.TAGS: sheet.take(4 * slots)}
        values[j.CACHE] = sheet.take(slots * values[j.SLOT_BYTES])
    return values | {j.WIDE: sheet.take(2 * (row + samples.lanes)), j.PLACES: sheet.take(8 * slots)}


def _two_taps(sheet: _Sheet, x: Axis, y: Axis, lanes: int, name: str) -> dict[int, int]:
    """Append the tables of nearest or bilinear samples and say where they are."""
    if name == "nearest":
        tables = nearest_entries(x), nearest_entries(y)
    else:
        tables = bilinear_entries(x), bilinear_entries(y)
        if not (_weights(x).any() or _weights(y).any()):
            name = "nearest"  # whose indices are these: the picture shrinks to a third, say
    places = [
        sheet.append(vector_entries(x) if name == "bilinear" and lanes == 4 else tables[0]),
        sheet.append(tables[1]),
    ]
    near = x.crop_size * x.target_unit <= 2 * x.size * x.source_unit
    return {
        j.FILTER: Filter.NEAREST if name == "nearest" else Filter.BILINEAR,
        j.X_INDEX: places[0],
        j.Y_INDEX: places[1],
        j.Y_WEIGHT: places[1] + y.targets,
        j.X_COPY: int(x.is_copy),
        j.NEAR: int(near),
        j.FAR: int(lanes == 4 and not near),
        j.HALVES: int(name == "bilinear" and lanes == 1 and _halves(x) and _halves(y)),
    }


def _weights(axis: Axis) -> Table:
    """Return the shares of the right ones of each two bilinear samples, in 2048ths."""
    return bilinear_entries(axis)[axis.targets :]


def _halves(axis: Axis) -> bool:
    """Tell whether each bilinear sample lies midway between the next two."""
    index, weight = np.split(bilinear_entries(axis), 2)
    return bool((weight == ONE // 2).all() and (index == np.arange(0, 2 * axis.targets, 2)).all())


def _taps(sheet: _Sheet, x: Axis, y: Axis, name: str) -> dict[int, int]:
    """Append the tables of filters of more taps and say where they are."""
    (x_first, x_weights), (y_first, y_weights) = tap_entries(x, name), tap_entries(y, name)
    pairs = x_weights.reshape(x.targets, -1, 2).swapaxes(0, 1)  # as ``filter_rows.sum_pixels`` reads them
    return {
        j.FILTER: Filter.TAPS,
        j.X_INDEX: sheet.append(x_first),
        j.X_WEIGHT: sheet.append(pairs),
        j.X_TAPS: x_weights.shape[1],
        j.Y_INDEX: sheet.append(y_first),
        j.Y_WEIGHT: sheet.append(y_weights),
        j.Y_TAPS: y_weights.shape[1],
    }


@functools.lru_cache(maxsize=256)
def nearest_entries(axis: Axis) -> Table:
    """Return the index of each target sample's source sample."""
    table = np.zeros(axis.targets, np.int16)
    fill = ready(fill_nearest) or pure(fill_nearest)
    fill(table, 0, axis.targets, axis.first_target, *axis, axis.first_source, axis.samples)
    return table


@functools.lru_cache(maxsize=256)
def bilinear_entries(axis: Axis) -> Table:
    """Return the indices of the left source samples, then the weights of the right ones."""
    table = np.zeros(2 * axis.targets, np.int16)
    fill = ready(fill_bilinear) or pure(fill_bilinear)
    fill(table, 0, axis.targets, axis.first_target, *axis, axis.first_source, axis.samples)
    return table


@functools.lru_cache(maxsize=256)
def vector_entries(axis: Axis) -> Table:
    """Return ``bilinear_entries``, and behind them what only the vector code for rows of pixels reads.

    For each pixel the distance of its index from that of the first of its eight, then for each channel of each pixel
    the weight in 32768ths, the unit of the machine's rounding multiplication.
    """
    index, weight = np.split(bilinear_entries(axis), 2)
    firsts = np.repeat(index[::8], 8)[: len(index)]
    return np.concatenate([index, weight, index - firsts, np.repeat(weight << (15 - WEIGHT_BITS), 4)])


@functools.lru_cache(maxsize=256)
def tap_entries(axis: Axis, name: str) -> tuple[Table, Table]:
    """Return ``filters.tap_table`` with an even number of taps."""
    first, weights = tap_table(axis, name)
    return first.astype(np.int16), np.pad(weights, ((0, 0), (0, weights.shape[1] % 2))).astype(np.int16)


def _geometry(sheet: _Sheet, target_wh: tuple[int, int], inner: RectLTWH) -> dict[int, int]:
    """Return sizes, and the scratch for whole rows of the target."""
    row_bytes, sample_row_bytes = _whole_lines(4 * (target_wh[0] + 2)), _whole_lines(target_wh[0] + READ_AHEAD)
    return {
        j.TARGET_WIDTH: target_wh[0],
        j.TARGET_HEIGHT: target_wh[1],
        j.LEFT: inner[0],
        j.TOP: inner[1],
        j.WIDTH: inner[2],
        j.HEIGHT: inner[3],
        j.ROW_BYTES: row_bytes,
        j.ROWS: sheet.take(3 * row_bytes),
        j.SAMPLE_ROW_BYTES: sample_row_bytes,
        j.SAMPLE_ROWS: sheet.take(3 * sample_row_bytes),
    }


def _formats(source: Picture, target: Picture, writer: Writer, direct: bool) -> dict[int, int]:
    """Return what reads, what writes, and what happens to the channels between them."""
    reader = Reader.YUV if source.is_yuv else Reader.GREY if source.format == "GRAY8" else Reader.PIXELS
    swap = source.is_blue_first != target.is_blue_first
    opaque = source.format == "BGRx"
    lanes = PIXEL_FORMATS.get(target.format, 1)
    return {
        j.WRITER: writer,
        j.READER: reader,
        j.STORE: _store(_target_planes(target, writer), swap or opaque or lanes == 3),
        j.SWAP: swap,
        j.OPAQUE: opaque,
        j.DIRECT: direct and reader == Reader.PIXELS,
        j.LUMA_BLACK: spans(target.full_range)[0],
        j.OUT_LANES: lanes,
        j.NUMBER_BYTES: TENSORS.get(target.format, 0),
        j.GREY: target.format.startswith("GREY"),
    }


def _writer(source: Picture, target: Picture) -> Writer:
    if target.format in PIXEL_FORMATS:
        return Writer.PIXELS
    if target.format in TENSORS:
        return Writer.TENSOR
    same_color = (source.matrix, source.full_range) == (target.matrix, target.full_range)
    return Writer.PLANES if source.is_yuv and same_color else Writer.YUV420


def _store(planes: Sequence[Plane], turned: bool) -> Store:
    """Say how the target lies beside what the row loops make."""
    steps = [plane.step for plane in planes]
    if steps == [4] and planes[0].lane_step == 1 and not turned:
        return Store.DIRECT
    if steps == [1, 1, 1]:
        return Store.PLANAR
    return Store.PAIRED if steps == [1, 2, 2] and planes[1].lane_step == 1 else Store.SPREAD


def _target_planes(target: Picture, writer: Writer) -> list[Plane]:
    """Return a plane for each component that is written; pairs of chroma are written in the order of memory."""
    if target.format not in {"NV12", "NV21"}:
        return list(target.planes)
    luma, pair = target.planes
    other = pair._replace(base=pair.base + pair.lane_step)
    in_order = target.format == "NV12" or writer == Writer.YUV420
    return [luma, pair, other] if in_order else [luma, other, pair]


def _to_yuv(source: Picture, target: Picture, writer: Writer) -> tuple[int, ...]:
    """Return the coefficients for the channels in the order of the source, and chroma in the order of the target."""
    if writer == Writer.TENSOR:
        return to_yuv("bt601", full_range=True)  # grey, of pixels that are in the order of RGBA by then
    coefficients = to_yuv(target.matrix, target.full_range)
    if source.is_blue_first:
        coefficients = coefficients.swapped()
    return coefficients.exchanged() if target.format == "NV21" and writer == Writer.YUV420 else coefficients


def aligned(size: int) -> npt.NDArray[np.uint8]:
    """Return memory that starts on a cache line."""
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size]


def _whole_lines(size: int) -> int:
    return -(-size // LINE) * LINE
