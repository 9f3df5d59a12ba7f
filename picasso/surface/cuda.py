"""Planes in GPU memory: device arrays of other libraries, read and checked without CUDA.

Sources: https://nvidia.github.io/numba-cuda/user/cuda_array_interface.html, version 3, and DLPack (``dlpack``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

from picasso.errors import SurfaceError, SurfaceTypeError
from picasso.surface.dlpack import for_any_thread, import_array, is_on_gpu
from picasso.surface.formats import VideoFormat

_REACH: Final = (1 << 31) - 1
_WITH_STREAMS: Final = 3
"""The version of the CUDA array interface that has streams."""
_BY_CHANNELS: Final = {1: VideoFormat.GRAY8, 3: VideoFormat.RGB, 4: VideoFormat.RGBA}


@dataclass(frozen=True, slots=True, init=False)
class DevicePlane:
    """A plane in GPU memory; it exposes ``__cuda_array_interface__`` and keeps its owner alive."""

    ptr: int
    """Device address of the first byte."""
    shape: tuple[int, ...]
    """``(H, W)`` or ``(H, W, C)``."""
    strides: tuple[int, ...]
    """Bytes; only rows may be padded: ``(pitch, 1)`` or ``(pitch, C, 1)``."""
    read_only: bool
    """Whether the pixels may not be written."""
    stream: int | None
    """Stream that makes the pixels and has to be waited for; None when they are ready."""
    owner: object
    """What keeps the memory alive."""

    def __init__(
        self,
        ptr: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        read_only: bool,
        stream: int | None,
        owner: object,
    ) -> None:
        _set_ptr(self, ptr)
        _set_shape(self, shape)
        _set_strides(self, strides)
        _set_read_only(self, read_only)
        _set_stream(self, stream)
        _set_owner(self, owner)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Describe the plane to any CUDA library, without a copy."""
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": "|u1",
            "descr": [("", "|u1")],
            "data": (self.ptr, self.read_only),
            "strides": self.strides,
            "stream": self.stream,
        }


_set_ptr, _set_shape, _set_strides, _set_read_only, _set_stream, _set_owner = (
    getattr(DevicePlane, field.name).__set__ for field in fields(DevicePlane)
)  # in half of the time of the constructor that a frozen class is given: each frame of a decoder has two planes


class DeviceArray(NamedTuple):
    """An array of bytes in GPU memory, of 2 or 3 axes, as another library describes it."""

    ptr: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    """Bytes; None where there are no gaps."""
    read_only: bool
    stream: int | None
    """Stream on which the pixels become ready; None when they are."""
    gpu_id: int | None
    """None where the array does not tell."""
    owner: object


class DevicePlanes(NamedTuple):
    """What ``SurfaceView`` is made of."""

    format: VideoFormat
    size_wh: tuple[int, int]
    planes: tuple[DevicePlane, ...]
    gpu_id: int
    stream: int | None


def is_device_array(obj: object) -> bool:
    """Tell whether an object offers GPU memory, by the CUDA array interface or by DLPack."""
    return hasattr(obj, "__cuda_array_interface__") or is_on_gpu(obj)


def read_array(obj: object) -> DeviceArray:
    """Read a device array; its ``__cuda_array_interface__`` comes first, DLPack where that is none, or tells no stream.

    torch's is such a one: by DLPack, pixels that are still being made are waited for, on any stream of torch's.

    Raises:
        SurfaceTypeError: It offers neither.
        SurfaceError: Null pointer, dtype other than uint8, a rank, mask or stream that cannot be used.
    """
    interface = getattr(obj, "__cuda_array_interface__", None)
    if (interface is None or interface.get("version", 0) < _WITH_STREAMS) and is_on_gpu(obj):
        try:
            return read_dlpack(obj)
        except BufferError:  # torch lends what is on its current device only
            if interface is None:
                raise
    return read_interface(obj)


def read_interface(obj: object) -> DeviceArray:
    """Read an object's ``__cuda_array_interface__``.

    Raises:
        SurfaceTypeError: The object has no such interface.
        SurfaceError: Null pointer, dtype other than uint8, a rank, mask or stream that cannot be used.
    """
    interface = getattr(obj, "__cuda_array_interface__", None)
    if interface is None:
        raise SurfaceTypeError(f"object does not expose __cuda_array_interface__, got {type(obj).__name__}")
    ptr, read_only = interface["data"]
    shape = _check_bytes(ptr, interface["typestr"], tuple(interface["shape"]))
    if interface.get("mask") is not None:
        raise SurfaceError("masked arrays hold no picture")
    stream = stream_of(interface)
    if stream == 0:
        raise SurfaceError("stream 0 is ambiguous in __cuda_array_interface__; 1 is the legacy default stream")
    strides = interface.get("strides")
    if strides is not None and len(strides) != len(shape):
        if not strides:
            raise SurfaceError("strides must be non-empty")
        raise SurfaceError(f"shape {shape} and strides {tuple(strides)} differ in length")
    told = None if strides is None else tuple(strides)
    return DeviceArray(ptr, shape, told, bool(read_only), stream, known_device(obj), obj)


