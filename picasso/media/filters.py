"""Frames through filters of FFmpeg: turned upright, and high dynamic range brought down to what screens show."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
from av.filter import Graph

from picasso.errors import MediaError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from picasso.primitives import Orientation

FilterStep = tuple[str, str]
"""A filter and its options, as FFmpeg names them."""

_TURNS: Final[dict[tuple[int, bool], tuple[FilterStep, ...]]] = {
    (90, False): (("transpose", "dir=clock"),),
    (180, False): (("hflip", ""), ("vflip", "")),
    (270, False): (("transpose", "dir=cclock"),),
    (0, True): (("hflip", ""),),
    (90, True): (("transpose", "dir=clock_flip"),),
    (180, True): (("vflip", ""),),
    (270, True): (("transpose", "dir=cclock_flip"),),
}
PQ, HLG = 16, 18
"""Transfer functions of high dynamic range (ITU-T H.273)."""
BT2020: Final = 9
"""Primaries, and a matrix, of ultra high definition (ITU-T H.273)."""
_TO_BT709: Final = (
    ("scale", "out_primaries=bt709:out_transfer=bt709:out_color_matrix=bt709:out_range=tv:intent=perceptual"),
    ("format", "pix_fmts=yuv420p"),
)


_TIME_BASE: Final = Fraction(1, 1_000_000)


class FilterChain:
    """Puts frames that are alike through filters that give one frame for each. For one thread."""

    def __init__(self, like: VideoFrame, steps: Sequence[FilterStep], threads: int = 1) -> None:
        """Make the filters for frames such as ``like``; ``threads`` is 0 for one a core.

        Raises:
            MediaError: This FFmpeg lacks one of them, or an option.
        """
        try:
            self._graph = graph = Graph()
            graph.threads = threads
            nodes = [graph.add_buffer(width=like.width, height=like.height, format=like.format, time_base=_TIME_BASE)]
            nodes += [graph.add(name, options) for name, options in (*steps, ("buffersink", ""))]
            graph.link_nodes(*nodes).configure()
        except (av.FFmpegError, ValueError) as error:
            names = ", ".join(name for name, _ in steps)
            raise MediaError(f"FFmpeg {av.ffmpeg_version_info} cannot filter pictures by {names}: {error}") from error

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Return what a frame becomes; its times are those of the filters."""
        self._graph.vpush(frame)
        return self._graph.vpull()


def turning(orientation: Orientation) -> tuple[FilterStep, ...]:
    """Return the filters that turn a picture; none for one that is upright."""
    return _TURNS.get((orientation.turn_deg, orientation.mirrored), ())


def is_wide(frame: VideoFrame) -> bool:
    """Tell whether a frame is of high dynamic range, or of colours beyond BT.709."""
    return frame.color_trc in {PQ, HLG} or frame.color_primaries == BT2020


def tone_mapping() -> tuple[FilterStep, ...]:
    """Return the filters that make BT.709 of 8 bits, limited range, of what ``is_wide``.

    FFmpeg's ``scale`` compresses luminance above what BT.709 shows, and colours into its gamut (perceptual intent).
    """
    return _TO_BT709
