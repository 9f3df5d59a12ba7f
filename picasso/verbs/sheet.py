"""A video at a glance: a contact sheet of frames, or a GIF."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from picasso.errors import MediaError
from picasso.media import VideoReader
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.media.location import Location

_GAP = 4
"""Pixels between the pictures of a sheet."""


def contact_sheet(
    source: Location, *, columns: int = 4, rows: int = 4, width: int = 1280, color: tuple[int, int, int] = (24, 24, 24)
) -> SurfaceView:
    """Return a picture of frames that are spread evenly over a video, in reading order.

    Args:
        source: A file that can be read again; see ``VideoReader``.
        columns: Pictures beside each other, at least 1.
        rows: Pictures below each other, at least 1.
        width: Of the sheet in pixels.
        color: Between the pictures: red, green, blue.

    Returns:
        An RGB picture; ``save`` writes it, a notebook shows it.

    Raises:
        MediaError: The video cannot be read.
        ValueError: There is no room for that many columns.
    """
    if columns < 1 or rows < 1 or (width - _GAP) // columns - _GAP < 16:
        raise ValueError(f"contact_sheet: {columns} x {rows} pictures do not fit into {width} pixels")
    with VideoReader(source, pixel_format="rgb") as reader:
        count = len(reader)
        chosen = [min(count - 1, (2 * place + 1) * count // (2 * columns * rows)) for place in range(columns * rows)]
        across, down = reader.info.display_scale_xy
        tile_width = (width - _GAP) // columns - _GAP
        sheet: Any = None
        kept: dict[int, Any] = {}
        for place, number in enumerate(chosen):
            if number not in kept:
                surface = reader[number][1]
                ratio = surface.height * down / (surface.width * across)
                tile_height = max(round(tile_width * ratio), 1)
                kept = {number: surface.resize((tile_width, tile_height)).to_rgb()}
            tile = kept[number]
            if sheet is None:
                height = rows * (tile.shape[0] + _GAP) + _GAP
                sheet = np.empty((height, width, 3), np.uint8)
                sheet[...] = color
            top, left = _GAP + place // columns * (tile.shape[0] + _GAP), _GAP + place % columns * (tile_width + _GAP)
            room = sheet[top : top + tile.shape[0], left : left + tile_width]
            room[...] = tile[: room.shape[0], : room.shape[1]]
    return SurfaceView.wrap(sheet)


def write_gif(
    source: Location,
    destination: str | os.PathLike[str],
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    fps: float = 10.0,
    width: int = 480,
) -> int:
    """Write a part of a video as an animated GIF, with a palette of its own, and return how many pictures it has.

    Args:
        source: What ``VideoReader`` reads.
        destination: Ends in ``.gif``.
        start_s: Where to begin, in seconds.
        end_s: Where to end, in seconds.
        fps: Pictures a second, at most 50.
        width: In pixels; the height follows.

    Raises:
        MediaError: The video cannot be read, or the file not be written.
        ValueError: Another suffix, or a rate or width that is out of range.
    """
    import av

    from picasso.media.ffmpeg import media_errors

    name = os.fspath(destination)
    if not name.lower().endswith(".gif"):
        raise ValueError(f"{name}: expected a name that ends in .gif")
    if not 0 < fps <= 50 or not 16 <= width <= 4096:
        raise ValueError(f"write_gif: fps = {fps}, width = {width}: expected 0 < fps <= 50 and 16 to 4096 pixels")
    step_ns, due_ns = round(1e9 / fps), 0
    with VideoReader(source, pixel_format="rgb", start_s=start_s, end_s=end_s) as reader, media_errors(name):
        pictures: list[Any] = []
        for frame, surface in reader.frames():
            if not pictures:
                due_ns = frame.pts
            if frame.pts < due_ns:
                continue
            due_ns = max(due_ns + step_ns, frame.pts + 1)
            height = max(round(width * surface.height / surface.width), 1)
            pictures.append(surface.resize((width, height)).to_rgb())
        if not pictures:
            raise MediaError(f"{reader.info.location}: no frame between start_s and end_s")
        _encode(av, pictures, name, Fraction(round(fps * 100), 100))
    return len(pictures)


def _encode(av: Any, pictures: list[Any], name: str, rate: Fraction) -> None:
    """Write pictures by FFmpeg, with the palette that suits all of them."""
    graph = av.filter.Graph()
    height, width = pictures[0].shape[:2]
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=1 / rate)
    split, palette, use = graph.add("split"), graph.add("palettegen", "stats_mode=diff"), graph.add("paletteuse")
    sink = graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    with av.open(name, "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            source.push(frame)
        source.push(None)
        while True:
            try:
                made = sink.pull()
            except (av.error.EOFError, av.error.BlockingIOError):
                break
            container.mux(stream.encode(made))
        container.mux(stream.encode(None))
