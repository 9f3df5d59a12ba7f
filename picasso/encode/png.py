"""PNG images, by FFmpeg: its deflate runs without the GIL, and PyAV is there anyway."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

from picasso.encode.av_frames import rgba_frame
from picasso.encode.config import EncoderConfig
from picasso.encode.properties import PngProps
from picasso.encode.still import StillEncoder
from picasso.errors import EncoderError
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.view import SurfaceView

DEFAULT_LEVEL = 6
PREDICTION = "up"
"""Each row from the one above: of the filters the fastest, and the smallest file on video; see bench/test_encode.py."""


class PngEncoder(StillEncoder):
    """One PNG file with alpha a frame."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__("png", config, VideoFormat.RGBA, ColorSpace.for_height(config.height))
        self._apply(config)

    def _apply(self, config: EncoderConfig) -> None:
        props = config.encoder_params.props if config.encoder_params else None
        level = props.compression_level if isinstance(props, PngProps) else None
        self._context = _open(config.width, config.height, DEFAULT_LEVEL if level is None else level)

    def _compress(self, surface: SurfaceView) -> bytes:
        try:
            (packet,) = self._context.encode(rgba_frame(surface))
        except av.FFmpegError as error:
            raise EncoderError(f"png failed on a frame: {error}") from error
        return bytes(packet)


def _open(width: int, height: int, level: int) -> VideoCodecContext:
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = width, height, "rgba"
    context.time_base = Fraction(1, 30)
    context.thread_count = 1
    context.options = {"compression_level": str(level), "pred": PREDICTION}
    context.open()
    return context
