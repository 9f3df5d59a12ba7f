"""A fixed number of buffers that go round: ``acquire`` takes one, the death of its last reference gives it back."""

from __future__ import annotations

import sys
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from picasso.errors import AcquireTimeoutError, ConsumedError, SpecError, SurfaceError
from picasso.primitives.enums import NativeEnum
from picasso.surface.formats import MemType, VideoFormat
from picasso.surface.planes import Bytes, byte_size, over_memory, zeros
from picasso.surface.view import SurfaceView

if TYPE_CHECKING:
    from picasso.surface.device_memory import DeviceBlock

_HOST_MEMORY: Final = (MemType.DEFAULT, MemType.SYSTEM)
_MEMORY: Final = (*_HOST_MEMORY, MemType.CUDA_PINNED, MemType.CUDA_DEVICE)
_Rect_contra = TypeVar("_Rect_contra", contravariant=True)


class SurfaceTransform(Protocol[_Rect_contra]):
    """What fits one surface into another, such as ``picasso.transform.TransformConfig``."""

    def apply(self, source: SurfaceView, target: SurfaceView, src_rect: _Rect_contra | None = None, /) -> object:
        """Write ``source``, or a rectangle of it, into ``target``."""


class SavantIdMetaKind(NativeEnum):
    """What a user tag belongs to."""

    FRAME = 0
    BATCH = 1


class _Lease:
    """A slot on loan. Arrays over its memory refer to it; with the last of them it dies and the slot is free again."""

    __slots__ = ("__array_interface__", "_free", "_memory")

    def __init__(self, memory: Bytes, free: SimpleQueue[Bytes]) -> None:
        self.__array_interface__: dict[str, Any] = memory.__array_interface__
        self._memory = memory
        self._free = free

    def view(self, form: VideoFormat, size_wh: tuple[int, int], cuda_stream: int) -> SurfaceView:
        """View the slot as a picture."""
        return SurfaceView(over_memory(np.asarray(self), form, size_wh), form, size_wh, None, cuda_stream=cuda_stream)

    def __del__(self) -> None:
        self._free.put(self._memory)  # SimpleQueue.put is made to be called from destructors


class _DeviceLease:
    """A slot in GPU memory on loan, as a ``_Lease``."""

    __slots__ = ("_block", "_free")

    def __init__(self, block: DeviceBlock, free: SimpleQueue[DeviceBlock]) -> None:
        self._block = block
        self._free = free

    def view(self, form: VideoFormat, size_wh: tuple[int, int], cuda_stream: int) -> SurfaceView:
        """View the slot as a picture whose pixels are ready on ``cuda_stream``, or else on the pool's own."""
        from picasso.surface.cuda_memory import view_of_block

        return view_of_block(self._block, form, size_wh, owner=_Reference(self), cuda_stream=cuda_stream)

    def __del__(self) -> None:
        self._free.put(self._block)


class _Reference:
    """What the planes of one view have in common: one reference to the lease, however many planes there are."""

    __slots__ = ("_lease",)

    def __init__(self, lease: _DeviceLease) -> None:
        self._lease = lease


class SharedBuffer:
    """A buffer of a pool: pixels, timestamps and user tags. Made by ``BufferGenerator`` only.

    It is falsy once it was handed over, and every use of it raises ``ConsumedError``.
    """

    __slots__ = ("_format", "_ids", "_lease", "_size_wh", "duration_ns", "pts_ns")

    _lease: _Lease | _DeviceLease | None
    pts_ns: int | None
    """Presentation time in ns, if any."""
    duration_ns: int | None
    """Duration in ns, if any."""

    def __init__(
        self, lease: _Lease | _DeviceLease, format: VideoFormat, size_wh: tuple[int, int], id: int | None
    ) -> None:
        self._lease = lease
        self._format = format
        self._size_wh = size_wh
        self._ids = [] if id is None else [(SavantIdMetaKind.FRAME, _check_id(id))]
        self.pts_ns = None
        self.duration_ns = None

    def view_slot(self, slot_index: int = 0, cuda_stream: int = 0) -> SurfaceView:
        """View the pixels; the slot stays in use as long as the view, or an array of its planes, lives.

        In GPU memory the pixels are ready on ``cuda_stream``; 0 names the pool's own stream.

        Raises:
            SurfaceError: ``slot_index`` is not 0.
            ConsumedError: The buffer was handed over.
        """
        lease = self._live()
        if slot_index:
            raise SurfaceError(f"slot_index {slot_index}: the buffer has 1 slot")
        return lease.view(self._format, self._size_wh, cuda_stream)

    @property
    def strong_count(self) -> int:
        """References that keep the slot in use: this buffer and the views on it."""
        return sys.getrefcount(self._live()) - 1

    @property
    def is_consumed(self) -> bool:
        """Whether the buffer was handed over."""
        return self._lease is None

    def savant_ids(self) -> list[tuple[SavantIdMetaKind, int]]:
        """Return the user tags, as a copy."""
        self._live()
        return list(self._ids)

    def set_savant_ids(self, ids: list[tuple[SavantIdMetaKind, int]]) -> None:
        """Replace the user tags by ``ids``: pairs of a kind and a tag, 0..2**128 - 1."""
        self._live()
        self._ids = [(kind, _check_id(id)) for kind, id in ids]

    def take(self) -> SurfaceView:
        """Move the pixels into a view; the buffer is consumed."""
        view = self.view_slot()
        self._lease = None
        return view

    def _live(self) -> _Lease | _DeviceLease:
        lease = self._lease
        if lease is None:
            raise ConsumedError("SharedBuffer has been consumed")
        return lease

    def __bool__(self) -> bool:
        return self._lease is not None

    def __repr__(self) -> str:
        if self._lease is None:
            return "SharedBuffer(<consumed>)"
        width, height = self._size_wh
        return f"SharedBuffer({self._format.name()}, {width}x{height}, pts_ns={self.pts_ns})"


