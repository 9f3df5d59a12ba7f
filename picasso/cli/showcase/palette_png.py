"""A picture as a PNG of 256 colours: a third of the size, and hard to tell from the picture."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

_TICK = Fraction(1, 25)
"""FFmpeg wants a clock, even for one picture."""


def palette_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Choose the 256 colours that suit a picture best, dither it to them, and compress it.

    Args:
        pixels: uint8 (H, W, 4), R G B A; alpha is not looked at.

    Returns:
        A PNG file.
    """
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., :3]), format="rgb24")
    picture.pts, picture.time_base = 0, _TICK
    reduced = _reduce(picture)
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = reduced.width, reduced.height, "pal8"
    encoder.time_base = _TICK
    encoder.options = {"compression_level": "9", "pred": "none"}  # a palette's numbers do not predict each other
    return b"".join(bytes(packet) for packet in [*encoder.encode(reduced), *encoder.encode(None)])


def _reduce(picture: av.VideoFrame) -> av.VideoFrame:
    """FFmpeg's ``palettegen`` looks at the picture once, ``paletteuse`` at it and at the palette."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=av.VideoFormat("rgb24"), time_base=_TICK
    )
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=full")
    use, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(use, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    graph.push(picture)
    graph.push(None)
    reduced = graph.pull()
    assert isinstance(reduced, av.VideoFrame)
    return reduced
