"""Pixels as they are, rows tightly packed."""

from __future__ import annotations

from typing import Final

from av.video.reformatter import VideoReformatter

from picasso.encode.av_frames import rgba_frame
from picasso.encode.config import EncoderConfig
from picasso.encode.enums import Codec
from picasso.encode.still import StillEncoder
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.view import SurfaceView

SURFACES: Final = {
    Codec.RAW_RGBA: VideoFormat.RGBA,
    Codec.RAW_RGB: VideoFormat.RGBA,
    Codec.RAW_NV12: VideoFormat.NV12,
}


class RawEncoder(StillEncoder):
    """The bytes of each frame: RGBA, RGB (alpha dropped), or NV12 (luma, then interleaved chroma)."""

    def __init__(self, config: EncoderConfig) -> None:
        color = ColorSpace.for_height(config.height)
        super().__init__(config.codec.name(), config, SURFACES[config.codec], color)
        self._alpha_dropper = VideoReformatter() if config.codec is Codec.RAW_RGB else None

    def _apply(self, config: EncoderConfig) -> None:
        """Raw frames have no properties."""

    def _compress(self, surface: SurfaceView) -> bytes:
        if self._alpha_dropper is None:
            return b"".join([plane.tobytes() for plane in surface.planes])
        rgb = self._alpha_dropper.reformat(rgba_frame(surface), format="rgb24", threads=1)
        return rgb.to_ndarray().tobytes()
