"""The transform on the CPU: one native call a frame, without the GIL."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from picasso.errors import GeometryError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform.filters import FILTERS
from picasso.transform.fitting import Interpolation
from picasso.transform.placement import Placement
from picasso_kernels.cpu.compile import host, prepare, pure
from picasso_kernels.frame.pixel_formats import SOURCES, TARGETS, Picture, Plane
from picasso_kernels.frame.plan import Plan, aligned, make_plan
from picasso_kernels.frame.transform import transform_frame
from picasso_kernels.maths.axis import fill_bilinear, fill_nearest

Bytes = npt.NDArray[np.uint8]


class _Scratch(threading.local):
    """Working memory of one thread; it grows to what the largest frame needs."""

    memory: Bytes = np.empty(0, np.uint8)


_scratch = _Scratch()


def transform(
    source: SurfaceView,
    placement: Placement,
    target: SurfaceView,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> None:
    """Crop, scale, letterbox and convert one frame: every pixel of ``target`` is written.

    One call of machine code, during which the GIL is free. Safe from any thread; two calls must not write the same
    target. With ``Placement.identity`` it is a colour converter.

    Args:
        source: What is read, in host memory, of size ``placement.source_wh``.
        placement: Which rectangle of the source lands on which rectangle of the target.
        target: What is written: RGBA, BGRA, BGRx, RGB, BGR, NV12, NV21 or I420 in host memory, writable, of size
            ``placement.target_wh``. It must not overlap the source.
        interpolation: The filter.

    Raises:
        SurfaceError: A surface is in GPU memory, or the target has a format that cannot be written or is read-only.
        GeometryError: A surface has another size than the placement says.
    """
    job, table, scratch_bytes = _plan(source, placement, target, interpolation)
    host(transform_frame)(job, table, _working_memory(scratch_bytes), *_memories(source, target))


class CpuTransformer:
    """Transforms that are much alike, as those of a stream: the plan of the last one is kept. For one thread."""

    __slots__ = ("_fixed", "_key", "_memory", "_plan", "_target")

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._target: SurfaceView | None = None
        self._fixed: tuple[Bytes, Bytes, Bytes]
        self._plan: Plan
        self._memory: Bytes = np.empty(0, np.uint8)

    def transform(
        self, source: SurfaceView, placement: Placement, target: SurfaceView, interpolation: Interpolation
    ) -> None:
        """Do what ``transform`` does."""
        layout = source.plane_layout()
        lies = tuple([plane[1:] for plane in layout])
        key = (placement, interpolation, source.format, source.color, source.size_wh, lies)
        if target is not self._target or key != self._key:
            self._key = ()
            self._plan = _plan(source, placement, target, interpolation)
            self._fixed = _three(target)
            self._key, self._target = key, target
            if len(self._memory) < self._plan.scratch_bytes:
                self._memory = aligned(self._plan.scratch_bytes)
        job, table, _ = self._plan
        first, second, third = _three(source)
        sources = _mutable(first), _mutable(second), _mutable(third)
        host(transform_frame)(job, table, self._memory, *sources, *self._fixed)


def warm_up() -> None:
    """Compile the kernels, or load them from disk, so that the first frame does not wait for it."""
    prepare(transform_frame, fill_nearest, fill_bilinear)
    pictures = [SurfaceView.allocate(VideoFormat.RGBA, size_wh) for size_wh in ((2, 2), (1, 1))]
    for interpolation in (Interpolation.BILINEAR, Interpolation.NEAREST):
        transform(pictures[0], Placement.compute((2, 2), (1, 1)), pictures[1], interpolation)


def transform_by_reference(
    source: SurfaceView,
    placement: Placement,
    target: SurfaceView,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> None:
    """Do what ``transform`` does, run by the interpreter: slow, every offset and value checked, the same to the bit."""
    job, table, scratch_bytes = _plan(source, placement, target, interpolation)
    scratch = bytearray(scratch_bytes)
    pure(transform_frame)(job.tolist(), table.tolist(), scratch, *_memories(source, target))


def transform_to_numbers(
    source: SurfaceView,
    placement: Placement,
    target: Picture,
    memory: Bytes,
    numbers: Bytes,
    pad: int,
    interpolation: Interpolation,
    *,
    stream: bool = False,
    by_reference: bool = False,
) -> None:
    """Crop, scale, letterbox and convert one frame into its share of a tensor, as ``transform`` does.

    Args:
        source: What is read, in host memory, of size ``placement.source_wh``.
        placement: Which rectangle of the source lands on which rectangle of the target.
        target: Where the numbers lie in ``memory``; its format is one of ``TENSORS``.
        memory: What is written.
        numbers: What ``picasso_kernels.maths.numbers.table_of`` returns.
        pad: The pixel of the bars, packed, in the order of the tensor's channels.
        interpolation: The filter.
        stream: Whether the tensor is larger than the caches.
        by_reference: Whether the interpreter runs the kernel.

    Raises:
        SurfaceError: The source is in GPU memory.
        GeometryError: The source has another size than the placement says.
    """
    _check_size("source", source, placement.source_wh)
    job, table, scratch_bytes = make_plan(
        _picture(source, SOURCES, "read"),
        target,
        placement.crop_ltwh,
        placement.target_wh,
        placement.inner_ltwh,
        FILTERS[interpolation],
        pad,
        stream,
    )
    y, u, v = (_mutable(plane) for plane in _three(source))
    if by_reference:
        pure(transform_frame)(job.tolist(), table.tolist(), bytearray(scratch_bytes), y, u, v, memory, numbers, memory)
        return
    host(transform_frame)(job, table, _working_memory(scratch_bytes), y, u, v, memory, numbers, memory)


def _working_memory(size: int) -> Bytes:
    """Return this thread's working memory, of at least ``size`` bytes."""
    if len(_scratch.memory) < size:
        _scratch.memory = aligned(size)
    return _scratch.memory


