"""``picasso.annotate``: the usual look in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from picasso.annotators.base import Annotator, Found, surface_of
from picasso.annotators.keypoints import EdgeAnnotator, VertexAnnotator
from picasso.annotators.labels import LabelAnnotator
from picasso.annotators.masks import MaskAnnotator
from picasso.annotators.palettes import Palette
from picasso.annotators.shapes import OrientedBoxAnnotator
from picasso.draw.attached import joined
from picasso.draw.cpu import CpuPainter
from picasso.draw.lists import DisplayList
from picasso.draw.values import ColorDraw
from picasso.surface import SurfaceView
from picasso.surface.interop import pillow_mode

_TRANSLUCENT_MODES: Final = ("LA", "PA", "RGBa")
_CONVERTED_MODES: Final = ("1", "P", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", *_TRANSLUCENT_MODES)
"""Of Pillow's images: those that are no RGB, RGBA or gray, and can be made so."""


def annotate(
    image: Any,
    detections: Any,
    annotators: Sequence[Annotator] | Annotator | None = None,
    *,
    color: ColorDraw | Palette | str | None = None,
    copy: bool = True,
) -> Any:
    """Draw detections on a picture: boxes with labels, masks and skeletons where there are some.

    Args:
        image: ``(H, W, 3)`` RGB, ``(H, W, 4)`` RGBA or ``(H, W)`` gray of uint8; an image of Pillow, which comes back
            as an array; or a surface in host memory.
        detections: ``Detections``, a ``VideoFrame``, or supervision's.
        annotators: What draws instead, one or several, lowest first.
        color: One for all, a palette or its name; for the usual look.
        copy: Leave ``image`` as it is and return another; an image of Pillow always stays as it is. A surface is drawn
            on as it is, unless it may not be written, as those of a ``VideoReader``.

    Returns:
        The picture that was drawn on.
    """
    found = Found.of(detections)
    chosen = usual(found, color) if annotators is None else listed(annotators)
    if copy and isinstance(image, SurfaceView):
        image = _writable(image)
    elif (mode := pillow_mode(image)) is not None:
        image = np.array(_readable(image, mode))
    elif copy and (hasattr(image, "__array__") or hasattr(image, "__array_interface__")):
        image = np.array(image)
    surface = surface_of(image)
    CpuPainter().paint(surface, drawing(chosen, found, surface.size_wh, surface))
    return image


def _readable(image: Any, mode: str) -> Any:
    """Return an image of Pillow as RGB, RGBA or gray, if it can be made so."""
    if mode not in _CONVERTED_MODES:
        return image
    is_translucent = mode in _TRANSLUCENT_MODES or "transparency" in image.info
    return image.convert("RGBA" if is_translucent else "RGB")


def _writable(surface: SurfaceView) -> SurfaceView:
    if not surface.readonly or surface.is_cuda:
        return surface
    twin = SurfaceView.wrap(surface.to_numpy(), surface.format, color=surface.color)
    return twin.with_sample_aspect_ratio(surface.sample_aspect_ratio)


def drawing(
    annotators: Sequence[Annotator] | Annotator,
    detections: Any,
    size_wh: tuple[int, int],
    surface: SurfaceView | None = None,
) -> DisplayList:
    """Return what several annotators draw, as one display list; see ``Annotator.drawing``.

    Args:
        annotators: One, or several, the first of which is lowest.
        detections: Of the picture.
        size_wh: Of the picture.
        surface: The picture, for those that look at its pixels.
    """
    found = Found.of(detections)
    return joined([annotator.drawing(found, size_wh, surface) for annotator in listed(annotators)])


def listed(annotators: Any) -> list[Annotator]:
    """Return one annotator or several as a list.

    Args:
        annotators: What a program gave.

    Raises:
        TypeError: Something else is among them.
    """
    if isinstance(annotators, Annotator):
        return [annotators]
    several = [annotators] if isinstance(annotators, type | str) or not isinstance(annotators, Iterable) else annotators
    found: list[Annotator] = []
    for one in several:
        if not isinstance(one, Annotator):
            given = f"the class {one.__name__}: write {one.__name__}()" if isinstance(one, type) else repr(one)[:60]
            raise TypeError(f"annotators: expected Annotator objects such as BoxAnnotator(), got {given}")
        found.append(one)
    return found


def usual(detections: Any, color: ColorDraw | Palette | str | None = None) -> list[Annotator]:
    """Return the annotators of the usual look: masks and skeletons where ``detections`` have some, boxes, labels.

    ``color`` is that of ``annotate``.
    """
    found = Found.of(detections)
    chosen: list[Annotator] = []
    if found.masks is not None:
        chosen.append(MaskAnnotator(color))
    if found.keypoints.shape[1]:
        chosen += [EdgeAnnotator(color), VertexAnnotator(color)]
    by_track = any(track is not None for track in found.track_ids)
    chosen.append(OrientedBoxAnnotator(color))
    chosen.append(
        LabelAnnotator(color, "{label} {track_id} {confidence:.2f}" if by_track else "{label} {confidence:.2f}")
    )
    return chosen
