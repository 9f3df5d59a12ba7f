"""Planes in GPU memory: the CUDA array interface, read and checked without CUDA.

Source: https://nvidia.github.io/numba-cuda/user/cuda_array_interface.html, version 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picasso.errors import SurfaceError, SurfaceTypeError
from picasso.surface.formats import VideoFormat

_FORMATS = {1: VideoFormat.GRAY8, 4: VideoFormat.RGBA}


@dataclass(frozen=True, slots=True)
class DevicePlane:
    """A plane in GPU memory; it exposes ``__cuda_array_interface__`` and keeps its owner alive."""

    ptr: int
    """Device address of the first byte."""
    shape: tuple[int, ...]
    """``(H, W)`` or ``(H, W, C)``."""
    strides: tuple[int, ...]
    """Bytes; only rows may be padded: ``(pitch, 1)`` or ``(pitch, C, 1)``."""
    read_only: bool
    stream: int | None
    """Stream that makes the pixels and has to be waited for; None when they are ready."""
    owner: object

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


def read_interface(obj: object) -> tuple[VideoFormat, DevicePlane]:
    """Read an object's ``__cuda_array_interface__`` as one plane of GRAY8 or RGBA.

    Raises:
        SurfaceTypeError: The object has no such interface.
        SurfaceError: Null pointer, dtype other than uint8, a shape, stride, mask or stream that cannot be used.
    """
    interface = getattr(obj, "__cuda_array_interface__", None)
    if interface is None:
        raise SurfaceTypeError(f"object does not expose __cuda_array_interface__, got {type(obj).__name__}")
    ptr, read_only = interface["data"]
    if not ptr:
        raise SurfaceError("data pointer is null")
    typestr = interface["typestr"]
    if typestr not in {"|u1", "<u1"}:
        raise SurfaceError(f"unsupported dtype '{typestr}'; only uint8")
    shape = tuple(interface["shape"])
    if len(shape) not in {2, 3}:
        raise SurfaceError(f"unsupported shape {shape}; expected (H, W) or (H, W, C)")
    channels = shape[2] if len(shape) == 3 else 1
    if channels not in _FORMATS:
        raise SurfaceError(f"unsupported channel count {channels}; expected 1 (GRAY8) or 4 (RGBA)")
    if interface.get("mask") is not None:
        raise SurfaceError("masked arrays hold no picture")
    pitch = _check_pitch(interface.get("strides"), shape[1], channels)
    samples = (channels,) if channels > 1 else ()
    form = _FORMATS[channels]
    form.check_size((shape[1], shape[0]))
    stream = _check_stream(interface.get("stream"))
    return form, DevicePlane(ptr, (*shape[:2], *samples), (pitch, *samples, 1), read_only, stream, obj)


def _check_pitch(strides: tuple[int, ...] | None, width: int, channels: int) -> int:
    """Return the bytes of a row; anything but padded rows is refused, as encoders know nothing else."""
    row = width * channels
    if strides is None:
        return row
    if not strides:
        raise SurfaceError("strides must be non-empty")
    pitch, *inner = strides
    if pitch < row:
        raise SurfaceError(f"pitch {pitch} is less than a row of {width} pixels, {row} bytes")
    if tuple(inner) not in {(channels, 1), (channels,)}:
        raise SurfaceError(f"only rows may be padded on a GPU, got strides {tuple(strides)}")
    return pitch


def _check_stream(stream: int | None) -> int | None:
    if stream == 0:
        raise SurfaceError("stream 0 is ambiguous in __cuda_array_interface__; 1 is the legacy default stream")
    return stream


def device_index(obj: object) -> int:
    """Return the GPU that an array lives on: ``obj.device.id``, else ``obj.device.index``, else 0."""
    device = getattr(obj, "device", None)
    for name in ("id", "index"):
        index = getattr(device, name, None)
        if isinstance(index, int):
            return index
    return 0
