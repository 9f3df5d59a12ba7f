"""Tables and pictures of boxes for notebooks, as HTML that needs nothing else."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections
    from picasso.primitives.video_frame import VideoFrame

MOST_ROWS: Final = 60
"""Rows of a table; how many more there are stands below."""
_WIDTH: Final = 480
"""Pixels of a picture of boxes on the page."""
_IMAGES: Final = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png"}


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; numbers are shown with four digits, None and NaN as an empty cell."""
    listed = list(rows)
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in listed[:MOST_ROWS])
    more = f"<p>and {len(listed) - MOST_ROWS} more</p>" if len(listed) > MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def boxes(size_wh: tuple[int, int], outlines: Iterable[tuple[Any, str]], image: bytes = b"") -> str:
    """Return a picture of outlines in a frame.

    Args:
        size_wh: Of the frame, pixels.
        outlines: Corners ``(M, 2)`` in pixels, and what is written beside the first.
        image: A JPEG or PNG that lies behind them.
    """
    width, height = size_wh
    line, size = max(width, height) / 300, max(width, height) / 40
    kind = next((name for start, name in _IMAGES.items() if image.startswith(start)), None)
    data = base64.b64encode(image).decode() if kind else ""
    parts = [
        f'<image href="data:image/{kind};base64,{data}" width="{width}" height="{height}"/>'
        if kind
        else f'<rect width="{width}" height="{height}" fill="#eee"/>'
    ]
    for corners, label in outlines:
        points = [(float(x), float(y)) for x, y in corners]
        if not all(math.isfinite(value) for point in points for value in point):
            continue
        color = f"hsl({crc32(label.split(' ')[0].encode()) % 360},80%,40%)"
        shape = " ".join(f"{x:g},{y:g}" for x, y in points)
        x, y = points[0]
        parts.append(f'<polygon points="{shape}" fill="none" stroke="{color}" stroke-width="{line:g}"/>')
        parts.append(f'<text x="{x:g}" y="{max(y - line, size):g}" font-size="{size:g}" fill="{color}">')
        parts.append(f"{escape(label)}</text>")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{min(width, _WIDTH)}">'
        f"{''.join(parts)}</svg>"
    )


def of_detections(found: Detections) -> str:
    """Return a table of detections."""
    rows = [
        (one.id, one.namespace, one.label, one.confidence, None if one.track_id < 0 else one.track_id, *one.xyxy)
        for one in found
    ]
    return table(("id", "namespace", "label", "confidence", "track", "x0", "y0", "x1", "y1"), rows)


def of_frame(frame: VideoFrame) -> str:
    """Return a frame: its boxes, over the picture that it carries if it is a JPEG or PNG, and a table of objects."""
    objects = list(frame.get_all_objects())
    image = frame.content.get_data() if frame.content.is_internal() else b""
    outlines = [(one.detection_box.vertices, one.draw_label) for one in objects]
    rows = [
        (
            *(one.id, one.namespace, one.label, one.confidence, one.track_id),
            *(*one.detection_box.as_xcycwh(), one.detection_box.angle),
        )
        for one in objects
    ]
    headings = ("id", "namespace", "label", "confidence", "track", "xc", "yc", "width", "height", "angle")
    name = f"{frame.source_id}: {frame.width} x {frame.height}, pts {frame.pts}"
    picture = boxes((frame.width, frame.height), outlines, image)
    return f"<p>{escape(name)}</p>{picture}{table(headings, rows)}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return "" if math.isnan(number) else f"{number:.4g}" if abs(number) < 1e4 else f"{number:.0f}"
    return escape(str(value))
