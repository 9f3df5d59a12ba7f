"""``picasso.Classifier``: a model file and pictures, or parts of them, in; labels out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from picasso.infer.detector import Labels, class_names, fields_of_input, input_size
from picasso.infer.heads import AttributeHead, AttributeRule, ClassifierHead, Label
from picasso.infer.inference import Inference
from picasso.infer.inputs import InputSpec
from picasso.infer.session import Session
from picasso.infer.tensors import as_surfaces, gathered, is_several
from picasso.surface import SurfaceView
from picasso.transform import Normalization, Padding


class Classifier:
    """Says what a picture, or each of many objects, is. Safe from any thread.

    Pictures are stretched to the model's size and normalised as ImageNet's models learned it; a model that was trained
    otherwise is told by ``normalization`` and ``padding``.

    Args:
        model: An ONNX file, its bytes, or a ``Session``. Each output is an attribute of its name.
        labels: Names of the classes, or a file that has one a line; by default what the model's maker wrote into it,
            else numbers.
        threshold: A label is said if the model is more certain, 0..1; by default the most certain one is always said,
            and of ``multi_label`` those above a half.
        multi_label: Whether any number of labels may hold at once.
        head: A head of yours, instead of those arguments.
        size: Width and height of the model's input in pixels, one number for both, where the graph leaves them open.
        normalization: What happens to a channel, and the order of colours.
        padding: What happens to the aspect ratio.
        pad: What bars are before the scaling, 0..255: one number, or one a channel.
        batch_size: The most pictures a call of the model, if it takes any number; None for as many as are given.
        pixel_format: What arrays are: ``rgb``, ``bgr`` or ``gray``; by default as ``SurfaceView.wrap`` says.
        provider: Who computes: ``auto``, ``cpu``, ``cuda`` or ``tensorrt``; see ``picasso.infer.choose_providers``.
        gpu_id: Which GPU.
        threads: How many threads compute on the CPU; by default all cores.

    Raises:
        MissingDependencyError: ONNX Runtime is not installed.
        ModelError: The file is no model, its input takes no pictures, or labels and outputs do not fit.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | Session,
        *,
        labels: Labels | None = None,
        threshold: float | None = None,
        multi_label: bool = False,
        head: AttributeHead | None = None,
        size: int | tuple[int, int] | None = None,
        normalization: Normalization | None = None,
        padding: Padding | None = None,
        pad: int | tuple[int, ...] | None = None,
        batch_size: int | None = None,
        pixel_format: str | None = None,
        provider: str | Sequence[str] = "auto",
        gpu_id: int = 0,
        threads: int | None = None,
    ) -> None:
        session = (
            model if isinstance(model, Session) else Session(model, provider=provider, gpu_id=gpu_id, threads=threads)
        )
        names = class_names(labels, session.metadata)
        wanted = {"normalization": normalization, "padding": padding, "pad": pad}
        fields = fields_of_input("classifier", session, wanted)
        self.spec: InputSpec = InputSpec.of_graph(session.image_input, input_size(session, size), **fields)
        """What the model reads."""
        self.labels: tuple[str, ...] = tuple(names)
        """Names of the classes, by their numbers; empty where they are not known."""
        if head is None:
            known = self.labels or None
            rules = [AttributeRule(output.name, known, threshold, multi_label) for output in session.outputs]
            head = ClassifierHead(rules)
        self.head = head
        """What reads the model's outputs."""
        self._pixel_format = pixel_format
        self.inference: Inference = Inference(session, self.spec, batch_size=batch_size)
        """What runs the model."""

    @overload
    def __call__(self, pictures: SurfaceView) -> list[Label]: ...
    @overload
    def __call__(self, pictures: list[Any] | tuple[Any, ...]) -> list[list[Label]]: ...
    @overload
    def __call__(self, pictures: Any) -> Any: ...
    def __call__(self, pictures: Any) -> Any:
        """Say what pictures are.

        Args:
            pictures: A surface, or an array ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of uint8, in host memory or
                on the GPU. Or a list of them, or an array ``(N, H, W, C)``.

        Returns:
            A list of ``Label``, the most certain first. Of a list, or an array of four axes, a list of them.

        Raises:
            SurfaceError: What holds no pixels.
            ModelError: The model fails, or its outputs are not what the labels say.
        """
        pictures = gathered(pictures)
        if is_several(pictures) and not len(pictures):
            return []
        said: list[list[Label]] = []
        for part in self.inference.of_pictures(as_surfaces(pictures, self._pixel_format)):
            said += self.head.decode(part.outputs)
        return said if is_several(pictures) else said[0]

    def in_boxes(self, picture: Any, boxes_xyxy: ArrayLike) -> list[list[Label]]:
        """Say what parts of a picture are, such as the boxes that a detector found, all in one batch.

        Args:
            picture: A surface or an array; a list of one.
            boxes_xyxy: ``(N, 4)`` corners in pixels.

        Returns:
            For each box its labels, the most certain first; none for a box that has no pixel.

        Raises:
            SurfaceError: What holds no pixels.
            ModelError: The model fails, or its outputs are not what the labels say.
        """
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        said: list[list[Label]] = [[] for _ in boxes]
        surfaces = as_surfaces(picture, self._pixel_format)
        for part in self.inference.of_objects(surfaces, np.zeros(len(boxes), np.intp), boxes):
            for row, labels in zip(part.kept.tolist(), self.head.decode(part.outputs), strict=True):
                said[row] = labels
        return said
