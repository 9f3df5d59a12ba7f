"""Pixels of one library as those of another, without a copy: by ``__cuda_array_interface__``, or in host memory."""

from __future__ import annotations

from typing import Any, Final, final

import numpy as np

from picasso.errors import MissingDependencyError, SurfaceError, require

HOST_WAY: Final = (
    "draw with the artist, or write to `with frame_meta.edit_image() as pixels`, with NumPy or OpenCV's CPU functions"
)
"""What to do where OpenCV has no CUDA."""


def opencv_cuda(what: str) -> Any:
    """Return ``cv2``, whose ``cv2.cuda`` works; ``what`` asks for it.

    Raises:
        MissingDependencyError: There is no OpenCV, or it was built without CUDA, as all of its wheels are; the message
            names the way on the CPU.
    """
    try:
        cv2 = require("cv2", extra="demo")
        has_cuda = hasattr(cv2, "cuda") and cv2.cuda.getCudaEnabledDeviceCount() > 0
    except ImportError:
        has_cuda = False
    if not has_cuda:
        raise MissingDependencyError(f"{what} needs an OpenCV that was built with CUDA; {HOST_WAY}")
    return cv2


@final
class _GpuMatMemory:
    """The memory of an OpenCV ``GpuMat`` for CUDA libraries; it keeps the matrix alive."""

    def __init__(self, mat: Any) -> None:
        self._mat = mat
        width, height = mat.size()
        channels = mat.channels()
        item = mat.elemSize() // channels
        kinds = {0: "|u1", 1: "|i1", 2: "<u2", 3: "<i2", 4: "<i4", 5: "<f4", 6: "<f8", 7: "<f2"}
        self.__cuda_array_interface__ = {
            "version": 3,
            "shape": (height, width, channels),
            "typestr": kinds[mat.depth()],
            "data": (mat.cudaPtr(), False),
            "strides": (mat.step, channels * item, item),
        }


def as_cupy(pixels: Any) -> Any:
    """Return ``pixels`` on a GPU as a CuPy array that shares their memory.

    ``pixels`` are a surface, a tensor, an OpenCV ``GpuMat`` or anything with ``__cuda_array_interface__``.

    Raises:
        SurfaceError: They are in host memory: a copy on the GPU would not change the frame.
        MissingDependencyError: CuPy is missing.
    """
    if isinstance(pixels, np.ndarray):
        raise SurfaceError(
            "these pixels are in host memory, where CuPy does not reach; use them as the NumPy array they are"
        )
    return require("cupy", extra="cuda13").asarray(_on_gpu(pixels))


def as_pytorch(pixels: Any) -> Any:
    """Return ``pixels``, on the host or on a GPU, as a PyTorch tensor that shares their memory.

    Raises:
        MissingDependencyError: PyTorch is missing.
    """
    torch = require("torch", hint="pip install torch")
    if isinstance(pixels, np.ndarray):
        return torch.from_numpy(pixels.view(np.ndarray))
    return torch.as_tensor(_on_gpu(pixels), device="cuda")


def as_opencv(pixels: Any) -> Any:
    """Return ``pixels`` on a GPU as an OpenCV ``GpuMat`` that shares their memory; an array in host memory as it is.

    Raises:
        MissingDependencyError: OpenCV has no CUDA.
        TypeError: They are not on a GPU, or not ``(height, width[, channels])`` with rows of whole pixels.
    """
    if isinstance(pixels, np.ndarray):
        return pixels
    cv2 = opencv_cuda("a GpuMat")
    if isinstance(pixels, cv2.cuda.GpuMat):
        return pixels
    memory = _interface(pixels)
    shape = memory["shape"]
    item = int(memory["typestr"][2:])
    channels = 1 if len(shape) == 2 else shape[2]
    pixel = item * channels
    strides = memory.get("strides") or (pixel * shape[1], pixel, item)
    if len(shape) not in (2, 3) or strides[1] != pixel:
        raise TypeError(f"pixels: expected rows of whole pixels, got shape {shape} with strides {strides}")
    depths = {"u1": 0, "i1": 1, "u2": 2, "i2": 3, "i4": 4, "f4": 5, "f8": 6, "f2": 7}
    kind = depths[memory["typestr"][1:]] + ((channels - 1) << 3)
    return cv2.cuda.createGpuMatFromCudaMemory(shape[0], shape[1], kind, memory["data"][0], strides[0])


def opencv_gpu_mat_as_cupy_array(mat: Any) -> Any:
    """Return ``mat``, a ``GpuMat`` or a surface on a GPU, as a CuPy array; see ``as_cupy``."""
    return as_cupy(mat)


def cupy_array_as_opencv_gpu_mat(array: Any) -> Any:
    """Return ``array`` as a ``GpuMat``; see ``as_opencv``."""
    return as_opencv(array)


def opencv_gpu_mat_as_pytorch_tensor(mat: Any) -> Any:
    """Return ``mat``, a ``GpuMat``, a surface or an array, as a tensor; see ``as_pytorch``."""
    return as_pytorch(mat)


def pytorch_tensor_as_opencv_gpu_mat(tensor: Any) -> Any:
    """Return ``tensor`` as a ``GpuMat``, or as an array where it is in host memory; see ``as_opencv``."""
    return as_opencv(tensor if tensor.is_cuda else tensor.numpy())


def _on_gpu(pixels: Any) -> Any:
    return pixels if hasattr(pixels, "__cuda_array_interface__") else _GpuMatMemory(pixels)


def _interface(pixels: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = pixels.__cuda_array_interface__
    except AttributeError:
        raise TypeError(f"pixels: expected an array on a GPU, got {type(pixels).__name__}") from None
    return found
