"""``picasso.Detector``: a model file and pictures in, objects in the pixels of each picture out."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ModelError, ShapeError
from picasso.infer.customs import customary_input
from picasso.infer.files.labels import labels_of_metadata, read_labels
from picasso.infer.heads import HeadSettings, ObjectHead, find_head
from picasso.infer.inference import Inference, Part
from picasso.infer.inputs import InputSpec
from picasso.infer.metadata import two_whole
from picasso.infer.selectors import ObjectRule, Selector
from picasso.infer.session import Session, TensorInfo
from picasso.infer.tensors import as_surfaces, gathered, is_several
from picasso.primitives import Detections
from picasso.primitives.geometry import ANGLE, xyxy_to_xywha
from picasso.surface import SurfaceView
from picasso.transform import Normalization, Padding, Placement, unplace_detections

Labels = str | os.PathLike[str] | Sequence[str] | Mapping[int, str]
"""Names of classes, by their numbers; or a file that has one a line."""


_INSTEAD = {
    "device": "provider ('cuda', 'cpu') and gpu_id",
    "imgsz": "size",
    "input_size": "size",
    "conf": "confidence",
    "conf_thres": "confidence",
    "confidence_threshold": "confidence",
    "threshold": "confidence",
    "iou_thres": "iou",
    "iou_threshold": "iou",
    "nms": "iou",
    "task": "head",
    "names": "labels",
    "class_names": "labels",
    "max_det": "max_objects",
    "agnostic_nms": "agnostic",
    "batch": "batch_size",
    "providers": "provider",
}
"""What other libraries call an option, and what it is here."""


_ATTRIBUTES = {
    "predict": "detect(pictures)",
    "track": "track_video(source, destination, detect), or detect(surface).tracked_by(tracker, frame.pts)",
    "names": "detect.labels",
    "class_names": "detect.labels",
    "imgsz": "detect.spec.size_wh",
    "device": "detect.inference.session.provider",
    "to": "Detector(model, provider='cuda', gpu_id=0)",
    "cuda": "Detector(model, provider='cuda', gpu_id=0)",
}
"""What other libraries call an attribute, and what to write here."""


def _unknown_option(name: str) -> str:
    if name in _INSTEAD:
        return f"Detector: unknown option {name!r}: write {_INSTEAD[name]}"
    known = list(inspect.signature(Detector).parameters)[1:-1]
    return f"Detector: unknown option {name!r}; one of {', '.join(known)}"


class Detector:
    """Finds objects, with masks, keypoints or rotated boxes if the model has them. Safe from any thread.

    How pictures are fitted and scaled follows the kind of the model; a model that was trained otherwise is told by
    ``normalization``, ``padding`` and ``pad``.

    Args:
        model: An ONNX file, its bytes, or a ``Session``.
        confidence: A candidate is an object if the model is more certain, 0..1.
        iou: Of candidates of one class that overlap by more than this share, the best one stays; None for all.
        labels: Names of the classes, or a file that has one a line; by default what the model's maker wrote into it,
            else numbers.
        classes: Labels of the classes that are wanted; None for all.
        head: How outputs are read, one of ``picasso.infer.head_names()``, or a head of yours; None to recognise it.
        size: Width and height of the model's input in pixels, one number for both, where the graph leaves them open.
        normalization: What happens to a channel, and the order of colours.
        padding: What happens to the aspect ratio.
        pad: What bars are before the scaling, 0..255: one number, or one a channel.
        max_objects: The most objects in a picture, the most certain ones; None for any number.
        agnostic: Whether objects of different classes suppress each other.
        batch_size: The most pictures a call of the model, if it takes any number; None for as many as are given.
        pixel_format: What arrays are: ``rgb``, ``bgr`` or ``gray``; by default as ``SurfaceView.wrap`` says.
        namespace: Of the objects; by default the name of the file.
        provider: Who computes: ``auto``, ``cpu``, ``cuda`` or ``tensorrt``; see ``picasso.infer.choose_providers``.
        gpu_id: Which GPU.
        threads: How many threads compute on the CPU; by default all cores.
        unknown: There are no other options; the error names the one that is meant, for names of other libraries.

    Raises:
        TypeError: There is no such option.
        MissingDependencyError: ONNX Runtime is not installed.
        ModelError: The file is no model, its input takes no pictures, its outputs are not those of exactly one head,
            or an argument does not fit it.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | Session,
        *,
        confidence: float = 0.25,
        iou: float | None = 0.7,
        labels: Labels | None = None,
        classes: Sequence[str] | None = None,
        head: str | ObjectHead | None = None,
        size: int | tuple[int, int] | None = None,
        normalization: Normalization | None = None,
        padding: Padding | None = None,
        pad: int | tuple[int, ...] | None = None,
        max_objects: int | None = 300,
        agnostic: bool = False,
        batch_size: int | None = None,
        pixel_format: str | None = None,
        namespace: str | None = None,
        provider: str | Sequence[str] = "auto",
        gpu_id: int = 0,
        threads: int | None = None,
        **unknown: Never,
    ) -> None:
        for name in unknown:
            raise TypeError(_unknown_option(name))
        session = (
            model if isinstance(model, Session) else Session(model, provider=provider, gpu_id=gpu_id, threads=threads)
        )
        names = class_names(labels, session.metadata)
        spec = InputSpec.of_graph(session.image_input, input_size(session, size))
        if head is None or isinstance(head, str):
            head = find_head(
                session.outputs,
                name=head,
                metadata=session.metadata,
                input_wh=spec.size_wh,
                classes=len(names) or None,
                inputs=session.inputs,
            )
        names = names or list(getattr(head, "class_names", ()))
        wanted = {"normalization": normalization, "padding": padding, "pad": pad}
        fields = fields_of_input(head.name, session, wanted)
        self.spec: InputSpec = InputSpec.of_graph(session.image_input, spec.size_wh, **fields)
        """What the model reads."""
        self.labels: tuple[str, ...] = tuple(names)
        """Names of the classes, by their numbers; empty where they are not known."""
        self.head = head
        """What reads the model's outputs."""
        self.namespace: str = Path(session.name).stem if namespace is None else namespace
        """Of the objects."""
        selector = _selector(names, classes, confidence, iou, max_objects, agnostic)
        self._settings = HeadSettings(self.spec.size_wh, selector)
        self._pixel_format = pixel_format
        self.inference: Inference = Inference(session, self.spec, batch_size=batch_size)
        """What runs the model."""

    @overload
    def __call__(self, pictures: SurfaceView) -> Detections: ...
    @overload
    def __call__(self, pictures: list[Any] | tuple[Any, ...]) -> list[Detections]: ...
    @overload
    def __call__(self, pictures: Any) -> Any: ...
    def __call__(self, pictures: Any) -> Any:
        """Find objects.

        Args:
            pictures: A surface, or an array ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of uint8, in host memory or
                on the GPU. Or a list of them, or an array ``(N, H, W, C)``.

        Returns:
            ``Detections`` in pixels of the picture, the most certain object first. Boxes end with the picture. Of a
            list, or an array of four axes, a list of them, in its order.

        Raises:
            SurfaceError: What holds no pixels.
            ModelError: The model fails.
        """
        pictures = gathered(pictures)
        if is_several(pictures) and not len(pictures):
            return []
        found: list[Detections] = []
        for part in self.inference.of_pictures(as_surfaces(pictures, self._pixel_format)):
            found += self._decode(part)
        return found if is_several(pictures) else found[0]

    def in_boxes(self, picture: Any, boxes_xyxy: ArrayLike) -> list[Detections]:
        """Find objects within parts of a picture, all parts in one batch.

        Args:
            picture: A surface or an array.
            boxes_xyxy: ``(N, 4)`` corners in pixels: what to look at.

        Returns:
            For each box what was found in it, in pixels of the whole picture; nothing in a box that has no pixel.

        Raises:
            ShapeError: Boxes of another shape, or several pictures.
            SurfaceError: What holds no pixels.
            ModelError: The model fails.
        """
        (surface,) = _one(picture, self._pixel_format)
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        found = [Detections.empty()] * len(boxes)
        for part in self.inference.of_objects([surface], np.zeros(len(boxes), np.intp), boxes):
            for row, one in zip(part.kept.tolist(), self._decode(part), strict=True):
                found[row] = one
        return found

    def in_tensor(self, tensor: NDArray[Any], placements: Sequence[Placement]) -> list[Detections]:
        """Find objects in a tensor that was made before, such as a batch of a dataset.

        Args:
            tensor: ``(N, C, H, W)`` or ``(N, H, W, C)`` in host memory, as ``spec`` says.
            placements: N, from pixels of each picture to those of the tensor.

        Returns:
            For each picture what was found, in pixels of the picture.

        Raises:
            ShapeError: The tensor or the number of placements is not what the model reads.
            ModelError: The model fails.
        """
        found: list[Detections] = []
        for part in self.inference.of_tensor(tensor, placements) if placements else ():
            found += self._decode(part)
        return found

    def _decode(self, part: Part) -> list[Detections]:
        decoded = self.head.decode(part.outputs, self._settings, part.scales_xy)
        pairs = zip(decoded, part.placements, strict=True)
        return [self._to_source(found, placement) for found, placement in pairs]

    def _to_source(self, found: Detections, placement: Placement) -> Detections:
        return clip_detections(unplace_detections(found, placement), placement.source_wh, self.namespace)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = f": write {_ATTRIBUTES[name]}" if name in _ATTRIBUTES else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}", name=name, obj=self)

    def __repr__(self) -> str:
        session = self.inference.session
        width, height = self.spec.size_wh
        return (
            f"Detector({session.name!r}, head={self.head.name!r}, {width}x{height}, {len(self.labels)} classes, "
            f"{session.provider})"
        )


