"""What is measured: pictures on the GPU, where they land, and the least that a GPU's memory could take for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.surface.cuda import DevicePlane
from picasso.surface.cuda_memory import DeviceBlock, Uploader
from picasso.transform import Interpolation, Placement
from picasso_kernels.cuda.driver import Stream, check, driver

FRAMES = 32
PAIRS = (("RGBA", "NV12"), ("RGBA", "RGBA"), ("NV12", "NV12"), ("NV12", "RGBA"), ("RGB", "NV12"))
"""Formats of source and target."""


class Workload(NamedTuple):
    """One placement for all frames."""

    name: str
    placement: Placement
    interpolation: Interpolation = Interpolation.BILINEAR
    pairs: tuple[tuple[str, str], ...] = PAIRS
    color: ColorSpace | None = None
    """Of sources of luma and chroma; None means what their height says."""


def _letterbox(name: str, source_wh: tuple[int, int], target_wh: tuple[int, int], *how: Interpolation) -> Workload:
    return Workload(name, Placement.compute(source_wh, target_wh), *how)


def _same_color(workload: Workload) -> Workload:
    """Let a small target have the colour space of its source, so that planes are made of planes, not by way of RGB."""
    return workload._replace(name=f"{workload.name}, BT.601", pairs=(("NV12", "NV12"),), color=ColorSpace(Matrix.BT601))


PICTURES = [
    _letterbox("1080p to 720p", (1920, 1080), (1280, 720)),
    _letterbox("1440x1080 to 720p", (1440, 1080), (1280, 720)),
    _letterbox("4K to 1080p", (3840, 2160), (1920, 1080)),
    _letterbox("4K to 640x640", (3840, 2160), (640, 640)),
    _letterbox("1080p to 1080p", (1920, 1080), (1920, 1080)),
    _letterbox("1080p to 720p, area", (1920, 1080), (1280, 720), Interpolation.AREA),
    _letterbox("4K to 1080p, area", (3840, 2160), (1920, 1080), Interpolation.AREA),
    _letterbox("4K to 640x640, area", (3840, 2160), (640, 640), Interpolation.AREA),
]
PICTURES += [_same_color(work) for work in PICTURES if work.placement.target_wh == (640, 640)]
DETECTOR = Workload("1080p to 640x640", Placement((1920, 1080), (0, 0, 1920, 1080), (640, 640), (0, 0, 640, 640)))
"""Without bars: CV-CUDA's fused operator makes none."""


@dataclass
class Figure:
    """One measurement: microseconds of GPU time a frame, and the least that it could be."""

    work: str
    source: str
    target: str
    us: float
    floor_bytes_us: float
    floor_sectors_us: float
    kernel_us: float | None = None
    """The kernel alone, without the copy of the table before it."""
    peers_us: dict[str, float] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """A line of the table."""
        alone = f"{self.kernel_us:6.2f}" if self.kernel_us else "     –"
        shares = f"{self.floor_bytes_us / self.us:5.2f} {self.floor_sectors_us / self.us:5.2f}"
        peers = "  ".join(f"{name} {us:.2f}" for name, us in self.peers_us.items())
        return f"{self.work:28s} {self.source:5s} {self.target:8s} {self.us:7.2f} {alone}   {shares}   {peers}"


def floors(source: VideoFormat, workload: Workload, written: float) -> tuple[float, float]:
    """Return the bytes, and the bytes in sectors of 32, that one frame moves at least.

    A bilinear sample needs two neighbours of two rows of the crop, a nearest one a pixel, an area all of its pixels.
    """
    placement = workload.placement
    _, _, width, height = placement.crop_ltwh
    pixel = source.channels or 1
    whole = width * height * (source.channels or 1.5)
    samples = {Interpolation.NEAREST: 1, Interpolation.BILINEAR: 2}.get(workload.interpolation)
    across, down = (min(1.0, samples * scale) if samples else 1.0 for scale in placement.scale_xy)
    touched = min(1.0, across * 32 / ((samples or 1) * pixel))
    return written + whole * across * down, written + whole * touched * down


class Pictures:
    """Frames of random bytes, next to each other in GPU memory: one array ``(N, H, W, C)`` for any user of it."""

    def __init__(self, form: VideoFormat, size_wh: tuple[int, int], stream: Stream) -> None:
        width, height = size_wh
        self.format, self.size_wh, self.stream = form, size_wh, stream
        self.shape = (FRAMES, height, width, form.channels)
        self._size = height * width * form.channels
        self._block = DeviceBlock(FRAMES * self._size, stream)
        stream.device.make_current()
        self._fill()

    def _fill(self) -> None:
        """Copy one random picture to all places."""
        width, height = self.size_wh
        host = SurfaceView.allocate(self.format, (width, height))
        host.planes[0][...] = np.random.default_rng(0).integers(0, 256, self.shape[1:], np.uint8)
        once = Uploader(self.stream).upload(host)
        for index in range(FRAMES):
            place = self._block.address + index * self._size
            copied = driver.cuMemcpyDtoDAsync(place, once.data_ptr, self._size, self.stream.handle)
            check(copied, "cuMemcpyDtoDAsync")
        self.stream.wait()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Describe all of them; nothing is under way any more."""
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": "|u1",
            "data": (self._block.address, False),
            "strides": None,
            "stream": None,
        }

    def views(self) -> list[SurfaceView]:
        """Return each of them."""
        width, height = self.size_wh
        channels = self.format.channels
        made = []
        for index in range(FRAMES):
            at = self._block.address + index * self._size
            shape, strides = (height, width, channels), (width * channels, channels, 1)
            plane = DevicePlane(at, shape, strides, False, None, self._block)
            made.append(SurfaceView((plane,), self.format, self.size_wh, None, cuda_stream=self.stream.address))
        return made


def upload_frames(
    form: VideoFormat, size_wh: tuple[int, int], stream: Stream, color: ColorSpace | None = None
) -> list[SurfaceView]:
    """Return frames of random bytes of any format, each in memory of its own; ``color`` is that of luma and chroma."""
    host = SurfaceView.allocate(form, size_wh, color)
    generator = np.random.default_rng(0)
    for plane in host.planes:
        plane[...] = generator.integers(0, 256, plane.shape, np.uint8)
    uploader = Uploader(stream)
    return [uploader.upload(host) for _ in range(FRAMES)]
