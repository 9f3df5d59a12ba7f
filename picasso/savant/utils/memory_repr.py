"""The names of ``savant.utils.memory_repr``: pixels of one library as those of another."""

from __future__ import annotations

from picasso.module.arrays import (
    as_cupy,
    as_opencv,
    as_pytorch,
    cupy_array_as_opencv_gpu_mat,
    opencv_gpu_mat_as_cupy_array,
)

__all__ = ["as_cupy", "as_opencv", "as_pytorch", "cupy_array_as_opencv_gpu_mat", "opencv_gpu_mat_as_cupy_array"]