def clip_detections(found: Detections, size_wh: tuple[int, int], namespace: str = "") -> Detections:
    """Return what of objects lies within a picture: upright boxes end with it, and those beside it are left out.

    Args:
        found: Objects, in pixels of the picture.
        size_wh: Width and height of the picture in pixels.
        namespace: What the objects get.
    """
    limits = np.array([*size_wh, *size_wh], np.float32)
    turned = np.nan_to_num(found.xywha[:, ANGLE]) != 0
    corners = np.where(turned[:, None], found.xyxy, np.clip(found.xyxy, 0, limits))
    inside = np.clip(corners, 0, limits)
    rows = np.flatnonzero((inside[:, 2:] > inside[:, :2]).all(axis=1))
    upright = xyxy_to_xywha(corners).astype(np.float32)
    upright[:, ANGLE] = found.xywha[:, ANGLE]
    names = np.full(len(found), namespace, object)
    xywha = np.where(turned[:, None], found.xywha, upright)
    clipped = replace(found, xyxy=corners.astype(np.float32), xywha=xywha, namespaces=names)
    return clipped if len(rows) == len(found) else clipped.take(rows)


def class_names(labels: Labels | None, metadata: Mapping[str, str]) -> list[str]:
    """Return names of classes by their numbers: those that are given, else those of the model's metadata, or none.

    Raises:
        ModelError: A file cannot be read, or a mapping does not name each class from 0 on.
    """
    if labels is None:
        return labels_of_metadata(metadata) or []
    if isinstance(labels, str | os.PathLike):
        return read_labels(labels)
    if not isinstance(labels, Mapping):
        return [str(name) for name in labels]
    if set(labels) != set(range(len(labels))):
        raise ModelError(f"labels: expected a name for each class from 0 on, got {list(labels)}")
    return [labels[number] for number in range(len(labels))]


