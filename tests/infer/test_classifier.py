"""Classifiers: labels of pictures, and of parts of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphs import colours

import picasso as pc
from picasso.errors import ModelError
from picasso.transform import Normalization

NAMES = ("red", "green", "blue")
RAW = Normalization()


@pytest.fixture(scope="module")
def classify() -> pc.Classifier:
    return pc.Classifier(colours(), labels=NAMES, normalization=RAW, threads=1)


def plain(color: tuple[int, int, int], size_wh: tuple[int, int] = (20, 10)) -> np.ndarray[Any, Any]:
    return np.full((size_wh[1], size_wh[0], 3), color, np.uint8)


def test_a_picture_has_the_label_of_the_largest_score(classify: pc.Classifier) -> None:
    (label,) = classify(plain((10, 250, 20)))
    scores = np.exp(8 * np.array([10, 250, 20]) / 255)
    assert (label.name, label.value, label.class_id) == ("color", "green", 1)
    assert label.confidence == pytest.approx(scores[1] / scores.sum(), rel=1e-5)


def test_many_pictures_are_one_batch(classify: pc.Classifier) -> None:
    pictures = [plain((255, 0, 0)), plain((0, 0, 255), (7, 31))]
    assert [[label.value for label in one] for one in classify(pictures)] == [["red"], ["blue"]]
    assert classify([]) == []


def test_boxes_of_a_picture_are_labelled_each(classify: pc.Classifier) -> None:
    picture = plain((0, 0, 255), (64, 32))
    picture[8:24, 10:30] = (255, 0, 0)
    said = classify.in_boxes(picture, [(10, 8, 30, 24), (40, 0, 64, 32), (70, 0, 80, 10)])
    assert [[label.value for label in one] for one in said] == [["red"], ["blue"], []]


def test_a_picture_is_normalised_as_imagenet_unless_said_otherwise() -> None:
    said = pc.Classifier(colours(), threads=1)
    np.testing.assert_allclose(said.spec.normalization.scale[0], 1 / 255 / 0.229)
    ours = pc.Classifier(colours(metadata={"task": "classify"}), threads=1)
    np.testing.assert_allclose(ours.spec.normalization.scale[0], 1 / 255)


def test_labels_below_the_threshold_are_not_said() -> None:
    sure = pc.Classifier(colours(), labels=NAMES, normalization=RAW, threshold=0.9, threads=1)
    assert [[label.value for label in one] for one in sure([plain((255, 0, 0)), plain((128, 128, 128))])] == [
        ["red"],
        [],
    ]


def test_a_graph_of_open_size_takes_the_size_that_is_given() -> None:
    open_size = pc.Classifier(colours("batch", ("width", "height")), size=16, normalization=RAW, threads=1)
    assert open_size.spec.size_wh == (16, 16)
    assert open_size(plain((0, 255, 0)))[0].value == "1"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pc.Classifier(colours("batch", ("width", "height"))), "the graph leaves the height open; say size_wh"),
        (lambda: pc.Classifier(colours(), labels=["a"], threads=1)(plain((1, 2, 3))), "the output has 3 classes"),
        (lambda: pc.Classifier(colours(), threshold=3.0), "threshold: expected 0 to 1"),
    ],
)
def test_what_a_classifier_refuses(call: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        call()
    assert message in str(caught.value)
