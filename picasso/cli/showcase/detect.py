"""Three small detectors of the classic kind; each reads the decoder's planes and needs no RGB.

None of them knows what it sees: their labels say what they measure (``moving``, ``grey``), except for the face
cascade, which was trained on faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from picasso.cli.showcase.clips import INSTALL
from picasso.cli.showcase.tracker import FloatBoxes, iou_matrix
from picasso.errors import MissingDependencyError, require

cv2: Any = require("cv2", extra="demo")

Plane = npt.NDArray[np.uint8]

WORK_WIDTH = 240
"""Pictures are searched at this width, in pixels: what matters here is larger than a pixel of it."""


class Detector(Protocol):
    """Finds things of one kind in the frames of one source, called in frame order."""

    namespace: ClassVar[str]
    """What found it; the namespace of the objects."""
    label: ClassVar[str]
    """What was found; the label of the objects."""

    def find(self, planes: Sequence[Plane]) -> FloatBoxes:
        """Search one I420 picture.

        Args:
            planes: uint8 luma (H, W), then both chroma planes (H/2, W/2), limited range.

        Returns:
            float32 (N, 4) corners ``x0 y0 x1 y1`` in pixels of the picture.
        """
        ...


class MovingThings:
    """What differs from the background that a mixture of Gaussians has learned; a cut starts it afresh."""

    namespace: ClassVar[str] = "mog2"
    label: ClassVar[str] = "moving"

    def __init__(self) -> None:
        self._background: Any = None
        self._thumbnail: npt.NDArray[np.int16] | None = None
        self._speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))

    def find(self, planes: Sequence[Plane]) -> FloatBoxes:
        """Boxes of the foreground, those that overlap merged; nothing while the whole picture moves."""
        luma = shrink(planes[0])
        cut = self._is_cut(luma)
        if cut:
            self._background = cv2.createBackgroundSubtractorMOG2(varThreshold=30, detectShadows=False)
        mask = self._background.apply(cv2.GaussianBlur(luma, (5, 5), 0), learningRate=1.0 if cut else 0.02)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._speck)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._gap)
        if np.count_nonzero(mask) > 0.7 * mask.size:
            return np.empty((0, 4), np.float32)
        return merge_overlapping(boxes_of_blobs(mask, least_share=0.006, picture=planes[0]))

    def _is_cut(self, luma: Plane) -> bool:
        thumbnail = cv2.resize(luma, (32, 18), interpolation=cv2.INTER_AREA).astype(np.int16)
        before, self._thumbnail = self._thumbnail, thumbnail
        return before is None or float(np.abs(thumbnail - before).mean()) > 20


class GreyThings:
    """Blobs without colour and of middling brightness: fur and rock against grass and sky."""

    namespace: ClassVar[str] = "chroma"
    label: ClassVar[str] = "grey"

    def __init__(self) -> None:
        self._speck = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

    def find(self, planes: Sequence[Plane]) -> FloatBoxes:
        """Boxes of the blobs that cover at least 2 % of the picture."""
        luma = shrink(planes[0])
        blue, red = (cv2.resize(plane, luma.shape[::-1]).astype(np.int16) for plane in planes[1:])
        colour = np.abs(blue - 128) + np.abs(red - 128)
        mask = ((colour < 16) & (luma > 80) & (luma < 185)).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._speck)
        return boxes_of_blobs(mask, least_share=0.02, picture=planes[0])


class Faces:
    """Frontal faces by a Haar cascade; a face it loses is held where it was, so that it stays hidden meanwhile.

    Args:
        hold: Frames for which the last findings stand in for none.
    """

    namespace: ClassVar[str] = "haar"
    label: ClassVar[str] = "face"

    def __init__(self, *, hold: int = 16) -> None:
        if not hasattr(cv2, "CascadeClassifier"):  # OpenCV 5 dropped it
            raise MissingDependencyError(f"OpenCV {cv2.__version__} has no cascades; {INSTALL}")
        self._cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
        self._hold = hold
        self._missed = 0
        self._last = np.empty((0, 4), np.float32)

    def find(self, planes: Sequence[Plane]) -> FloatBoxes:
        """Boxes of the faces, or of the last ones for as long as they are held."""
        found = self._cascade.detectMultiScale(planes[0], scaleFactor=1.05, minNeighbors=2, minSize=(40, 40))
        self._missed = 0 if len(found) else self._missed + 1
        if len(found):
            left_top, sides = np.hsplit(np.asarray(found, np.float32), 2)
            self._last = np.hstack([left_top, left_top + sides])
        elif self._missed > self._hold:
            self._last = np.empty((0, 4), np.float32)
        return self._last


def shrink(plane: Plane) -> Plane:
    """The plane at ``WORK_WIDTH``, its aspect kept, each pixel the mean of those it covers."""
    height = max(1, round(plane.shape[0] * WORK_WIDTH / plane.shape[1]))
    small: Plane = cv2.resize(plane, (WORK_WIDTH, height), interpolation=cv2.INTER_AREA)
    return small


def boxes_of_blobs(mask: Plane, least_share: float, picture: Plane) -> FloatBoxes:
    """The boxes of a mask's blobs, in pixels of the ``picture`` that the mask was made from.

    Args:
        mask: uint8 (h, w), not 0 where something is.
        least_share: Smallest blob worth a box, as a share of the mask's area, in 0..1.
        picture: uint8 (H, W); only its shape counts.

    Returns:
        float32 (N, 4) corners ``x0 y0 x1 y1``, largest blob first.
    """
    blobs = cv2.connectedComponentsWithStats(mask)[2][1:]  # the first is what lies between them
    area = blobs[:, cv2.CC_STAT_AREA]
    blobs = blobs[np.argsort(-area, kind="stable")][: np.count_nonzero(area >= least_share * mask.size)]
    corners = np.hstack([blobs[:, :2], blobs[:, :2] + blobs[:, 2:4]]).astype(np.float32)
    scale_xy = np.array(picture.shape[::-1], np.float32) / np.array(mask.shape[::-1], np.float32)
    scaled: FloatBoxes = corners * np.tile(scale_xy, 2)
    return scaled


def merge_overlapping(boxes_xyxy: FloatBoxes) -> FloatBoxes:
    """Replace boxes that overlap by the one box around them, until none overlap: (N, 4) to (M, 4), M ≤ N."""
    while len(boxes_xyxy) > 1:
        joined_to = np.argmax((iou_matrix(boxes_xyxy, boxes_xyxy) > 0) | np.eye(len(boxes_xyxy), dtype=bool), axis=1)
        heads = np.unique(joined_to)
        if len(heads) == len(boxes_xyxy):
            break
        groups = [boxes_xyxy[joined_to == head] for head in heads]
        boxes_xyxy = np.stack([np.concatenate([g[:, :2].min(axis=0), g[:, 2:].max(axis=0)]) for g in groups])
    return boxes_xyxy
