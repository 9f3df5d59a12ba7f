"""Detections in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from picasso.primitives.detections import Detections


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