def stream_of(interface: Mapping[str, Any]) -> int | None:
    """Return on which stream an array becomes ready, None where it is; before version 3 no one says, so the default."""
    if interface.get("version", 0) < _WITH_STREAMS:
        return 1
    stream = interface.get("stream")
    return None if stream is None else for_any_thread(stream)


def read_dlpack(obj: object, stream: int = 0) -> DeviceArray:
    """Borrow an array by DLPack.

    Args:
        obj: What offers it.
        stream: Stream on which the producer is asked to have the pixels ready; 0 is the default stream.

    Raises:
        SurfaceError: Null pointer, dtype other than uint8, or a rank that cannot be used.
    """
    given = import_array(obj, stream or None)
    code, bits, lanes = given.dtype
    typestr = "|u1" if given.dtype == (1, 8, 1) else f"DLPack code {code}, {bits} bits, {lanes} lanes"
    shape = _check_bytes(given.ptr, typestr, given.shape)
    ready = for_any_thread(stream or 1)
    return DeviceArray(given.ptr, shape, given.strides, given.read_only, ready, given.gpu_id, given)


def _check_bytes(ptr: int | None, typestr: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of bytes that may be a picture."""
    if not ptr:
        raise SurfaceError("data pointer is null")
    if typestr not in {"|u1", "<u1"}:
        raise SurfaceError(f"unsupported dtype '{typestr}'; only uint8")
    if len(shape) not in {2, 3}:
        raise SurfaceError(f"unsupported shape {shape}; expected (H, W) or (H, W, C)")
    return shape


def grey_or_rgba(array: DeviceArray) -> VideoFormat:
    """Return the format of an array that is not named: GRAY8 for one channel, RGBA for four.

    Raises:
        SurfaceError: Another count of channels.
    """
    channels = _channels(array.shape)
    if channels not in {1, 4}:
        raise SurfaceError(f"unsupported channel count {channels}; expected 1 (GRAY8) or 4 (RGBA)")
    return _BY_CHANNELS[channels]


def as_picture(array: DeviceArray, form: VideoFormat | None, gpu_id: int | None = None) -> DevicePlanes:
    """Read one array as a picture, as ``planes.split`` does in host memory.

    Args:
        array: What was read.
        form: What the bytes are; None for GRAY8, RGB or RGBA by the count of channels.
        gpu_id: Where the caller says it is; None asks the array, 0 if that does not tell.

    Raises:
        SurfaceError: The shape is not one of the format, the size not one that it allows, something else than rows is
            padded, or the array is on another GPU.
    """
    where = check_device(array, gpu_id)
    shape = array.shape
    if form is None:
        form = _BY_CHANNELS.get(_channels(shape))
        if form is None:
            raise SurfaceError(f"expected an array (H, W), (H, W, 3) or (H, W, 4), got shape {shape}")
    if not form.channels:
        size_wh, planes = _split_420(array, form)
        return DevicePlanes(form, size_wh, planes, where, array.stream)
    if _channels(shape) != form.channels:
        wanted = "(H, W)" if form.channels == 1 else f"(H, W, {form.channels})"
        raise SurfaceError(f"{form.name()} needs an array {wanted}, got shape {shape}")
    pitch = _pitch_of(array)
    size_wh = form.check_size((shape[1], shape[0]))
    return DevicePlanes(form, size_wh, (_plane(array, 0, form.planes[0].of(size_wh), pitch),), where, array.stream)


def _split_420(array: DeviceArray, form: VideoFormat) -> tuple[tuple[int, int], tuple[DevicePlane, ...]]:
    """Read ``(H * 3 / 2, W)`` as luma with chroma below it."""
    if len(array.shape) != 2 or array.shape[0] % 3:
        raise SurfaceError(f"{form.name()} needs an array (H * 3 / 2, W), got shape {array.shape}")
    height, width = array.shape[0] // 3 * 2, array.shape[1]
    size_wh = form.check_size((width, height))
    pitch = _pitch_of(array)
    luma, *chroma = (plane.of(size_wh) for plane in form.planes)
    if form is not VideoFormat.I420:
        return size_wh, (_plane(array, 0, luma, pitch), _plane(array, height * pitch, chroma[0], pitch))
    if pitch != width:
        raise SurfaceError(f"I420 in one array must have no gaps, got a pitch of {pitch} bytes; pass its planes")
    first = height * width
    offsets = (0, first, first + first // 4)
    rows = (width, width // 2, width // 2)
    shapes = (luma, *chroma)
    return size_wh, tuple(_plane(array, *place) for place in zip(offsets, shapes, rows, strict=True))


def as_planes(
    arrays: Sequence[DeviceArray], form: VideoFormat, size_wh: tuple[int, int], gpu_id: int | None = None
) -> DevicePlanes:
    """Read the planes of a decoder, one array each; interleaved chroma is ``(H / 2, W / 2, 2)`` or ``(H / 2, W)``.

    Raises:
        SurfaceError: Count or shape is not that of the format, something else than rows is padded, or the arrays
            are on different GPUs or made on different streams.
    """
    size_wh = form.check_size(size_wh)
    if len(arrays) != len(form.planes):
        raise SurfaceError(f"{form.name()} has {len(form.planes)} planes, got {len(arrays)}")
    planes = []
    for index, (array, wanted) in enumerate(zip(arrays, form.planes, strict=True)):
        shape = wanted.of(size_wh)
        same = (shape, (*shape, 1)) if len(shape) == 2 else (shape, (shape[0], shape[1] * shape[2]))
        if array.shape not in same:
            raise SurfaceError(f"plane {index} of {form.name()} needs shape {shape}, got {array.shape}")
        planes.append(_plane(array, 0, shape, _pitch_of(array)))
    places = {check_device(array, gpu_id) for array in arrays}
    streams = {array.stream for array in arrays}
    for what, values in (("GPUs", places), ("streams", streams)):
        if len(values) > 1:
            raise SurfaceError(f"the planes of a picture are on different {what}: {sorted(map(str, values))}")
    return DevicePlanes(form, size_wh, tuple(planes), places.pop(), streams.pop())


def _plane(array: DeviceArray, offset: int, shape: tuple[int, ...], pitch: int) -> DevicePlane:
    strides = (pitch, shape[2], 1) if len(shape) == 3 else (pitch, 1)
    return DevicePlane(array.ptr + offset, shape, strides, array.read_only, array.stream, array.owner)


def _channels(shape: tuple[int, ...]) -> int:
    return shape[2] if len(shape) == 3 else 1


def _pitch_of(array: DeviceArray) -> int:
    """Return the bytes of a row; anything but padded rows is refused, as encoders know nothing else."""
    width, channels = array.shape[1], _channels(array.shape)
    row = width * channels
    if array.strides is None:
        return row
    pitch, *inner = array.strides
    if pitch < row and array.shape[0] > 1:
        raise SurfaceError(f"pitch {pitch} is less than a row of {width} pixels, {row} bytes")
    if tuple(inner) not in {(channels, 1), (channels,)}:
        raise SurfaceError(f"only rows may be padded on a GPU, got strides {array.strides}")
    return max(pitch, row)


def check_device(array: DeviceArray, gpu_id: int | None) -> int:
    """Return the GPU of an array: what it tells, else what the caller says, else 0.

    Raises:
        SurfaceError: The two differ.
    """
    if gpu_id is None:
        return array.gpu_id or 0
    if array.gpu_id not in {None, gpu_id}:
        raise SurfaceError(f"the array is on GPU {array.gpu_id}, not on GPU {gpu_id}")
    return gpu_id


def check_reach(what: str, rows: int, pitch: int) -> None:
    """Demand that a kernel's offsets, of 32 bits with a sign, reach the last row of a plane.

    Raises:
        SurfaceError: They do not, as in a part of a very wide array.
    """
    if rows * pitch > _REACH:
        raise SurfaceError(f"the {what} has {rows} rows of a pitch of {pitch} bytes: a kernel reaches {_REACH} bytes")


def check_layout(what: str, planes: Sequence[DevicePlane]) -> None:
    """Demand what kernels take for granted of planes: one pitch of all chroma, and rows within their reach.

    Raises:
        SurfaceError: U and V of I420 have rows of different pitches, or rows lie too far apart.
    """
    for plane in planes:
        check_reach(what, plane.shape[0], plane.strides[0])
    if len(planes) > 2 and planes[1].strides != planes[2].strides:
        pitches = " and ".join(str(plane.strides[0]) for plane in planes[1:])
        raise SurfaceError(f"the {what} has U and V of different pitches, {pitches} bytes: on a GPU they have the same")


def known_device(obj: object) -> int | None:
    """Return the GPU that an array names: ``obj.device.id``, else ``obj.device.index``; None if it names none."""
    device = getattr(obj, "device", None)
    for name in ("id", "index"):
        index = getattr(device, name, None)
        if isinstance(index, int):
            return index
    return None