class _HostSlots:
    """The free slots of a pool in host memory."""

    __slots__ = ("_free",)

    def __init__(self, count: int, size: int, pinned_for: int | None) -> None:
        self._free: SimpleQueue[Bytes] = SimpleQueue()
        for _ in range(count):
            self._free.put(zeros(size) if pinned_for is None else _pinned(size, pinned_for))

    def take(self, timeout_s: float | None) -> _Lease:
        """Take a slot; raises ``Empty`` if none comes back in time."""
        return _Lease(self._free.get(timeout=timeout_s), self._free)


class _DeviceSlots:
    """The free slots of a pool in GPU memory, all of one stream."""

    __slots__ = ("_free",)

    def __init__(self, count: int, size: int, gpu_id: int) -> None:
        from picasso.surface.device_memory import DeviceBlock, new_stream

        stream = new_stream(gpu_id)
        self._free: SimpleQueue[DeviceBlock] = SimpleQueue()
        for _ in range(count):
            self._free.put(DeviceBlock(size, stream))

    def take(self, timeout_s: float | None) -> _DeviceLease:
        """Take a slot; raises ``Empty`` if none comes back in time."""
        return _DeviceLease(self._free.get(timeout=timeout_s), self._free)


def _pinned(size: int, gpu_id: int) -> Bytes:
    from picasso.surface.device_memory import open_device, pinned_bytes

    return pinned_bytes(open_device(gpu_id), size)


