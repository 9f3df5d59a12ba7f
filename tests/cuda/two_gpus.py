"""Surfaces on either of two GPUs, and from one to the other."""

from __future__ import annotations

from typing import Any

from picasso.surface import SurfaceView


def on(stream: Any, surface: SurfaceView) -> SurfaceView:
    """Upload, as a source does whose pixels are made there."""
    from picasso.surface.cuda_memory import Uploader

    return Uploader(stream).upload(surface)


def moved(source: SurfaceView, stream: Any) -> SurfaceView:
    from picasso.surface.cuda_memory import Uploader

    return Uploader(stream).bring(source)
