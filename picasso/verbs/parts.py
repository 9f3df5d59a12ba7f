"""Videos of parts of pictures: a rectangle of one, two beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from picasso.media import VideoReader
from picasso.surface import SurfaceView
from picasso.verbs.encoding import even_display_size
from picasso.verbs.places import Progress, check_apart, check_read_twice
from picasso.verbs.process import process_video

if TYPE_CHECKING:
    from picasso.media.location import Location
    from picasso.primitives import VideoFrame


def crop_video(
    source: Location,
    destination: Location,
    rect: Any,
    *,
    on_progress: Progress | None = None,
    **options: Any,
) -> int:
    """Write a rectangle of a video as a video, and return how many frames it has.

    Args:
        source: What ``VideoReader`` reads.
        destination: ``.mp4``, ``.mov`` or ``.mkv``.
        rect: What ``SurfaceView.crop`` takes; it grows to even sides, and what lies outside the picture is left out.
        on_progress: As for ``process_video``.
        options: Further ones of ``process_video``.

    Raises:
        SurfaceError: The rectangle holds no pixel.
        SpecError: The destination is the source, or the source is a pipe or device.
        MediaError: One of the files cannot be read or written.
    """
    check_apart(destination, source)
    check_read_twice("crop_video", source)
    with VideoReader(source) as reader:
        first = next(iter(reader.frames()))[1]
        size_wh = even_display_size(first.crop(rect).size_wh, reader.info.display_scale_xy)

    def cut(_frame: VideoFrame, surface: SurfaceView) -> SurfaceView:
        return surface.crop(rect)

    return process_video(source, destination, cut, size_wh=size_wh, on_progress=on_progress, **options)


def beside_each_other(first: Location, second: Location, destination: Location, **options: Any) -> int:
    """Write two videos beside each other, and return how many frames there are; a shorter second one stands still.

    Frames are paired by number. The sound is that of the first.

    Args:
        first: What stands at the left; it gives the times, and the height.
        second: What stands at the right, scaled to the height of the first.
        destination: ``.mp4``, ``.mov`` or ``.mkv``.
        options: Further ones of ``process_video``.

    Raises:
        SpecError: The destination is one of them, or the first is a pipe or device.
        MediaError: One of the files cannot be read or written.
    """
    check_apart(destination, first, second)
    check_read_twice("beside_each_other", first)
    with VideoReader(first) as one, VideoReader(second, pixel_format="rgb") as other:
        width, height = even_display_size(one.info.upright_size_wh, one.info.display_scale_xy)
        second_wh = even_display_size(other.info.upright_size_wh, other.info.display_scale_xy)
        other_width = max(2 * round(height * second_wh[0] / second_wh[1] / 2), 2)
        frames = other.frames()
        last: list[Any] = []

        def joined(_frame: VideoFrame, surface: SurfaceView) -> Any:
            item = next(frames, None)
            if item is not None:
                last[:] = [item[1].resize((other_width, height)).to_rgb()]
            return np.hstack([surface.resize((width, height)).to_rgb(), last[0]])

        return process_video(first, destination, joined, size_wh=(width + other_width, height), **options)
