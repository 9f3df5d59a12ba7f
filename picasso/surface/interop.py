"""Pixels of other libraries as NumPy arrays, without a copy."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso.errors import SurfaceError, SurfaceTypeError

_HOST_DEVICES: Final = (1, 3)  # kDLCPU and kDLCUDAHost of dlpack.h


def as_array(obj: Any) -> npt.NDArray[Any]:
    """View an object with ``__array_interface__`` or DLPack as an array.

    Raises:
        SurfaceTypeError: It has neither.
        SurfaceError: A raw pointer, or DLPack of a device other than the host.
    """
    if type(obj) is int:
        raise SurfaceError(_pointer_error(obj))
    if hasattr(obj, "__array_interface__"):
        return np.asarray(obj)
    if hasattr(obj, "__dlpack__"):
        kind, index = obj.__dlpack_device__()
        if kind not in _HOST_DEVICES:
            raise SurfaceError(f"DLPack of device ({int(kind)}, {index}): only host memory and GPUs of CUDA are read")
        return np.from_dlpack(obj)
    raise SurfaceTypeError(
        f"expected SharedBuffer or int (raw pointer), a SurfaceView or an array, got {type(obj).__name__}{_hint(obj)}"
    )


def _pointer_error(pointer: int) -> str:
    if not pointer:
        return "buf_ptr is null"
    return "buffer does not contain a valid NvBufSurface: a raw pointer tells neither size nor format"


def _hint(obj: object) -> str:
    """Say what may have been meant."""
    if isinstance(obj, str | os.PathLike):
        return "; VideoReader opens files, pictures too"
    if isinstance(obj, tuple) or type(obj).__name__ == "VideoFrame":
        return "; a VideoReader gives frames and their pixels: pass the pixels, as in `frame, surface = reader[0]`"
    return ""
