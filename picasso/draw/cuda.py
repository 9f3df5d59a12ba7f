"""The painter of GPUs: a display list by one launch, and two more for each blurred rectangle and plane."""

from __future__ import annotations

import functools
import struct
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso.draw.lists import UNIT, DisplayList
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.surface.cuda import check_layout
from picasso.surface.cuda_memory import MOST_AT_ONCE, DeviceBlock, StagedMemory
from picasso.surface.driver_calls import DriverCalls, copy_to_device
from picasso.surface.pixels import pixels_of
from picasso_kernels.cuda.driver import Stream
from picasso_kernels.cuda.launches import Arguments, Launch, launch
from picasso_kernels.cuda.paint import TABLES, Sheet
from picasso_kernels.maths.color import to_yuv
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.blur import box_width

_BLOCK: Final = (64, 2, 1)
_FIELDS: Final = Sheet._fields
_LAYOUT: Final = struct.Struct(f"={TABLES}Q{len(_FIELDS) - TABLES}i")
_PIXELS: Final = (VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.BGRx)
PAINT_FORMATS: Final = (VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420, *_PIXELS)
"""Formats that are painted on directly."""
_RANGE_AT: Final = 8 * TABLES
"""Where a sheet says which commands to paint: the first, and the one behind the last."""
_COMMAND: Final = 4 * at.COMMAND_SIZE
_GLYPH: Final = 4 * at.GLYPH_SIZE
"""Bytes of a row of a list."""
_UNIT: Final = 16
"""Arrays start at multiples of this many bytes."""
_SMALLEST: Final = 1 << 14
"""Bytes of memory for lists, to begin with."""

Ints = npt.NDArray[np.int32]


