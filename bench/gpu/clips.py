"""Clips for decoders: moving pictures of an ordinary bitrate, encoded once and played many times over in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

RATE = 25
GOP = 50
"""Frames from a keyframe to the next: two seconds, as cameras have it."""
GRAINS = 7
_OPTIONS = {
    "libx264": {"preset": "veryfast", "g": str(GOP)},
    "libx265": {"preset": "superfast", "g": str(GOP), "x265-params": "open-gop=0:log-level=none"},
}


class Clip(NamedTuple):
    """What a file holds."""

    name: str
    size_wh: tuple[int, int]
    encoder: str
    mbit_s: float
    """At ``RATE`` frames a second."""
    different: int
    """Frames before the file plays the same ones again, a multiple of ``GOP``."""
    frames: int
    """Of the whole file."""

    @property
    def codec(self) -> str:
        """Its name as people say it."""
        return {"libx264": "H.264", "libx265": "HEVC"}[self.encoder]


CLIPS = {
    clip.name: clip
    for clip in (
        Clip("1080p H.264", (1920, 1080), "libx264", 12, 150, 9000),
        Clip("1080p HEVC", (1920, 1080), "libx265", 8, 100, 9000),
        Clip("1440x1080 H.264", (1440, 1080), "libx264", 10, 150, 6000),
        Clip("4K H.264", (3840, 2160), "libx264", 35, 100, 3000),
        Clip("4K HEVC", (3840, 2160), "libx265", 30, 50, 3000),
    )
}


def _texture(size_wh: tuple[int, int], seed: int) -> Any:
    """Return a picture whose detail falls with its frequency, as that of photographs does, within 24..230."""
    width, height = size_wh
    spectrum = np.fft.rfft2(np.random.default_rng(seed).standard_normal((height, width), np.float32))
    across, down = np.fft.rfftfreq(width), np.fft.fftfreq(height)
    spectrum /= np.maximum(np.hypot(across[None], down[:, None]), 2 / width)
    picture = np.fft.irfft2(spectrum, (height, width))
    return np.clip(127 + 45 * picture / picture.std(), 24, 230).astype(np.uint8)


def pictures(size_wh: tuple[int, int], count: int) -> Iterator[Any]:
    """Yield I420 of a camera that pans over a texture, with twelve things that move on their own, and grain."""
    width, height = size_wh
    ground = _texture((width + 512, height + 256), 1)
    tints = [_texture((width // 2, height // 2), seed) // 2 + 64 for seed in (2, 3)]
    generator = np.random.default_rng(4)
    grains = generator.integers(0, 6, (GRAINS, height, width), np.uint8)
    side = height // 6
    places = generator.integers(0, (width - side, height - side), (12, 2))
    speeds = generator.integers(-9, 10, (12, 2))
    picture = np.empty((height * 3 // 2, width), np.uint8)
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    for number in range(count):
        x, y = 3 * number % 512, number % 256
        luma = ground[y : y + height, x : x + width].copy()
        for index, (place, speed) in enumerate(zip(places, speeds, strict=True)):
            left, top = (place + speed * number) % (width - side, height - side)
            luma[top : top + side, left : left + side] = ground[:side, side * (index % 6) : side * (index % 6 + 1)][
                :, ::-1
            ]
        np.add(luma, grains[number % GRAINS], out=picture[:height])
        for plane, tint in zip(chroma, tints, strict=True):
            plane[...] = np.roll(tint, -3 * number // 2, 1)
        yield picture


def write_clip(clip: Clip, path: Path) -> Path:
    """Encode the frames that differ, and write their packets again and again."""
    with av.open(str(path), "w", format="mp4") as container:
        most = str(int(clip.mbit_s * 1e6))  # the encoder may not begin above it either
        stream = container.add_stream(
            clip.encoder, rate=RATE, options={**_OPTIONS[clip.encoder], "maxrate": most, "bufsize": most}
        )
        stream.width, stream.height = clip.size_wh
        stream.pix_fmt, stream.bit_rate = "yuv420p", int(clip.mbit_s * 1e6)
        packets = []
        for picture in pictures(clip.size_wh, clip.different):
            packets += stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p"))
        packets += stream.encode(None)
        step = round(1 / (RATE * packets[0].time_base))
        for turn in range(clip.frames // clip.different):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.stream, again.time_base, again.duration = stream, packet.time_base, step
                again.pts = packet.pts + turn * clip.different * step
                again.dts = packet.dts + turn * clip.different * step
                again.is_keyframe = packet.is_keyframe
                container.mux(again)
    return path


def write_clips(names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Write clips side by side, those that are not there yet; return where each is."""
    paths = {name: folder / (name.replace(" ", "-").replace(".", "") + ".mp4") for name in names}
    missing = [name for name, path in paths.items() if not path.exists()]

    def write(name: str) -> None:
        started = paths[name].with_suffix(".part")
        write_clip(CLIPS[name], started).rename(paths[name])

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, missing))
    return paths


def mbit_s(path: Path, clip: Clip) -> float:
    """Return the bitrate that a file has."""
    return path.stat().st_size * 8 / clip.frames * RATE / 1e6
