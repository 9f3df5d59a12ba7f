"""Detections as a notebook shows them."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections

_MOST: Final = 20
"""Rows that are shown."""


def summary(found: Detections) -> str:
    """Return one line: how many of each label, and what else is known of them."""
    labels, counts = np.unique(found.labels.astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:6]
    parts = [f"{counts[number]} {labels[number] or 'without label'}" for number in order]
    if len(labels) > len(order):
        parts.append("…")
    also = [name for name in ("masks", "keypoints", "polygons") if getattr(found, name) is not None]
    also += [f"data: {', '.join(found.data)}"] if found.data else []
    also += ["rotated"] if found.is_rotated else []
    also += ["tracked"] if (found.track_ids != -1).any() else []
    return f"{len(found)} detections" + "".join(f"; {', '.join(part)}" for part in (parts, also) if part)


def as_html(found: Detections) -> str:
    """Return a table of the first rows; labels are escaped."""
    columns = {
        "label": [html.escape(label) for label in found.labels],
        "confidence": ["" if np.isnan(sure) else f"{sure:.2f}" for sure in found.confidences],
        "x0, y0, x1, y1": [", ".join(f"{value:.1f}" for value in box) for box in found.xyxy],
    }
    if (found.track_ids != -1).any():
        columns["track"] = ["" if number == -1 else str(number) for number in found.track_ids]
    if found.is_rotated:
        columns["angle"] = ["" if np.isnan(angle) else f"{angle:.1f}°" for angle in found.xywha[:, 4]]
    if found.masks is not None:
        columns["mask"] = [f"{area} px" for area in found.masks.areas]
    for name, column in found.data.items():
        if column.ndim == 1:
            columns[html.escape(name)] = [html.escape(str(value)[:40]) for value in column]
    head = "".join(f"<th>{name}</th>" for name in columns)
    rows = "".join(
        f"<tr><td>{row}</td>{''.join(f'<td>{column[row]}</td>' for column in columns.values())}</tr>"
        for row in range(min(len(found), _MOST))
    )
    more = f"<p>… and {len(found) - _MOST} more</p>" if len(found) > _MOST else ""
    return f"<p>{html.escape(summary(found))}</p><table><tr><th></th>{head}</tr>{rows}</table>{more}"
