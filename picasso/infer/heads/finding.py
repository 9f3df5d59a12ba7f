"""Which head reads a model: the one that was named, or the only one whose outputs these are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError
from picasso.infer.heads.candidates import cells
from picasso.infer.heads.faces import PARTS, YuNet
from picasso.infer.heads.faces import STRIDES as FACE_STRIDES
from picasso.infer.heads.protocol import HeadSettings, ObjectHead
from picasso.infer.heads.sets import (
    NO_ANCHORS,
    TARGET_SIZES,
    Detr,
    DFine,
    EndToEnd,
    Rows,
    RtDetr,
    Ssd,
    SsdScores,
    SsdTensorFlow,
)
from picasso.infer.heads.yolo import STRIDES, SUFFIXES, Task, Yolo, YoloV5, YoloV8, YoloV10, YoloX, YoloXDecoded
from picasso.infer.metadata import two_whole
from picasso.infer.session import TensorInfo

Shape = tuple[int | None, ...]

_COCO: Final = 80
"""Classes that a model is taken to have where its rows have as many numbers as models of COCO."""


@dataclass(frozen=True, slots=True)
class Graph:
    """What is known of a model."""

    outputs: tuple[TensorInfo, ...]
    metadata: Mapping[str, str]
    input_wh: tuple[int, int] | None
    classes: int | None
    inputs: tuple[TensorInfo, ...] = ()

    def shapes(self, rank: int) -> list[Shape]:
        """Return the shapes of the outputs of ``rank`` axes."""
        return [info.shape for info in self.outputs if len(info.shape) == rank]

    @property
    def names(self) -> set[str]:
        """Names of the outputs."""
        return {info.name for info in self.outputs}

    @property
    def keypoints(self) -> tuple[int, int] | None:
        """Points of an object and numbers of each, as the metadata says."""
        return two_whole(self.metadata.get("kpt_shape", ""))


def find_head(
    outputs: Iterable[TensorInfo],
    *,
    name: str | None = None,
    metadata: Mapping[str, str] | None = None,
    input_wh: tuple[int, int] | None = None,
    classes: int | None = None,
    keypoints: tuple[int, int] | None = None,
    inputs: Iterable[TensorInfo] = (),
) -> ObjectHead:
    """Return the head that reads a detector's outputs.

    Args:
        outputs: What the graph gives, as ``Session.outputs`` says.
        name: Name of the head, one of ``head_names()``; None to recognise it.
        metadata: What the model's maker wrote into the file, as ``Session.metadata`` says.
        input_wh: Width and height of the model's input in pixels, where it is known.
        classes: How many classes the model has, where it is known: another number of scores is an error.
        keypoints: Points of an object and numbers of each, 2 or 3, for a head of keypoints; by default what the
            metadata says.
        inputs: What the graph takes, as ``Session.inputs`` says: one that asks for the size of pictures tells heads
            apart.

    Raises:
        ModelError: There is no head of that name, or the outputs are not those of exactly one head, or not of the named
            one; the message lists the choices.

    >>> outputs = [TensorInfo("output0", "float32", (1, 84, 8400))]
    >>> find_head(outputs, input_wh=(640, 640), classes=80).name
    'yolov8'
    """
    graph = Graph(tuple(outputs), metadata or {}, input_wh, classes, tuple(inputs))
    if name is not None:
        builder = _BUILDERS.get(canonical(name))
        if builder is None:
            raise ModelError(f"output.head: there is no head {name!r}; there are {', '.join(head_names())}")
        return _tried(builder(graph, keypoints or graph.keypoints), graph)
    found = sorted({canonical(one) for one in _recognised(graph)})
    if len(found) == 1:
        return _tried(_BUILDERS[found[0]](graph, keypoints or graph.keypoints), graph)
    given = "; ".join(map(str, graph.outputs)) or "none"
    if not found and _may_have_anchors(graph):
        raise ModelError(f"the outputs ({given}) look like scores and offsets from anchors; {NO_ANCHORS}")
    advice = f"name one of {', '.join(found or head_names())} in output.head, or a converter in output.converter"
    if found:
        raise ModelError(f"the outputs ({given}) may be those of several heads: {advice}")
    if graph.metadata.get("task") == "classify":
        raise ModelError(f"the outputs ({given}) are a classifier's, as its metadata says: it finds no objects")
    of = "" if classes is None else f", with {classes} classes"
    raise ModelError(f"the outputs ({given}) are not those of a head that is recognised{of}: {advice}")


def head_names() -> list[str]:
    """Return the names of heads of detectors."""
    return sorted(_BUILDERS)


def canonical(name: str) -> str:
    """Return the name of the head that reads models of this name, such as ``yolov8-seg`` for ``yolo11-seg``.

    A name that is not known comes back as it is, in lower case.
    """
    text = name.strip().lower().replace("_", "-")
    match = re.fullmatch(r"yolov?-?(\d+)[nsmlx]?(-seg|-pose|-obb)?", text)
    if match:
        version, suffix = int(match[1]), match[2] or ""
        kin = {5: "yolov5", 6: "yolox-decoded", 7: "yolov5", 10: "yolov10", 26: "yolov10"}
        text = kin.get(version, "yolov8" if version in {8, 9, 11, 12, 13} else text) + suffix
    return _ALIASES.get(text, text)


def extra_feeds(inputs: Iterable[TensorInfo], input_wh: tuple[int, int], count: int) -> dict[str, NDArray[Any]]:
    """Return what a graph wants beside pictures: in which pixels boxes are wanted, which are those of its input.

    Args:
        inputs: What the graph takes, as ``Session.inputs`` says.
        input_wh: Width and height of its pictures in pixels.
        count: How many pictures a call has.

    Returns:
        By name a tensor of shape ``(N, 2)``, N = ``count``, for each such input;
        RT-DETR and D-FINE have ``orig_target_sizes``.
    """
    wanted = [info for info in inputs if info.name == TARGET_SIZES]
    return {info.name: np.tile(np.array(input_wh, info.dtype), (count, 1)) for info in wanted}


def _recognised(graph: Graph) -> list[str]:
    """Return the heads whose outputs these may be."""
    by_name = _by_names(graph)
    if by_name:
        return by_name
    task = graph.metadata.get("task")
    if task in _TASKS:
        return _of_ultralytics(graph, _TASKS[task])
    return _by_shape(graph)


def _by_names(graph: Graph) -> list[str]:
    """Return the heads whose outputs have these names."""
    names = graph.names
    if {f"{part}_{stride}" for part in PARTS for stride in FACE_STRIDES} <= names:
        return ["yunet"]
    if {"detection_boxes", "detection_classes", "detection_scores"} <= names:
        return ["ssd-tensorflow"]
    if {"logits", "pred_boxes"} <= names:
        return _of_transformers(graph)
    if names in ({"labels", "boxes", "scores"}, {"labels", "bboxes", "scores"}):
        return ["dfine"] if _asks_for_sizes(graph.inputs) else ["dfine", "ssd"]
    if names == {"boxes", "scores"} and len(graph.shapes(3)) == 2:
        return ["ssd-scores"]
    return []


def _of_transformers(graph: Graph) -> list[str]:
    """Return the head of a DETR: what it does to scores shows in how many there are."""
    scores = next(info.shape[-1] for info in graph.outputs if info.name == "logits")
    if graph.classes is None or scores is None:
        return ["detr", "detr-softmax"]
    return {graph.classes: ["detr"], graph.classes + 1: ["detr-softmax"]}.get(scores, [])


def _may_have_anchors(graph: Graph) -> bool:
    """Whether there are four numbers and some scores for each of as many places, as SSD and RetinaNet have them."""
    boxes = [shape for info in graph.outputs if (shape := _without_ones(info.shape))[-1:] == (4,) and len(shape) >= 2]
    return len(graph.outputs) > 1 and any(
        info.shape[-1:] != (4,) and (shape := _without_ones(info.shape))[:-1] == box[:-1] and len(shape) == len(box)
        for info in graph.outputs
        for box in boxes
    )


def _without_ones(shape: Shape) -> Shape:
    """Return a shape without its batch and without axes of one entry, ``(1917, 4)`` of ``(1, 1917, 1, 4)``."""
    return tuple(side for side in shape[1:] if side != 1)


def _asks_for_sizes(inputs: Iterable[TensorInfo]) -> bool:
    return any(info.name == TARGET_SIZES for info in inputs)


_TASKS: Final[dict[str, Task]] = {"detect": "boxes", "segment": "masks", "pose": "keypoints", "obb": "rotated"}
"""What Ultralytics calls the tasks of its models."""


def _of_ultralytics(graph: Graph, task: Task) -> list[str]:
    """Return the head of a model whose metadata names its task."""
    suffix = f"-{SUFFIXES[task]}" if task in SUFFIXES else ""
    extras = _extras(graph, task)
    shapes = graph.shapes(3)
    if len(shapes) != 1 or extras is None:
        return []
    _, across, along = shapes[0]
    found = set()
    if graph.classes is None:
        if along == 6 + extras and across != along:
            found.add(f"yolov10{suffix}")
        elif across is not None and across > 4 + extras and (along is None or along > across):
            found.add(f"yolov8{suffix}")
        return sorted(found)
    numbers = 4 + graph.classes + extras
    if across == numbers:
        found.add(f"yolov8{suffix}")
    if along == 6 + extras:
        found.add(f"yolov10{suffix}")
    if along == numbers and task == "boxes":
        found.add("rtdetr")
    return sorted(_narrowed(found, graph, suffix))


def _narrowed(found: set[str], graph: Graph, suffix: str) -> set[str]:
    """Leave one where the metadata says whether the graph suppresses."""
    if len(found) < 2:
        return found
    if "detr" in graph.metadata.get("description", "").lower().replace("-", ""):
        return found & {"rtdetr"} or found
    if _is_true(graph.metadata.get("end2end")) or re.search(r"'nms': True", graph.metadata.get("args", "")):
        return found & {f"yolov10{suffix}"} or found
    return found


def _is_true(text: str | None) -> bool:
    return text is not None and text.strip().lower() == "true"


def _extras(graph: Graph, task: Task) -> int | None:
    """Return how many numbers of a row are neither box nor score; None where that is not known."""
    if task == "masks":
        prototypes = graph.shapes(4)
        return prototypes[0][1] if len(prototypes) == 1 else None
    if task == "keypoints":
        return graph.keypoints[0] * graph.keypoints[1] if graph.keypoints else None
    return int(task == "rotated")


def _by_shape(graph: Graph) -> list[str]:
    """Return the heads of models that say nothing of themselves; the number of cells must fit the input."""
    shapes, prototypes = graph.shapes(3), graph.shapes(4)
    if len(shapes) != 1 or len(prototypes) > 1 or len(graph.outputs) != 1 + len(prototypes):
        return []
    _, across, along = shapes[0]
    suffix, extras = ("-seg", prototypes[0][1]) if prototypes else ("", 0)
    if extras is None:
        return []
    count = len(cells(graph.input_wh, STRIDES)[0]) if graph.input_wh else None
    found = []
    if along in {count, None} and _fits(graph, across, 4 + extras):
        found.append(f"yolov8{suffix}")
    if count is not None and _fits(graph, along, 5 + extras):
        if across == 3 * count:
            found.append(f"yolov5{suffix}")
        elif across == count and not suffix:
            found += ["yolox", "yolox-decoded"]
    if suffix:
        return found
    if graph.classes is not None and along in {count, None} and across == 5 + graph.classes:
        found += ["yolov8", "yolov8-obb"]  # or there is a class without a label
    if across == count is not None and _fits(graph, along, 4):
        found.append("yolov8")
    if along in {6, 7} and across != count:
        found += ["rows", "yolov10"] if along == 6 else ["rows", "yolov10-obb"]
    return found


def _fits(graph: Graph, numbers: int | None, others: int) -> bool:
    """Say whether rows of ``numbers``, of which ``others`` are no scores, have a score for each class of the model."""
    if numbers is None:
        return False
    if graph.classes is None:
        return numbers - others == _COCO or (bool(graph.shapes(4)) and numbers > others)
    return numbers - others == graph.classes


def _tried(head: ObjectHead, graph: Graph) -> ObjectHead:
    """Return a head that reads outputs of the graph's shapes, as far as they are fixed: zeros show it."""
    known = all(None not in info.shape[1:] for info in graph.outputs)
    if known and graph.input_wh is not None:
        zeros = {
            info.name: np.zeros([side if side is not None else 1 for side in info.shape], np.float32)
            for info in graph.outputs
        }
        head.decode(zeros, HeadSettings(graph.input_wh))
    return head