class BufferGenerator:
    """A pool of ``pool_size`` surfaces of one format and size, allocated once.

    Any thread may acquire and any thread may drop the last reference. References held outside stall the producer:
    that is what keeps memory bounded.

    Buffers in GPU memory (``MemType.CUDA_DEVICE``) belong to one stream of the pool: their views name it, and a buffer
    that comes back may be written to by what follows on it, without waiting for its last user.
    """

    __slots__ = ("_format", "_fps", "_size_wh", "_slots")

    def __init__(
        self,
        format: VideoFormat | str,
        width: int,
        height: int,
        fps_num: int = 30,
        fps_den: int = 1,
        gpu_id: int = 0,
        mem_type: MemType | None = None,
        pool_size: int = 4,
    ) -> None:
        """Allocate the pool.

        Args:
            format: Layout of the pixels, or its GStreamer name.
            width: Pixels a row, 1..16384, even for 4:2:0.
            height: Rows, 1..16384, even for 4:2:0.
            fps_num: Frames in ``fps_den`` seconds; only ``nvmm_caps_str`` tells it.
            fps_den: Seconds, at least 1.
            gpu_id: GPU of device and pinned memory; other host memory ignores it.
            mem_type: None, ``DEFAULT`` or ``SYSTEM``: host memory. ``CUDA_PINNED``: host memory that a GPU copies from
                and to by itself. ``CUDA_DEVICE``: GPU memory.
            pool_size: Buffers, at least 1.

        Raises:
            SpecError: A count is less than 1, or an unknown format.
            SurfaceError: A size that the format does not allow, or another kind of memory.
            DeviceError: There is no such GPU.
        """
        self._format = VideoFormat.from_name(format) if isinstance(format, str) else format
        if mem_type is not None and mem_type not in _MEMORY:
            choices = ", ".join(kind.name() for kind in _MEMORY)
            raise SurfaceError(f"mem_type {mem_type.name()}: no memory of pools; one of {choices}")
        for name, value in (("fps_num", fps_num), ("fps_den", fps_den), ("pool_size", pool_size)):
            if value < 1:
                raise SpecError(f"{name} must be at least 1, got {value}")
        self._size_wh = self._format.check_size((width, height))
        self._fps = (fps_num, fps_den)
        size = byte_size(self._format, self._size_wh)
        self._slots: _HostSlots | _DeviceSlots
        if mem_type is MemType.CUDA_DEVICE:
            self._slots = _DeviceSlots(pool_size, size, gpu_id)
        else:
            self._slots = _HostSlots(pool_size, size, gpu_id if mem_type is MemType.CUDA_PINNED else None)

    def acquire(self, id: int | None = None, *, timeout_s: float | None = None) -> SharedBuffer:
        """Take a buffer; wait while all are in use. Its pixels are those of its last user.

        Args:
            id: User tag, 0..2**128 - 1.
            timeout_s: Longest wait in seconds; None waits without a limit.

        Raises:
            AcquireTimeoutError: No buffer came back in time.
            OverflowError: ``id`` does not fit in 128 bits.
        """
        if id is not None:
            _check_id(id)
        try:
            lease = self._slots.take(timeout_s)
        except Empty:
            raise AcquireTimeoutError(f"no buffer came back to the pool within {timeout_s} s") from None
        return SharedBuffer(lease, self._format, self._size_wh, id)

    def acquire_with_params(
        self,
        pts_ns: int | None,
        duration_ns: int | None,
        id: int | None = None,
        *,
        timeout_s: float | None = None,
    ) -> SharedBuffer:
        """Take a buffer, as ``acquire`` does with ``id`` and ``timeout_s``; set ``pts_ns`` and ``duration_ns``."""
        buffer = self.acquire(id, timeout_s=timeout_s)
        buffer.pts_ns = pts_ns
        buffer.duration_ns = duration_ns
        return buffer

    def transform(
        self,
        src_buf: SharedBuffer | SurfaceView,
        config: SurfaceTransform[_Rect_contra],
        id: int | None = None,
        src_rect: _Rect_contra | None = None,
        *,
        timeout_s: float | None = None,
    ) -> SharedBuffer:
        """Crop, scale and letterbox a picture into a buffer of the pool; a buffer's timestamps go with it.

        Args:
            src_buf: The picture; it is only read.
            config: A ``TransformConfig``.
            id: User tag of the new buffer.
            src_rect: What to take of the picture, a ``Rect``; by default all.
            timeout_s: As for ``acquire``.

        Raises:
            GeometryError: A crop or padding that leaves nothing.
            AcquireTimeoutError: No buffer came back in time.
        """
        target = self.acquire(id, timeout_s=timeout_s)
        if isinstance(src_buf, SharedBuffer):
            target.pts_ns, target.duration_ns = src_buf.pts_ns, src_buf.duration_ns
        config.apply(SurfaceView.wrap(src_buf), target.view_slot(), src_rect)
        return target

    @property
    def width(self) -> int:
        """Pixels a row."""
        return self._size_wh[0]

    @property
    def height(self) -> int:
        """Rows."""
        return self._size_wh[1]

    @property
    def format(self) -> VideoFormat:
        """Layout of the pixels."""
        return self._format

    def nvmm_caps_str(self) -> str:
        """Return the GStreamer caps that describe such buffers in NVIDIA memory."""
        width, height = self._size_wh
        num, den = self._fps
        return (
            f"video/x-raw(memory:NVMM), format={self._format.name()}, width={width}, height={height}, "
            f"framerate={num}/{den}"
        )


def get_savant_id_meta(buf: SharedBuffer) -> list[tuple[SavantIdMetaKind, int]]:
    """Return the user tags of a buffer."""
    return buf.savant_ids()


def get_nvbufsurface_info(buf: SharedBuffer) -> tuple[int, int, int, int]:
    """Return ``(address, pitch in bytes, width, height)`` of a buffer's first plane."""
    view = buf.view_slot()
    return view.data_ptr, view.pitch, view.width, view.height


def _check_id(id: int) -> int:
    if not 0 <= id < 1 << 128:
        raise OverflowError(f"id must fit in 128 bits without sign, got {id}")
    return id
