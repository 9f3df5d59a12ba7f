"""One picture as the bytes of an image file."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from picasso.encode.config import EncoderConfig
from picasso.encode.enums import Codec
from picasso.encode.factory import open_encoder
from picasso.encode.properties import EncoderProperties, JpegProps
from picasso.surface import SurfaceView
from picasso.transform import Interpolation, Placement
from picasso.transform.anywhere import transform

if TYPE_CHECKING:
    from collections.abc import Mapping

CODECS: Final[Mapping[str, Codec]] = {".png": Codec.PNG, ".jpg": Codec.JPEG, ".jpeg": Codec.JPEG}
"""By the suffix of a file's name."""


def encoded(surface: SurfaceView, name: str, quality: int | None = None) -> bytes:
    """Return a picture as the bytes of a PNG or JPEG.

    Args:
        surface: In any memory, of any format.
        name: Of a file; its suffix decides.
        quality: Of JPEG, 0 to 100.

    Raises:
        ValueError: An unknown suffix, or a quality for a PNG.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in CODECS:
        raise ValueError(f"{name}: unknown image format {suffix!r}; one of {', '.join(CODECS)}")
    codec = CODECS[suffix]
    if quality is not None and codec is not Codec.JPEG:
        raise ValueError(f"{name}: quality = {quality} belongs to JPEG")
    config = EncoderConfig(codec, *surface.size_wh)
    if quality is not None:
        config.encoder_params = EncoderProperties.jpeg(JpegProps(quality=quality))
    encoder = open_encoder(config)
    try:
        color = encoder.color if encoder.input_format.is_yuv else None
        picture = SurfaceView.allocate(encoder.input_format, surface.size_wh, color)
        transform(surface, Placement.identity(surface.size_wh), picture, Interpolation.BILINEAR)
        (unit,) = encoder.encode(picture, 0, None)
        return unit.data
    finally:
        encoder.close()
