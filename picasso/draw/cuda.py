"""The painter of GPUs: a display list by one launch, and two more for each blurred rectangle and plane."""

from __future__ import annotations

import functools
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso.draw.scene import DisplayList
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, DevicePlane, SurfaceView, VideoFormat
from picasso_kernels import display as at
from picasso_kernels.blur import box_width
from picasso_kernels.color import to_yuv
from picasso_kernels.cuda_driver import Arguments, Event, PinnedMemory, Stream, copy_to_device, launch
from picasso_kernels.cuda_paint import TABLES, Sheet

_BLOCK: Final = (64, 2, 1)
_FIELDS: Final = Sheet._fields
_LAYOUT: Final = struct.Struct(f"={TABLES}Q{len(_FIELDS) - TABLES}i")
_PIXELS: Final = (VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.BGRx)
PAINT_FORMATS: Final = (VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420, *_PIXELS)
"""Formats that are painted on directly."""
_SLOTS: Final = 4
"""Display lists that may be on their way to the device at once."""

Ints = npt.NDArray[np.int32]


class CudaPainter:
    """Paints display lists onto surfaces of one GPU, on the stream it is given. For one thread; waits for nothing."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._device = stream.device
        self._arguments = Arguments(_LAYOUT.size)
        self._tables = _Upload(stream)
        self._coverage = _Upload(stream)
        self._letters = (-1, 0)
        self._scratch = _Scratch(stream)
        self._last_planes: tuple[DevicePlane, ...] = ()
        self._last_sheet: dict[str, int] = {}

    def paint(self, surface: SurfaceView, drawing: DisplayList) -> None:
        """Put the painting of ``drawing`` onto ``surface`` on the stream.

        Raises:
            SurfaceError: The format is not one of ``PAINT_FORMATS``, or the surface is not on this GPU, or read-only.
        """
        self._check(surface)
        commands = drawing.commands
        if not len(commands):
            return
        self._device.make_current()
        letters = (drawing.revision, drawing.coverage.size)
        if letters != self._letters:
            self._coverage.send([drawing.coverage])
            self._letters = letters
        blurs = [number for number, kind in enumerate(commands[:, at.KIND].tolist()) if kind == at.BLUR]
        curves = {sigma: _curve(sigma) for sigma in _sigmas(commands, surface.format)} if blurs else {}
        places = self._tables.send([commands, drawing.glyphs, *curves.values()])
        sheet = self._sheet(surface)
        sheet["commands"], sheet["glyphs"], sheet["coverage"] = places[0], places[1], self._coverage.address
        located = dict(zip(curves, places[2:], strict=True))
        start = 0
        for blurred in [*blurs, len(commands)]:
            self._paint_run(surface, sheet, start, blurred)
            if blurred < len(commands):
                self._blur(surface, sheet, commands[blurred], blurred, located)
            start = blurred + 1

    def _sheet(self, surface: SurfaceView) -> dict[str, int]:
        """Return the fields of ``Sheet`` that the surface decides, computed once for a surface that comes back."""
        if self._last_planes is not surface.device_planes:
            self._last_planes = surface.device_planes
            self._last_sheet = dict.fromkeys(_FIELDS, 0) | _sheet_of(surface)
        return self._last_sheet

    def _paint_run(self, surface: SurfaceView, sheet: dict[str, int], first: int, end: int) -> None:
        if first < end:
            sheet["first"], sheet["end"] = first, end
            name = "paint_pixels" if surface.format in _PIXELS else "paint_planes"
            self._launch(name, sheet, -(-surface.width // 2), -(-surface.height // 2))

    def _blur(
        self, surface: SurfaceView, sheet: dict[str, int], command: Ints, number: int, curves: dict[int, int]
    ) -> None:
        unit = 1 if surface.format in _PIXELS else 2
        left, right = _clip(command[at.LEFT], command[at.RIGHT], surface.width, unit)
        top, bottom = _clip(command[at.TOP], command[at.BOTTOM], surface.height, unit)
        if right <= left or bottom <= top:
            return
        for plane in _blur_planes(sheet, unit):
            shared, sigma = plane["shared"], int(command[at.SIGMA]) // plane["shared"]
            box = {"left": left // shared, "columns": (right - left) // shared}
            box |= {"top": top // shared, "lines": (bottom - top) // shared}
            scratch = self._scratch.take(3 * box["columns"] * box["lines"])
            curve = {"curve": curves[sigma], **_curve_numbers(sigma), "scratch": scratch, "first": number}
            values = sheet | plane | box | curve
            for name in ("smooth_down", "smooth_across"):
                self._launch(name, values, box["columns"], box["lines"])

    def _launch(self, name: str, values: dict[str, int], columns: int, rows: int) -> None:
        _LAYOUT.pack_into(self._arguments.block, 0, *values.values())
        grid = (-(-columns // _BLOCK[0]), -(-rows // _BLOCK[1]), 1)
        launch(self._device.function(name, batched=False), grid, _BLOCK, self._stream, self._arguments)

    def _check(self, surface: SurfaceView) -> None:
        if surface.format not in PAINT_FORMATS:
            names = ", ".join(form.name() for form in PAINT_FORMATS)
            raise SurfaceError(f"the painter of GPUs draws on {names}, not on {surface.format.name()}")
        if not surface.is_cuda or surface.gpu_id != self._device.index:
            raise SurfaceError(f"the painter works on GPU {self._device.index}, the surface is not there")
        if surface.readonly:
            raise SurfaceError("the pixels are read-only")


class _Upload:
    """Arrays on their way to the device: copied to pinned memory, sent in the order of the stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._slots: list[tuple[PinnedMemory, Event]] = []
        self._next = 0
        self._capacity = 0
        self.address = 0
        """Where the last arrays start on the device."""

    def send(self, arrays: list[npt.NDArray[Any]]) -> list[int]:
        """Copy arrays, one behind the other at multiples of 16 bytes; return where each starts on the device."""
        size = sum(array.nbytes + 15 & -16 for array in arrays)
        if size > self._capacity:
            self._grow(size)
        self._next = (self._next + 1) % _SLOTS
        memory, sent = self._slots[self._next]
        sent.wait()
        self.address = self._base + self._next * self._capacity
        places, offset = [], 0
        for array in arrays:
            memory.bytes[offset : offset + array.nbytes] = array.tobytes()
            places.append(self.address + offset)
            offset += array.nbytes + 15 & -16
        copy_to_device(self.address, memory.address, max(size, 16), self._stream)
        sent.record(self._stream)
        return places

    def _grow(self, size: int) -> None:
        self._release()
        self._capacity = 1 << max(size - 1, 16383).bit_length()
        device = self._stream.device
        self._base = device.allocate(_SLOTS * self._capacity, self._stream)
        self._slots = [(PinnedMemory(device, self._capacity), Event(device)) for _ in range(_SLOTS)]

    def _release(self) -> None:
        """Give the memory back: the device's in the order of the stream, the host's once it has been read."""
        if self._capacity:
            for _, sent in self._slots:
                sent.settle()
            self._stream.device.release(self._base, self._stream)
            self._capacity = 0

    def __del__(self) -> None:
        self._release()


class _Scratch:
    """Device memory that grows to what the largest blur needs."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._size = self._address = 0

    def take(self, size: int) -> int:
        """Return the address of at least ``size`` bytes, for what follows on the stream."""
        if size > self._size:
            self._release()
            self._size = 1 << max(size - 1, 65535).bit_length()
            self._address = self._stream.device.allocate(self._size, self._stream)
        return self._address

    def _release(self) -> None:
        if self._size:
            self._stream.device.release(self._address, self._stream)
            self._size = 0

    def __del__(self) -> None:
        self._release()


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
    sigmas = {int(sigma) for sigma in commands[commands[:, at.KIND] == at.BLUR, at.SIGMA]}
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
