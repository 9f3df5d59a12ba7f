"""A head is recognised where that is certain, and else the refusal lists the choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from picasso.errors import ModelError
from picasso.infer import TensorInfo, extra_feeds, find_head, head_names
from picasso.infer.heads.finding import canonical

SIZE = (640, 640)


def outputs(**shapes: tuple[int | None, ...]) -> list[TensorInfo]:
    return [TensorInfo(name, "float32", shape) for name, shape in shapes.items()]


def task(name: str, **more: str) -> dict[str, str]:
    return {"task": name, "author": "Ultralytics", **more}


YUNET = {
    f"{part}_{stride}": (1, (640 // stride) ** 2, numbers)
    for part, numbers in {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}.items()
    for stride in (8, 16, 32)
}
PROTO = (1, 32, 160, 160)
RECOGNISED: dict[str, tuple[str, list[TensorInfo], dict[str, Any]]] = {
    "detect": ("yolov8", outputs(output0=(1, 84, 8400)), {"metadata": task("detect"), "classes": 80}),
    "detect, any batch and size": (
        "yolov8",
        outputs(output0=(None, 6, None)),
        {"metadata": task("detect"), "classes": 2, "input_wh": None},
    ),
    "detect without names": ("yolov8", outputs(output0=(1, 9, 8400)), {"metadata": task("detect")}),
    "segment": ("yolov8-seg", outputs(a=(1, 116, 8400), b=PROTO), {"metadata": task("segment"), "classes": 80}),
    "pose": ("yolov8-pose", outputs(a=(1, 56, 8400)), {"metadata": task("pose", kpt_shape="[17, 3]"), "classes": 1}),
    "obb": ("yolov8-obb", outputs(a=(1, 20, 21504)), {"metadata": task("obb"), "classes": 15}),
    "end to end": ("yolov10", outputs(a=(1, 300, 6)), {"metadata": task("detect"), "classes": 80}),
    "end to end, masks": (
        "yolov10-seg",
        outputs(a=(1, 300, 38), b=PROTO),
        {"metadata": task("segment"), "classes": 80},
    ),
    "end to end, points": (
        "yolov10-pose",
        outputs(a=(1, 300, 57)),
        {"metadata": task("pose", kpt_shape="[17, 3]"), "classes": 1},
    ),
    "end to end, rotated": ("yolov10-obb", outputs(a=(1, 300, 7)), {"metadata": task("obb"), "classes": 15}),
    "end to end of two classes": (
        "yolov10",
        outputs(a=(1, 300, 6)),
        {"metadata": task("detect", end2end="True"), "classes": 2},
    ),
    "suppression in the graph": (
        "yolov10",
        outputs(a=(1, 300, 6)),
        {"metadata": task("detect", args="{'batch': 1, 'nms': True}"), "classes": 2},
    ),
    "rt-detr": ("rtdetr", outputs(a=(1, 300, 84)), {"metadata": task("detect"), "classes": 80}),
    "rt-detr of two classes": (
        "rtdetr",
        outputs(a=(1, 300, 6)),
        {"metadata": task("detect", description="Ultralytics RT-DETR-l model"), "classes": 2},
    ),
    "coco by its numbers": ("yolov8", outputs(a=(1, 84, 8400)), {}),
    "coco of version 5": ("yolov5", outputs(a=(1, 25200, 85)), {}),
    "masks of version 5": ("yolov5-seg", outputs(a=(1, 25200, 117), b=PROTO), {}),
    "masks by their prototypes": ("yolov8-seg", outputs(a=(1, 39, 8400), b=PROTO), {}),
    "three classes": ("yolov8", outputs(a=(1, 7, 8400)), {"classes": 3}),
    "rows that lie the other way": ("yolov8", outputs(a=(1, 8400, 7)), {"classes": 3}),
    "three classes of version 5": ("yolov5", outputs(a=(1, 25200, 8)), {"classes": 3}),
    "another size": ("yolov8", outputs(a=(1, 84, 5040)), {"input_wh": (640, 384)}),
    "sizes are asked for": (
        "dfine",
        outputs(labels=(None, 300), boxes=(None, 300, 4), scores=(None, 300)),
        {
            "inputs": [
                TensorInfo("images", "float32", (1, 3, 640, 640)),
                TensorInfo("orig_target_sizes", "int64", (1, 2)),
            ]
        },
    ),
    "detr": ("detr", outputs(logits=(1, 300, 80), pred_boxes=(1, 300, 4)), {"classes": 80}),
    "detr with a class for none": (
        "detr-softmax",
        outputs(logits=(1, 100, 92), pred_boxes=(1, 100, 4)),
        {"classes": 91},
    ),
    "tensorflow": (
        "ssd-tensorflow",
        outputs(num_detections=(1,), detection_boxes=(1, 9, 4), detection_scores=(1, 9), detection_classes=(1, 9)),
        {},
    ),
    "scores and boxes": ("ssd-scores", outputs(scores=(1, 4420, 2), boxes=(1, 4420, 4)), {}),
    "faces": ("yunet", outputs(**YUNET), {}),
}


@pytest.mark.parametrize(("name", "given", "told"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_a_head_is_recognised_where_that_is_certain(name, given, told):
    assert find_head(given, **{"input_wh": SIZE, **told}).name == name


UNSURE: dict[str, tuple[list[TensorInfo], dict[str, Any], str]] = {
    "yolox or version 6": (outputs(a=(1, 8400, 85)), {}, "may be those of several heads: name one of yolox, yolox-dec"),
    "rows of six": (outputs(a=(1, 300, 6)), {}, "several heads: name one of rows, yolov10 in output.head"),
    "boxes in which pixels": (
        outputs(labels=(1, 9), boxes=(1, 9, 4), scores=(1, 9)),
        {},
        "name one of dfine, ssd in output.head",
    ),
    "logits of how many": (outputs(logits=(1, 9, 81), pred_boxes=(1, 9, 4)), {}, "name one of detr, detr-softmax"),
    "two classes, end to end or not": (
        outputs(a=(1, 300, 6)),
        {"metadata": task("detect"), "classes": 2},
        "name one of rtdetr, yolov10",
    ),
    "points or classes": (
        outputs(a=(1, 56, 8400)),
        {},
        r"the outputs \(a: float32 \(1, 56, 8400\)\) are not those of a head that is recognised: name one of detr, ",
    ),
    "three classes and an angle, or four classes": (
        outputs(a=(1, 8, 8400)),
        {"classes": 3},
        "may be those of several heads: name one of yolov8, yolov8-obb",
    ),
    "labels of another model": (
        outputs(a=(1, 84, 8400)),
        {"classes": 3},
        "not those of a head that is recognised, with 3 classes",
    ),
    "points that are said in words": (
        outputs(a=(1, 56, 8400)),
        {"metadata": task("pose", kpt_shape="['a', 3]"), "classes": 1},
        "not those of a head",
    ),
    "points of which one number is none": (
        outputs(a=(1, 56, 8400)),
        {"metadata": task("pose", kpt_shape="[None, 3]"), "classes": 1},
        "not those of a head",
    ),
    "a classifier that says so": (
        outputs(a=(1, 3)),
        {"metadata": {"task": "classify"}, "classes": 3},
        "are a classifier's, as its metadata says: it finds no objects",
    ),
    "labels of another task": (
        outputs(a=(1, 84, 8400)),
        {"metadata": task("detect"), "classes": 3},
        "not those of a head",
    ),
    "points of an unknown number": (
        outputs(a=(1, 56, 8400)),
        {"metadata": task("pose"), "classes": 1},
        "not those of a head",
    ),
    "a classifier": (outputs(a=(1, 1000)), {}, "or a converter in output.converter"),
    "nothing": ([], {}, r"the outputs \(none\)"),
    "metadata that is no shape": (
        outputs(a=(1, 56, 8400)),
        {"metadata": task("pose", kpt_shape="__import__('os')"), "classes": 1},
        "not those of a head",
    ),
}


@pytest.mark.parametrize(("given", "told", "words"), UNSURE.values(), ids=UNSURE.keys())
def test_what_is_not_certain_is_refused_with_the_choices(given, told, words):
    with pytest.raises(ModelError, match=words):
        find_head(given, **{"input_wh": SIZE, **told})


def test_a_name_that_is_none_lists_those_that_are():
    with pytest.raises(
        ModelError, match=f"output.head: there is no head 'yolo99'; there are {', '.join(head_names())}"
    ):
        find_head([], name="yolo99")


def test_a_named_head_must_read_the_outputs():
    with pytest.raises(ModelError, match="yolov5: rows of 8400 numbers"):
        find_head(outputs(a=(1, 84, 8400)), name="yolov5", classes=80, input_wh=SIZE)


ALSO = {
    "YOLOv9": "yolov8",
    "yolo11n-seg": "yolov8-seg",
    "yolov12x": "yolov8",
    "yolo11_pose": "yolov8-pose",
    "yolov7": "yolov5",
    "yolov6": "yolox-decoded",
    "yolo26-obb": "yolov10-obb",
    "D-FINE": "dfine",
    "RT-DETR": "rtdetr",
    "yolo99": "yolo99",
}


@pytest.mark.parametrize(("name", "head"), ALSO.items())
def test_heads_go_by_the_names_of_models(name, head):
    assert canonical(name) == head


def test_a_graph_that_asks_for_sizes_gets_those_of_its_input():
    inputs = [TensorInfo("images", "float32", (None, 3, 480, 640)), TensorInfo("orig_target_sizes", "int64", (None, 2))]
    feeds = extra_feeds(inputs, (640, 480), 3)
    assert list(feeds) == ["orig_target_sizes"]
    assert feeds["orig_target_sizes"].dtype == np.int64
    assert feeds["orig_target_sizes"].tolist() == [[640, 480]] * 3
    assert extra_feeds(inputs[:1], (640, 480), 3) == {}


@pytest.mark.parametrize(
    "shapes",
    [
        {"loc": (1, 8732, 4), "conf": (1, 8732, 21)},
        {"bbox_regression": (None, 120087, 4), "cls_logits": (None, 120087, 91)},
        {"raw_outputs/box_encodings": (1, 1917, 1, 4), "raw_outputs/class_predictions": (1, 1917, 91)},
        {"loc": (1, 16800, 4), "conf": (1, 16800, 2), "landms": (1, 16800, 10)},
    ],
    ids=["SSD", "RetinaNet", "TensorFlow", "RetinaFace"],
)
def test_a_graph_without_its_anchors_is_refused_and_told_what_to_do(shapes: dict[str, tuple[int | None, ...]]) -> None:
    outputs = [TensorInfo(name, "float32", shape) for name, shape in shapes.items()]
    with pytest.raises(
        ModelError, match=r"offsets from anchors; .*export the model with its decoding, or .* converter"
    ):
        find_head(outputs, input_wh=(300, 300))
