"""JPEG images, by libjpeg-turbo."""

from __future__ import annotations

import simplejpeg

from picasso.encode.config import EncoderConfig
from picasso.encode.properties import JpegProps
from picasso.encode.still import StillEncoder
from picasso.surface.formats import ColorSpace, Matrix, VideoFormat
from picasso.surface.view import SurfaceView

DEFAULT_QUALITY = 85
JFIF = ColorSpace(Matrix.BT601, full_range=True)
"""What the numbers of a JPEG file mean, always (ITU-T T.871)."""


class JpegEncoder(StillEncoder):
    """One JFIF file with 4:2:0 chroma a frame; planes go in as they are, an odd size goes in as RGBA."""

    def __init__(self, config: EncoderConfig) -> None:
        even = config.width % 2 == config.height % 2 == 0
        super().__init__("libjpeg-turbo", config, VideoFormat.I420 if even else VideoFormat.RGBA, JFIF)
        self._apply(config)

    def _apply(self, config: EncoderConfig) -> None:
        self._quality = quality_of(config)

    def _compress(self, surface: SurfaceView) -> bytes:
        planes = surface.planes
        if len(planes) == 1:
            data: bytes = simplejpeg.encode_jpeg(
                planes[0], quality=self._quality, colorspace="RGBA", colorsubsampling="420"
            )
        else:
            data = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=self._quality)
        return data


def quality_of(config: EncoderConfig) -> int:
    """Return the quality that a configuration asks for, 0..100."""
    props = config.encoder_params.props if config.encoder_params else None
    quality = props.quality if isinstance(props, JpegProps) else None
    return DEFAULT_QUALITY if quality is None else quality
