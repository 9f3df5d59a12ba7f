"""What a head is: a pure function of a model's outputs to objects in the pixels of the model's input.

A head knows nothing of sessions, surfaces and placements. Who calls it maps the objects back to source pixels, by the
inverse of the placement that made the input (``picasso.transform.unplace_detections``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from numpy.typing import NDArray

from picasso.infer.selectors import Selector
from picasso.primitives import Detections

Outputs: TypeAlias = Mapping[str, NDArray[Any]]
"""A model's outputs by name; the first axis of each is the batch, unless the head says otherwise."""
ScaleXY: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What a head is told of its model and of what is wanted; the same for every call."""

    input_wh: tuple[int, int]
    """Width and height of the model's input in pixels: the pixels of the objects."""
    selector: Selector = field(default_factory=Selector)
    """Which candidates are objects, and what they are called."""


@runtime_checkable
class ObjectHead(Protocol):
    """Makes objects of a model's outputs."""

    name: str
    """What ``model.output`` calls it, such as ``yolov8``."""

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Return the objects of each picture of the batch, the most certain one first.

        Boxes, masks, keypoints and polygons are in pixels of the model's input; boxes are never clipped. The namespace
        is empty. The outputs are read, not kept.

        Args:
            outputs: What the model said, by name; float16 and float32.
            settings: What the model takes and what is wanted.
            scales_xy: For each picture the source pixels of one pixel of the input, so that sizes in the selector's
                rules are source pixels; by default 1.

        Raises:
            ModelError: An output is missing or has another shape than the head reads.
        """
        ...


class Label(NamedTuple):
    """One attribute of a picture, as a classifier says it."""

    name: str
    """Of the attribute."""
    value: Any
    """Label of the class; or what a converter gave."""
    confidence: float | None
    """0 … 1."""
    class_id: int = -1


@runtime_checkable
class AttributeHead(Protocol):
    """Makes attributes of a model's outputs."""

    name: str

    def decode(self, outputs: Outputs) -> list[list[Label]]:
        """Return the attributes of each picture of the batch.

        Raises:
            ModelError: An output is missing or has another shape than the head reads.
        """
        ...