def input_size(session: Session, size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return width and height of a model's input: what is given, else what metadata says of a graph that is open."""
    if isinstance(size, int):
        return size, size
    if size is None and None in _sides(session.image_input):
        said = two_whole(session.metadata.get("imgsz", ""))
        return said and said[::-1]
    return size


def fields_of_input(head: str, session: Session, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of an ``InputSpec``: what is wanted, else what models of a head learned from.

    An input of ``uint8`` takes channels as they are.
    """
    fields = customary_input(head, session.metadata)._asdict()
    if session.image_input.dtype == "uint8":
        fields["normalization"] = Normalization((1.0, 1.0, 1.0), order=fields["normalization"].order)
    return fields | {key: value for key, value in wanted.items() if value is not None}


def _sides(info: TensorInfo) -> tuple[int | None, ...]:
    return info.shape[1:3] if info.shape[-1:] and info.shape[-1] in {1, 3} else info.shape[2:4]


def _selector(
    names: Sequence[str],
    classes: Sequence[str] | None,
    confidence: float,
    iou: float | None,
    max_objects: int | None,
    agnostic: bool,
) -> Selector:
    if isinstance(classes, str):
        classes = [classes]
    if classes is None:
        return Selector(class_names=names, confidence=confidence, iou=iou, max_objects=max_objects, agnostic=agnostic)
    unknown = sorted(set(classes) - set(names))
    if unknown:
        raise ModelError(f"classes: the model has no {unknown[0]!r}; it has {', '.join(names) or 'no labels'}")
    rules = [ObjectRule(number, name, confidence, iou) for number, name in enumerate(names) if name in classes]
    return Selector(rules, max_objects=max_objects, agnostic=agnostic)


def _one(picture: Any, pixel_format: str | None) -> list[SurfaceView]:
    surfaces = as_surfaces(picture, pixel_format)
    if len(surfaces) != 1:
        raise ShapeError(f"expected one picture, got {len(surfaces)}")
    return surfaces
