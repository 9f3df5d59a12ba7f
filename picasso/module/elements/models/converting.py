"""Converters of users: a model's outputs for one picture become rows of objects and attributes, in frame pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError, require
from picasso.infer import Label
from picasso.infer.heads.candidates import class_numbers
from picasso.infer.selectors import Selector
from picasso.module.elements.base import BasePyFuncCallableImpl
from picasso.module.elements.models.block import Model
from picasso.primitives import Detections

Roi = tuple[float, float, float, float]
"""Left, top, width and height of what was looked at, in pixels of the frame."""


class TensorFormat(Enum):
    """What a converter gets its tensors as."""

    NumPy = 0
    """Arrays in host memory."""
    CuPy = 1
    """Arrays on the GPU, by CuPy."""


class _Converter(BasePyFuncCallableImpl):
    """What converters share."""

    tensor_format: ClassVar[TensorFormat] = TensorFormat.NumPy
    """What the tensors come as."""


class BaseObjectModelOutputConverter(_Converter):
    """Makes objects of a model's outputs for one picture.

    Define ``__call__(self, *output_layers, model, roi)``: it returns an array ``(N, 6)`` or ``(N, 7)``: class,
    confidence, centre, width and height in pixels of the frame, and perhaps the angle in degrees.
    """


class BaseAttributeModelOutputConverter(_Converter):
    """Makes attributes of a model's outputs for one picture.

    Define ``__call__(self, *output_layers, model, roi)``: it returns a list of (name, value, confidence), or None.
    """


class BaseComplexModelOutputConverter(_Converter):
    """Makes objects and their attributes of a model's outputs for one picture.

    Define ``__call__(self, *output_layers, model, roi)``: it returns an array of objects, and for each of its rows a
    list of (name, value, confidence).
    """


class Converted(NamedTuple):
    """What a converter made of one picture."""

    objects: Detections | None
    """In pixels of the frame; None for a model that gives attributes only."""
    labels: list[list[Label]]
    """Attributes of each object, or of the picture."""


class UserConverter:
    """A converter, asked once for each picture, with its answers checked."""

    def __init__(self, converter: Any, model: Model, selector: Selector | None) -> None:
        """Wrap a converter.

        Args:
            converter: What is called with the outputs.
            model: What it is told of the model.
            selector: Which of its rows are objects; None for a model that gives attributes only.
        """
        self._converter = converter
        self._model = model
        self._selector = selector

    @property
    def _on_gpu(self) -> bool:
        """Whether the converter wants its tensors on the GPU; one that follows its file may change its mind."""
        current = getattr(self._converter, "function", self._converter)
        name: str = getattr(current, "tensor_format", TensorFormat.NumPy).name
        return name == TensorFormat.CuPy.name

    def convert(self, outputs: Mapping[str, NDArray[Any]], picture: int, roi: Roi) -> Converted:
        """Ask the converter.

        Args:
            outputs: By name; the first axis is the batch.
            picture: Which of the batch.
            roi: What was looked at.

        Raises:
            ModelError: An output is not there, or the answer is not what it should be.
        """
        names = self._model.output.layer_names
        missing = [name for name in names if name not in outputs]
        if missing:
            raise ModelError(f"output.layer_names: the model has no {missing[0]!r}; it has {', '.join(outputs)}")
        layers = [outputs[name][picture] for name in names]
        if self._on_gpu:
            cupy = require("cupy", extra="cuda12")
            layers = [cupy.asarray(layer) for layer in layers]
        answer = self._converter(*layers, model=self._model, roi=roi)
        if self._selector is None:
            return Converted(None, [_labels(answer)])
        rows, attributes = answer if isinstance(answer, tuple) else (answer, None)
        return self._objects(rows, attributes)

    def _objects(self, given: Any, attributes: Sequence[Any] | None) -> Converted:
        assert self._selector is not None
        rows = np.asarray(given.get() if hasattr(given, "get") else given if given is not None else [], np.float32)
        if rows.size == 0:
            rows = rows.reshape(0, 6)
        if rows.ndim != 2 or rows.shape[1] not in (6, 7):
            raise ModelError(f"the converter returned {rows.shape}; expected (N, 6) or (N, 7)")
        if attributes is not None and len(attributes) != len(rows):
            raise ModelError(f"the converter returned {len(rows)} objects and attributes of {len(attributes)}")
        xywha = rows[:, 2:]
        chosen = self._selector.select(xywha, rows[:, 1], class_numbers(rows[:, 0]))
        boxes = np.full((len(chosen.rows), 5), np.nan, np.float32)
        boxes[:, : xywha.shape[1]] = xywha[chosen.rows]
        objects = Detections.of(
            xywha=boxes, labels=chosen.labels, class_ids=chosen.class_ids, confidences=rows[chosen.rows, 1]
        )
        labels = [] if attributes is None else [_labels(attributes[row]) for row in chosen.rows.tolist()]
        return Converted(objects, labels or [[] for _ in range(len(objects))])


def _labels(answer: Any) -> list[Label]:
    """Check what a converter says of one object."""
    made = []
    for one in answer or ():
        if not isinstance(one, tuple | list) or len(one) not in (2, 3) or not isinstance(one[0], str):
            raise ModelError(f"the converter returned the attribute {one!r:.80}; expected (name, value, confidence)")
        confidence = one[2] if len(one) == 3 else None
        made.append(Label(one[0], one[1], None if confidence is None else float(confidence)))
    return made
