"""The names of ``savant.deepstream.opencv_utils``."""

from __future__ import annotations

from picasso.module.pixels import alpha_comp, apply_cuda_filter, draw_rect, nvds_to_gpu_mat

__all__ = ["alpha_comp", "apply_cuda_filter", "draw_rect", "nvds_to_gpu_mat"]
