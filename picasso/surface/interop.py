"""Pixels of other libraries as NumPy arrays, without a copy."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso.errors import SurfaceError, SurfaceTypeError

_HOST_DEVICES: Final = (1, 3)  # kDLCPU and kDLCUDAHost of dlpack.h
_READ_MODES: Final = ("RGB", "RGBA", "L")
"""Of Pillow's images: those whose numbers mean what an array of their shape means."""


def as_array(obj: Any) -> npt.NDArray[Any]:
    """View an object with ``__array_interface__`` or DLPack as an array.

    Raises:
        SurfaceTypeError: It has neither.
        SurfaceError: A raw pointer, DLPack of a device other than the host, or an image of Pillow whose numbers are no
            RGB, RGBA or gray.
    """
    if type(obj) is int:
        raise SurfaceError(_pointer_error(obj))
    if (mode := pillow_mode(obj)) not in (None, *_READ_MODES):
        raise SurfaceError(f"an image of Pillow of mode {mode!r}: pass image.convert('RGB'), or 'RGBA', 'L'")
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


def pillow_mode(obj: object) -> str | None:
    """Return the mode of an image of Pillow, such as ``RGB``; None for anything else."""
    pillow: Any = sys.modules.get("PIL.Image")
    return str(obj.mode) if pillow is not None and isinstance(obj, pillow.Image) else None


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
