"""What models expect of their pictures where nothing is said."""

from __future__ import annotations

import pytest

from picasso.infer.customs import customary_input
from picasso.transform import Padding

RED = 200
EXPECTED = {
    "yolov8": (RED / 255, "rgb", Padding.SYMMETRIC, 114),
    "yolov10-pose": (RED / 255, "rgb", Padding.SYMMETRIC, 114),
    "yolov7-end2end": (RED / 255, "rgb", Padding.SYMMETRIC, 114),
    "yolox": (RED, "bgr", Padding.RIGHT_BOTTOM, 114),
    "yolox-decoded": (RED, "bgr", Padding.RIGHT_BOTTOM, 114),
    "rtdetr": (RED / 255, "rgb", Padding.NONE, 0),
    "dfine": (RED / 255, "rgb", Padding.NONE, 0),
    "detr": (RED / 255, "rgb", Padding.NONE, 0),
    "detr-softmax": ((RED / 255 - 0.485) / 0.229, "rgb", Padding.NONE, 0),
    "classifier": ((RED / 255 - 0.485) / 0.229, "rgb", Padding.NONE, 0),
    "yunet": (RED, "bgr", Padding.RIGHT_BOTTOM, 0),
}


@pytest.mark.parametrize("head", EXPECTED)
def test_a_head_has_the_input_that_its_models_learned_from(head: str):
    made = customary_input(head)
    first = RED * made.normalization.scale[0] + made.normalization.bias[0]
    value, order, padding, pad = EXPECTED[head]
    assert first == pytest.approx(value)
    assert (made.normalization.order, made.padding, made.pad) == (order, padding, pad)


def test_classifiers_of_ultralytics_take_channels_of_zero_to_one():
    assert customary_input("classifier", {"task": "classify"}).normalization.scale[0] == pytest.approx(1 / 255)
