"""A video at a glance: a contact sheet of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from picasso.media import VideoReader
from picasso.media.location import Kind, input_place
from picasso.surface import SurfaceView
from picasso.verbs.places import Progress, check_read_twice

if TYPE_CHECKING:
    from picasso.media.location import Location

_GAP = 4
"""Pixels between the pictures of a sheet."""


def contact_sheet(
    source: Location,
    *,
    columns: int = 4,
    rows: int = 4,
    width: int = 1280,
    color: tuple[int, int, int] = (24, 24, 24),
    on_progress: Progress | None = None,
) -> SurfaceView:
    """Return a picture of frames that are spread evenly over a video, in reading order.

    Args:
        source: A file that can be read again; see ``VideoReader``.
        columns: Pictures beside each other, at least 1.
        rows: Pictures below each other, at least 1.
        width: Of the sheet in pixels.
        color: Between the pictures: red, green, blue.
        on_progress: Called with the number of pictures so far, and of all of them.

    Returns:
        An RGB picture; ``save`` writes it, a notebook shows it.

    Raises:
        MediaError: The video cannot be read.
        SpecError: The source is a pipe or device.
        ValueError: There is no room for that many columns.
    """
    if columns < 1 or rows < 1 or (width - _GAP) // columns - _GAP < 16:
        raise ValueError(f"contact_sheet: {columns} x {rows} pictures do not fit into {width} pixels")
    check_read_twice("contact_sheet", source)
    with VideoReader(source, pixel_format="rgb") as reader:
        if input_place(source).kind is Kind.URL:
            reader[0]  # reads it once, and then it has a length
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
            if on_progress is not None:
                on_progress(place + 1, len(chosen))
    return SurfaceView.wrap(sheet)
