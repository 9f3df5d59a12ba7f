"""One picture of a whole run: a row of frames from each file, read back from what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from picasso.cli.showcase.palette_png import palette_png
from picasso.media import VideoReader
from picasso.media.outputs import write_whole
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Padding, Placement, TransformConfig
from picasso.transform.cpu import transform

Pixels = npt.NDArray[np.uint8]

GAP = 8
"""Pixels between tiles, and around the sheet."""
BACKGROUND = 24
"""Grey value between the tiles."""


@dataclass(frozen=True, slots=True)
class Row:
    """Frames of one file, spread evenly over it."""

    path: Path
    frames: int
    """That the file holds."""
    columns: int
    """Frames to show."""


def write_contact_sheet(rows: Sequence[Row], path: Path, *, width: int) -> None:
    """Read the rows' files back and write the sheet.

    Args:
        rows: From top to bottom; a file without frames is left out.
        path: PNG file to write.
        width: Of the sheet, in pixels.

    Raises:
        MediaError: A file cannot be read back.
        OSError: The sheet cannot be written.
    """
    strips = [strip(spread(row), width) for row in rows if row.frames]
    picture = palette_png(stack(strips, width))
    write_whole(path, lambda output: output.write(picture))


def spread(row: Row) -> list[Pixels]:
    """The row's frames, RGBA (H, W, 4), from the middles of as many equal parts of the file."""
    wanted = {(2 * part + 1) * row.frames // (2 * row.columns) for part in range(row.columns)}
    with VideoReader(str(row.path), pixel_format="rgba") as reader:
        return [surface.to_numpy() for index, (_, surface) in enumerate(reader.frames()) if index in wanted]


def strip(tiles: Sequence[Pixels], width: int) -> Pixels:
    """Put tiles of one shape side by side so that they fill the sheet's width: RGBA (h, width, 4)."""
    tile_width = (width - GAP * (len(tiles) + 1)) // len(tiles)
    tile_height = round(tile_width * tiles[0].shape[0] / tiles[0].shape[1])
    row = blank(tile_height, width)
    for column, tile in enumerate(tiles):
        left = GAP + column * (tile_width + GAP)
        row[:, left : left + tile_width] = resize(tile, (tile_width, tile_height))
    return row


def stack(strips: Sequence[Pixels], width: int) -> Pixels:
    """Put strips below each other with gaps between and around them."""
    gap = blank(GAP, width)
    return np.concatenate([gap, *(part for one in strips for part in (one, gap))])


def blank(height: int, width: int) -> Pixels:
    """Opaque background, RGBA (height, width, 4)."""
    pixels: Pixels = np.full((height, width, 4), BACKGROUND, np.uint8)
    pixels[..., 3] = 255
    return pixels


def resize(pixels: Pixels, size_wh: tuple[int, int]) -> Pixels:
    """RGBA scaled to a size, each pixel the mean of those it covers."""
    source = SurfaceView.wrap(pixels)
    target = SurfaceView.allocate(VideoFormat.RGBA, size_wh)
    placement = Placement.compute(source.size_wh, size_wh, TransformConfig(padding=Padding.NONE))
    transform(source, placement, target, Interpolation.AREA)
    return target.to_numpy()