class CudaPainter:
    """Paints display lists onto surfaces of one GPU, on the stream it is given. For one thread; waits for nothing."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._device = stream.device
        self._lists = _Upload(stream)
        self._coverage = _Upload(stream)
        self._revision = -1
        """Of the coverage that is on the device."""
        self._covered = 0
        self._scratch = _Scratch(stream)
        self._blurring = Arguments(_LAYOUT.size)
        self._canvas: _Canvas | None = None

    def paint(self, surface: SurfaceView, drawing: DisplayList) -> None:
        """Put the painting of ``drawing`` onto ``surface`` on the stream.

        Raises:
            SurfaceError: The format is not one of ``PAINT_FORMATS``, or the surface is not on this GPU, or read-only.
        """
        canvas = self._canvas
        if canvas is None or canvas.surface is not surface:
            canvas = self._ready_canvas(surface)
        pixels_of(surface).planes  # noqa: B018  # one that was handed over since raises
        commands = drawing.commands
        count = len(commands)
        if not count:
            return
        if drawing.address and not drawing.may_blur and self._is_covered(drawing):
            canvas.paint_from(self._lists, drawing, count, self._coverage.address)
            return
        before = self._device.enter()
        try:
            self._paint(canvas, drawing, commands)
        finally:
            self._device.leave(before)

    def wait(self) -> None:
        """Wait until all of it is painted."""
        self._stream.wait()

    def _paint(self, canvas: _Canvas, drawing: DisplayList, commands: Ints) -> None:
        if not self._is_covered(drawing):
            self._coverage.send(drawing.coverage)
            self._revision, self._covered = drawing.revision, len(drawing.coverage)
        if drawing.may_blur:
            kinds: list[int] = commands[:, at.KIND].tolist()
            if at.BLUR in kinds:
                self._paint_in_pieces(canvas, drawing, kinds)
                return
        first, second = self._lists.send(commands, drawing.glyphs)
        canvas.set_lists(first, second, self._coverage.address)
        canvas.paint(0, len(commands))

    def _is_covered(self, drawing: DisplayList) -> bool:
        """Whether the coverage of a drawing is on the device."""
        return drawing.revision == self._revision and len(drawing.coverage) == self._covered

    def _ready_canvas(self, surface: SurfaceView) -> _Canvas:
        """Compute what stays the same from list to list, as long as the surface comes back."""
        self._check(surface)
        canvas = self._canvas = _Canvas(surface, self._stream)
        return canvas

    def _paint_in_pieces(self, canvas: _Canvas, drawing: DisplayList, kinds: list[int]) -> None:
        """Paint a list with blurs: each needs all that is below it."""
        commands = drawing.commands
        curves = {sigma: _curve(sigma) for sigma in _sigmas(commands, canvas.surface.format)}
        first, second, *others = self._lists.send(commands, drawing.glyphs, *curves.values())
        canvas.set_lists(first, second, self._coverage.address)
        located, start = dict(zip(curves, others, strict=True)), 0
        for number in (number for number, kind in enumerate(kinds) if kind == at.BLUR):
            canvas.paint(start, number)
            self._blur(canvas, commands[number], number, located)
            start = number + 1
        canvas.paint(start, len(kinds))

    def _blur(self, canvas: _Canvas, command: Ints, number: int, curves: dict[int, int]) -> None:
        surface, sheet = canvas.surface, canvas.sheet
        unit = 1 if surface.format in _PIXELS else 2
        left, right = _clip(command[at.LEFT], command[at.RIGHT], surface.width, unit)
        top, bottom = _clip(command[at.TOP], command[at.BOTTOM], surface.height, unit)
        if right <= left or bottom <= top:
            return
        for plane in _blur_planes(sheet, unit):
            shared, cell = plane["shared"], -(-int(command[at.CELL]) // unit) * unit
            columns, lines = (right - left) // shared, (bottom - top) // shared
            box = {"left": left // shared, "columns": columns, "top": top // shared, "lines": lines, "first": number}
            box["scratch"] = self._scratch.take(3 * columns * lines)
            grids = [_grid(columns, lines)] * 2
            if cell:
                side = cell // shared
                box["cell"], names = side, ("tile_means", "lay_tiles")
                grids[0] = _grid(-(-columns // side), -(-lines // side))
            else:
                sigma, names = int(command[at.SIGMA]) // shared, ("smooth_down", "smooth_across")
                box |= {"curve": curves[sigma], **_curve_numbers(sigma)}
            _LAYOUT.pack_into(self._blurring.block, 0, *(sheet | plane | box).values())
            for name, grid in zip(names, grids, strict=True):
                launch(self._device.function(name, batched=False), grid, _BLOCK, self._stream, self._blurring)

    def _check(self, surface: SurfaceView) -> None:
        if surface.format not in PAINT_FORMATS:
            names = ", ".join(form.name() for form in PAINT_FORMATS)
            raise SurfaceError(f"the painter of GPUs draws on {names}, not on {surface.format.name()}")
        if not surface.is_cuda or surface.gpu_id != self._device.index:
            raise SurfaceError(f"the painter works on GPU {self._device.index}, the surface is not there")
        if surface.readonly:
            raise SurfaceError("the pixels are read-only")
        check_layout("surface", surface.device_planes)


class _Canvas:
    """A surface and the launch that paints on it: its sheet is packed once, a list only changes a few numbers of it."""

    __slots__ = ("_calls", "_launch", "_range", "_stream", "_tables", "_was_painted", "sheet", "surface")

    def __init__(self, surface: SurfaceView, stream: Stream) -> None:
        self.surface = surface
        self.sheet = dict.fromkeys(_FIELDS, 0) | _sheet_of(surface)
        """The fields of ``Sheet``, except those of a list."""
        name = "paint_pixels" if surface.format in _PIXELS else "paint_planes"
        grid = _grid(-(-surface.width // 2), -(-surface.height // 2))
        function = stream.device.function(name, batched=False)
        self._launch = Launch(function, grid, _BLOCK, stream, Arguments(_LAYOUT.size))
        _LAYOUT.pack_into(self._launch.block, 0, *self.sheet.values())
        block = memoryview(self._launch.block)
        self._tables = block[: 8 * TABLES].cast("Q")
        self._range = block[_RANGE_AT : _RANGE_AT + 8].cast("i")
        self._stream = stream
        self._calls: DriverCalls | None = None
        self._was_painted = False

    def paint_from(self, lists: _Upload, drawing: DisplayList, count: int, coverage: int) -> None:
        """Copy the lists of a drawing, which lie behind each other, and paint them."""
        start = -(-len(drawing.glyphs) * _GLYPH // UNIT) * UNIT
        size = start + count * _COMMAND
        target = lists.address if size <= lists.size else lists.room_for(size)
        tables, range_ = self._tables, self._range
        tables[0], tables[1], tables[2] = target + start, target, coverage
        range_[0], range_[1] = 0, count
        calls = self._calls
        if calls is None:
            if not self._was_painted:  # most surfaces that are not an engine's are painted on once
                self._was_painted = True
                with self._stream.device.current():
                    lists.send_part(drawing.address, size)
                    self._launch.put()
                return
            calls = self._calls = DriverCalls(self._stream.device, copy_to_device(self._stream), self._launch)
        source = drawing.address
        if size > MOST_AT_ONCE:
            done = (size - 1) // MOST_AT_ONCE * MOST_AT_ONCE
            with self._stream.device.current():
                lists.send_part(source, done)
            target, source, size = target + done, source + done, size - done
        numbers = calls.numbers
        numbers[1], numbers[2], numbers[3] = target, source, size  # of the copy
        calls.make()

    def set_lists(self, commands: int, glyphs: int, coverage: int) -> None:
        """Say where the lists are on the device."""
        self.sheet.update(commands=commands, glyphs=glyphs, coverage=coverage)
        tables = self._tables
        tables[0], tables[1], tables[2] = commands, glyphs, coverage

    def paint(self, first: int, end: int) -> None:
        """Paint commands of the list."""
        if first < end:
            self._range[0], self._range[1] = first, end
            self._launch.put()


class _Upload:
    """Arrays on their way to the device, in memory that grows to what the largest list needs."""

    __slots__ = ("_memory", "_stream", "address", "size")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.size: int = _SMALLEST
        """Bytes that there is room for."""
        self._memory = StagedMemory(_SMALLEST, stream)
        self.address: int = self._memory.address
        """Where the last arrays start on the device."""

    def room_for(self, size: int) -> int:
        """Return where ``size`` bytes may be copied to on the device."""
        if size > self.size:
            self._make_room(size)
        return self.address

    def send_part(self, source: int, size: int) -> None:
        """Copy the first bytes of memory of the host."""
        self._memory.send_from(source, size)

    def _make_room(self, size: int) -> None:
        larger = 1 << (size - 1).bit_length()
        self._memory = StagedMemory(larger, self._stream)  # where there is no room, all stays as it was
        self.size, self.address = larger, self._memory.address

    def send(self, *arrays: npt.NDArray[Any]) -> list[int]:
        """Copy arrays, one behind the other at multiples of 16 bytes; return where each starts on the device."""
        whole = b"".join([array.tobytes() + bytes(-array.nbytes % _UNIT) for array in arrays])
        size = len(whole)
        if size > self.size:
            self._make_room(size)
        self._memory.bytes[:size] = whole
        self._memory.send(size)
        sizes = [-(-array.nbytes // _UNIT) * _UNIT for array in arrays[:-1]]
        return list(accumulate(sizes, initial=self.address))


class _Scratch:
    """Device memory that grows to what the largest blur needs."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._size = 0
        self._block: DeviceBlock | None = None

    def take(self, size: int) -> int:
        """Return the address of at least ``size`` bytes, for what follows on the stream."""
        if size > self._size:
            self._size, self._block = 0, None
            larger = 1 << max(size - 1, 65535).bit_length()
            self._block = DeviceBlock(larger, self._stream)
            self._size = larger
        assert self._block
        return self._block.address