def _plan(source: SurfaceView, placement: Placement, target: SurfaceView, interpolation: Interpolation) -> Plan:
    _check_size("source", source, placement.source_wh)
    _check_size("target", target, placement.target_wh)
    if target.readonly:
        raise SurfaceError("the target of a transform is read-only")
    return make_plan(
        _picture(source, SOURCES, "read"),
        _picture(target, TARGETS, "write"),
        placement.crop_ltwh,
        placement.target_wh,
        placement.inner_ltwh,
        FILTERS[interpolation],
    )


def _picture(surface: SurfaceView, formats: Iterable[str], verb: str) -> Picture:
    name = surface.format.name()
    if name not in formats:
        raise SurfaceError(f"a transform cannot {verb} {name}; one of {', '.join(sorted(formats))}")
    planes = tuple(Plane(*layout[1:]) for layout in surface.plane_layout())
    color = surface.color
    return Picture(name, planes, color.matrix.value, color.full_range) if color else Picture(name, planes)


def _memories(source: SurfaceView, target: SurfaceView) -> tuple[Bytes, Bytes, Bytes, Bytes, Bytes, Bytes]:
    """Return the memory of the three components of each: formats of fewer planes name one again."""
    y, u, v = (_mutable(memory) for memory in _three(source))
    return y, u, v, *_three(target)


def _three(surface: SurfaceView) -> tuple[Bytes, Bytes, Bytes]:
    layout = surface.plane_layout()
    return layout[0].memory, layout[min(1, len(layout) - 1)].memory, layout[-1].memory


def _mutable(memory: Bytes) -> Bytes:
    """View read-only memory as writable, so that one compiled function serves both; kernels only read sources."""
    if memory.flags.writeable:
        return memory
    holder = _Alias(memory)
    return np.asarray(holder)


class _Alias:
    """An array's memory without its write protection; NumPy keeps it, and with it the array, alive."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: Bytes) -> None:
        self._memory = memory
        interface = memory.__array_interface__
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def _check_size(what: str, surface: SurfaceView, size_wh: tuple[int, int]) -> None:
    if surface.size_wh != size_wh:
        width, height = size_wh
        raise GeometryError(f"the {what} is {surface.width}x{surface.height}, the placement says {width}x{height}")
