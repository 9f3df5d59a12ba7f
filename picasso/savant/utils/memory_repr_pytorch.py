"""The names of ``savant.utils.memory_repr_pytorch``: the same for PyTorch."""

from __future__ import annotations

from picasso.module.arrays import as_pytorch, opencv_gpu_mat_as_pytorch_tensor, pytorch_tensor_as_opencv_gpu_mat

__all__ = ["as_pytorch", "opencv_gpu_mat_as_pytorch_tensor", "pytorch_tensor_as_opencv_gpu_mat"]
