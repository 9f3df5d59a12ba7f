"""Small frames and specs for the engine's tests."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from picasso.encode import Codec, EncoderConfig
from picasso.engine import CodecSpec, PicassoEngine, SourceSpec
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView
from picasso.transform import TransformConfig

WIDTH, HEIGHT = 64, 48


def picasso_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("picasso-")]


def make_frame(pts: int = 0, *, size_wh: tuple[int, int] = (WIDTH, HEIGHT), source_id: str = "a") -> VideoFrame:
    """A frame whose time base is nanoseconds, with one object in the middle."""
    frame = VideoFrame(source_id, "30/1", *size_wh, time_base=(1, 1_000_000_000), pts=pts)
    frame.create_object("detector", "car", detection_box=RBBox(size_wh[0] / 2, size_wh[1] / 2, 10, 8))
    return frame


def make_pixels(size_wh: tuple[int, int] = (WIDTH, HEIGHT)) -> SurfaceView:
    return SurfaceView.wrap(np.full((size_wh[1], size_wh[0], 4), 200, np.uint8))


def send(engine: PicassoEngine, pts: int = 0, source_id: str = "a", **keywords: Any) -> VideoFrame:
    frame = make_frame(pts, source_id=source_id)
    engine.send_frame(source_id, frame, make_pixels(), **keywords)
    return frame


def encode(width: int = 32, height: int = 32, *, codec: Codec = Codec.RAW_RGBA, **transform: Any) -> CodecSpec:
    return CodecSpec.encode(TransformConfig(**transform), EncoderConfig(codec, width, height))


def encode_spec(width: int = 32, height: int = 32, **spec: Any) -> SourceSpec:
    return SourceSpec(codec=encode(width, height), **spec)


def bypass_spec(**spec: Any) -> SourceSpec:
    return SourceSpec(codec=CodecSpec.bypass(), **spec)
