"""What pictures the models of each head learned from, where nothing else is said: scale, colours, bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from picasso.transform import Normalization, Padding

_IMAGENET: Final = Normalization.from_mean_std((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_UNIT: Final = Normalization()
_BYTES: Final = Normalization((1.0, 1.0, 1.0))
_BYTES_BGR: Final = Normalization((1.0, 1.0, 1.0), order="bgr")


class CustomaryInput(NamedTuple):
    """How a picture becomes the tensor of a model."""

    normalization: Normalization = _UNIT
    padding: Padding = Padding.NONE
    pad: int = 0
    """What the bars are, 0..255, before the scaling."""


_LETTERBOX: Final = CustomaryInput(_UNIT, Padding.SYMMETRIC, 114)
_STRETCHED: Final = CustomaryInput()
_BY_HEAD: Final[tuple[tuple[str, CustomaryInput], ...]] = (
    ("yolox", CustomaryInput(_BYTES_BGR, Padding.RIGHT_BOTTOM, 114)),
    ("yolo", _LETTERBOX),
    ("detr-softmax", CustomaryInput(_IMAGENET)),
    ("ssd-tensorflow", CustomaryInput(_BYTES)),
    ("yunet", CustomaryInput(_BYTES_BGR, Padding.RIGHT_BOTTOM)),
)
"""By the beginning of the head's name, the first that fits."""


def customary_input(head: str, metadata: Mapping[str, str] | None = None) -> CustomaryInput:
    """Return what models that a head reads expect of their pictures.

    YOLO models are shown letterboxed pictures on grey, YOLOX the same with bars at the right and below and colours as
    OpenCV has them, DETR and its heirs stretched ones. Classifiers of Ultralytics take channels of 0..1, others those
    of ImageNet's means.

    Args:
        head: Name of the head, such as ``yolov8``.
        metadata: What the model's maker wrote into the file.

    >>> customary_input("yolov8-seg").pad
    114
    """
    if head == "classifier":
        return _STRETCHED if (metadata or {}).get("task") == "classify" else CustomaryInput(_IMAGENET)
    return next((known for name, known in _BY_HEAD if head.startswith(name)), _STRETCHED)