Builder = Callable[[Graph, tuple[int, int] | None], ObjectHead]


def _yolo(kind: type[Yolo], task: Task) -> Builder:
    return lambda graph, keypoints: kind(task, graph.classes, keypoints)


_BUILDERS: Final[dict[str, Builder]] = {
    "yolox": _yolo(YoloX, "boxes"),
    "yolox-decoded": _yolo(YoloXDecoded, "boxes"),
    "yolov5": _yolo(YoloV5, "boxes"),
    "yolov5-seg": _yolo(YoloV5, "masks"),
    "yolov8": _yolo(YoloV8, "boxes"),
    "yolov10": _yolo(YoloV10, "boxes"),
    **{f"yolov8-{suffix}": _yolo(YoloV8, task) for task, suffix in SUFFIXES.items()},
    **{f"yolov10-{suffix}": _yolo(YoloV10, task) for task, suffix in SUFFIXES.items()},
    "yolov7-end2end": lambda _graph, _keypoints: EndToEnd(),
    "rtdetr": lambda graph, _keypoints: RtDetr(graph.classes),
    "detr": lambda graph, _keypoints: Detr(classes=graph.classes),
    "detr-softmax": lambda graph, _keypoints: Detr(softmax=True, classes=graph.classes),
    "dfine": lambda _graph, _keypoints: DFine(),
    "ssd": lambda _graph, _keypoints: Ssd(),
    "ssd-tensorflow": lambda _graph, _keypoints: SsdTensorFlow(),
    "ssd-scores": lambda _graph, _keypoints: SsdScores(),
    "yunet": lambda _graph, _keypoints: YuNet(),
    "rows": lambda _graph, _keypoints: Rows(),
}

_ALIASES: Final = {"d-fine": "dfine", "rt-detr": "rtdetr", "deim": "dfine", "yolov7-e2e": "yolov7-end2end"}