def _grid(columns: int, rows: int) -> tuple[int, int, int]:
    return -(-columns // _BLOCK[0]), -(-rows // _BLOCK[1]), 1


def _sheet_of(surface: SurfaceView) -> dict[str, int]:
    """Return the fields of ``Sheet`` that the surface decides."""
    planes = surface.device_planes
    luma, chroma, last = planes[0], planes[min(1, len(planes) - 1)], planes[-1]
    sheet = {"pixels": luma.ptr, "pitch": luma.strides[0], "width": surface.width, "height": surface.height}
    if surface.format in _PIXELS:
        return sheet | {"blue_first": int(surface.format is not VideoFormat.RGBA)}
    color = surface.color or ColorSpace.for_height(surface.height)
    yuv = to_yuv(color.matrix.value, color.full_range)
    blue, red = chroma.ptr, last.ptr
    if surface.format is VideoFormat.NV12:
        red += 1
    elif surface.format is VideoFormat.NV21:
        blue += 1
    chroma_fields = {"chroma_pitch": chroma.strides[0], "chroma_step": chroma.strides[1], "blue": blue, "red": red}
    return sheet | chroma_fields | dict(zip(yuv._fields, yuv, strict=True))


def _blur_planes(sheet: dict[str, int], unit: int) -> list[dict[str, int]]:
    """Return what a blur goes over: all channels of pixels at once, or luma and each chroma."""
    if unit == 1:
        return [{"sample_step": 4, "sample_pitch": sheet["pitch"], "plane_step": 1, "shared": 1}]
    luma = {"sample_step": 1, "sample_pitch": sheet["pitch"], "shared": 1}
    chroma = {"sample_step": sheet["chroma_step"], "sample_pitch": sheet["chroma_pitch"], "shared": 2}
    return [luma, *({**chroma, "pixels": sheet[name]} for name in ("blue", "red"))]


def _clip(start: int, end: int, size: int, unit: int) -> tuple[int, int]:
    """Return a blur's range of pixels inside of the surface, in whole samples of chroma where there is some."""
    return max(int(start), 0) // unit * unit, min(-(-int(end) // unit) * unit, size)


def _sigmas(commands: Ints, format: VideoFormat) -> set[int]:
    """Return the widths of all curves that the blurs of a list need."""
    is_smooth = (commands[:, at.KIND] == at.BLUR) & (commands[:, at.CELL] == 0)
    sigmas = {int(sigma) for sigma in commands[is_smooth, at.SIGMA]}
    return sigmas if format in _PIXELS else sigmas | {sigma // 2 for sigma in sigmas}


def _boxes(sigma: int) -> tuple[int, int, int]:
    width = box_width(sigma)
    return width, width, width + 1 - width % 2


@functools.lru_cache(maxsize=256)
def _curve(sigma: int) -> Ints:
    """Return three box filters in a row as one, not divided by its sum."""
    first, second, third = (np.ones(width, np.int64) for width in _boxes(sigma))
    return np.convolve(np.convolve(first, second), third).astype(np.int32)


def _curve_numbers(sigma: int) -> dict[str, int]:
    first, second, third = _boxes(sigma)
    area = first * second * third
    return {"curve_size": first + second + third - 2, "curve_weight": ((1 << 32) + area // 2) // area}
