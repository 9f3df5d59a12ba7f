"""Detections go to other libraries and files and come back the same."""

from __future__ import annotations

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from test_detection_rows import WH, detections, same

from picasso.errors import MetadataError
from picasso.primitives import Detections, Masks
from picasso.primitives.nms import corners_of

LABELS = ("car", "bus", "person")
FEW = settings(max_examples=30)


@st.composite
def classified(draw, min_size: int = 0, turned: bool | None = None, shapes: bool | None = None) -> Detections:
    """Rows whose labels are those of their classes; some of them lie askew, some are tracked."""
    found = draw(detections(min_size=min_size, shapes=shapes, whole=True))
    askew = draw(st.booleans()) if turned is None else turned
    given = {"xywha": found.xywha.copy()} if askew else {"xyxy": found.xyxy}
    if askew:
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        given["xywha"][:, 4] = random.uniform(1, 89, len(found))
    return Detections.of(
        **given,
        labels=[LABELS[number] for number in found.class_ids],
        class_ids=found.class_ids,
        confidences=found.confidences,
        track_ids=found.track_ids,
        namespace="yolo",
        masks=found.masks,
        keypoints=found.keypoints,
        polygons=found.polygons,
        data=found.data,
    )


def without(found: Detections, *names: str) -> Detections:
    """What is left where a form cannot say all."""
    count = len(found)
    defaults = {
        "ids": np.full(count, -1),
        "track_ids": np.full(count, -1),
        "class_ids": np.full(count, -1),
        "namespaces": np.full(count, "", object),
        "masks": None,
        "keypoints": None,
        "polygons": None,
        "data": {},
        "confidences": np.full(count, np.nan, np.float32),
    }
    return dataclasses.replace(found, **{name: defaults[name] for name in names})


@FEW
@given(classified())
def test_supervision_holds_all(found):
    supervision = pytest.importorskip("supervision")
    there = found.to_supervision()
    assert isinstance(there, supervision.Detections)
    assert_array_equal(there.xyxy, found.xyxy)
    assert there.data["class_name"].tolist() == found.labels.tolist()
    if found.masks is not None:
        assert_array_equal(there.mask, found.masks.to_dense())
    same(Detections.from_supervision(there), found)


def test_supervision_has_the_same_corners_of_a_rotated_box():
    pytest.importorskip("supervision")
    found = Detections.of(xywha=[[20, 10, 8, 4, 90]], labels="ship", class_ids=[3])
    assert_allclose(found.to_supervision().data["xyxyxyxy"], [[[22, 6], [22, 14], [18, 14], [18, 6]]], atol=1e-5)


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("angle", [-30, 0, 20, 90, 135])
def test_boxes_that_supervision_has_as_corners_stay_rotated(angle, step, first):
    supervision = pytest.importorskip("supervision")
    corners = corners_of(np.array([[20, 10, 8, 4, angle], [50, 60, 30, 10, angle]]))
    given = np.roll(corners[:, ::step], first, axis=1)
    ltrb = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    made = supervision.Detections(xyxy=ltrb, class_id=np.array([3, 4]), data={"xyxyxyxy": given.astype(np.float32)})
    found = Detections.from_supervision(made)
    for before, after in zip(corners, corners_of(found.xywha), strict=True):
        assert_allclose(sorted(after.tolist()), sorted(before.tolist()), atol=1e-4)
    assert_allclose(found.xyxy, ltrb, atol=1e-4)


def test_labels_without_classes_are_numbered_for_supervision():
    pytest.importorskip("supervision")
    there = Detections.of([[0, 0, 1, 1]] * 3, ["cat", "ant", "cat"]).to_supervision()
    assert there.class_id.tolist() == [1, 0, 1]
    assert (there.confidence, there.tracker_id) == (None, None)


def test_what_supervision_made_is_read():
    supervision = pytest.importorskip("supervision")
    made = supervision.Detections(xyxy=np.array([[1, 2, 3, 4.0]]), class_id=np.array([7]))
    found = Detections.from_supervision(made)
    assert (found.class_ids.tolist(), found.labels.tolist(), found.track_ids.tolist()) == ([7], ["7"], [-1])
    assert math.isnan(found.confidences[0])
    assert len(Detections.from_supervision(supervision.Detections.empty())) == 0


@FEW
@given(classified(min_size=1), st.sampled_from(["pandas", "polars", "arrow"]))
def test_tables_hold_all(found, library):
    pytest.importorskip("pyarrow" if library == "arrow" else library)
    table = getattr(found, f"to_{library}")()
    assert len(table) == len(found)
    same(getattr(Detections, f"from_{library}")(table), found)


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow"])
def test_an_empty_table_is_no_detections(library):
    pytest.importorskip("pyarrow" if library == "arrow" else library)
    table = getattr(Detections.empty(), f"to_{library}")()
    assert len(table) == 0
    same(getattr(Detections, f"from_{library}")(table), Detections.empty())


def test_a_number_that_a_table_lacks_is_none():
    pd = pytest.importorskip("pandas")
    box = {"x0": [0.0, 1.0], "y0": [0.0, 1.0], "x1": [2.0, 3.0], "y1": [2.0, 3.0]}
    found = Detections.from_pandas(pd.DataFrame({**box, "track_id": [4, None], "confidence": [None, 0.5]}))
    assert found.track_ids.tolist() == [4, -1]
    assert math.isnan(found.confidences[0])
    assert found.confidences[1] == 0.5


def test_a_table_of_boxes_alone_is_enough():
    found = Detections.from_columns({"x0": [1], "y0": [2], "x1": [3], "y1": [5], "speed": [9.5]})
    assert (found.xyxy.tolist(), found["speed"].tolist(), found.labels.tolist()) == ([[1, 2, 3, 5]], [9.5], [""])
    found = Detections.from_columns(
        {"xc": [4], "yc": [4], "width": [2], "height": [4], "angle": [None], "label": ["a"]}
    )
    assert found.xyxy.tolist() == [[3, 2, 5, 6]]


@FEW
@given(st.lists(classified(), min_size=1, max_size=3))
def test_coco_holds_all_but_data(pictures):
    from picasso.primitives.conversions.coco import coco_document

    images = [{"id": number, "file_name": f"{number}.png", "width": WH[0], "height": WH[1]} for number in range(1, 4)]
    document = json.loads(json.dumps(coco_document(zip(images, pictures, strict=False))))
    back = Detections.from_coco(document)
    assert list(back) == list(range(1, len(pictures) + 1))
    names = {one["id"]: one["name"] for one in document["categories"]}
    assert all(names[number] == LABELS[number] for number in names)
    for found, original in zip(back.values(), pictures, strict=True):
        expected = without(original, "data", *([] if len(original) else ["masks", "keypoints", "polygons"]))
        if expected.is_rotated:
            assert_allclose(found.xyxy, expected.xyxy, atol=1e-3)
            expected = dataclasses.replace(expected, xyxy=found.xyxy)
        same(found, expected)
    assert [one["id"] for one in document["annotations"]] == list(range(1, sum(map(len, pictures)) + 1))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the tool's own
@FEW
@given(classified(min_size=1, turned=False, shapes=True))
def test_cocos_own_tool_reads_what_is_written(found):
    coco = pytest.importorskip("pycocotools.coco")
    tool = coco.COCO()
    tool.dataset = found.to_coco(5, file_name="a.png")
    tool.createIndex()
    for one in tool.loadAnns(tool.getAnnIds(imgIds=[5])):
        row = one["id"] - 1
        assert_array_equal(tool.annToMask(one), found.masks[row])
        assert one["area"] == found.area[row]
        assert tool.loadCats(one["category_id"])[0]["name"] == found.labels[row]
    assert tool.loadImgs([5])[0] == {"id": 5, "file_name": "a.png", "width": WH[0], "height": WH[1]}


def test_a_list_of_cocos_results_is_read(tmp_path):
    results = [{"image_id": 3, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}]
    assert Detections.from_coco(results)[3].xyxy.tolist() == [[1, 2, 4, 6]]
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results))
    assert Detections.from_coco(file)[3].labels.tolist() == ["2"]


def test_labels_without_classes_get_numbers_that_are_free():
    one = Detections.of([[0, 0, 1, 1]] * 3, ["a", "b", "a"], class_ids=[-1, 0, -1])
    document = one.to_coco()
    names = {row["id"]: row["name"] for row in document["categories"]}
    assert [names[row["category_id"]] for row in document["annotations"]] == ["a", "b", "a"]
    assert sorted(names.values()) == ["a", "b"]


class Tensor:
    """A tensor on a GPU, as far as its reader knows: it becomes an array by detach, cpu and numpy."""

    def __init__(self, array):
        self._array = np.asarray(array)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self._array


@FEW
@given(classified())
def test_results_of_ultralytics_come_back(found):
    result = found.to_ultralytics(WH)
    back = Detections.from_ultralytics(result)
    expected = without(found, "polygons", "namespaces", "data")
    if not len(found):
        expected = without(expected, "keypoints")
    if expected.is_rotated:
        assert_allclose(back.xywha, expected.xywha, rtol=1e-5)
        expected = dataclasses.replace(expected, xywha=back.xywha, xyxy=back.xyxy)
    same(back, expected)


def test_masks_of_the_models_input_are_read_by_their_outlines():
    """As ultralytics has them: a small picture of masks, and outlines in pixels of the picture."""
    outline = np.array([[10, 5], [30, 5], [30, 25], [10, 25]], np.float32)
    result = SimpleNamespace(
        boxes=SimpleNamespace(xyxy=Tensor([[10, 5, 30, 25.0]]), conf=Tensor([0.5]), cls=Tensor([1.0]), id=None),
        masks=SimpleNamespace(data=Tensor(np.ones((1, 8, 8))), xy=[outline]),
        keypoints=None,
        obb=None,
        names={0: "car", 1: "bus"},
        orig_shape=(40, 60),
    )
    found = Detections.from_ultralytics(result)
    assert (found.labels.tolist(), found.masks.size_wh, found.masks.areas.tolist()) == (["bus"], (60, 40), [400])
    assert found.masks.xyxy.tolist() == [[10, 5, 30, 25]]


@FEW
@given(classified(turned=False))
def test_dictionaries_of_torchvision_come_back(found):
    given_dict = found.to_torchvision(Tensor)
    back = Detections.from_torchvision(given_dict, LABELS)
    same(back, without(found, "polygons", "namespaces", "data", "track_ids"))
    assert found.to_torchvision()["boxes"].tolist() == found.xyxy.tolist()


@FEW
@given(classified(turned=False))
def test_lists_of_norfair_come_back(found):
    rows = found.to_norfair()
    assert all(one.points.shape == (2, 2) and one.scores.shape == (2,) for one in rows)
    back = Detections.from_norfair(rows)
    same(back, without(found, "polygons", "namespaces", "data", "track_ids", "masks", "keypoints"))


def test_objects_that_norfair_tracks_have_their_estimate_and_their_id():
    last = SimpleNamespace(
        points=np.array([[0, 0], [4, 4]]), scores=np.array([0.5, 0.75]), data={"class_id": 2}, label="a"
    )
    tracked = SimpleNamespace(estimate=np.array([[1, 2], [5, 6.0]]), id=7, label="a", last_detection=last)
    found = Detections.from_norfair([tracked])
    assert found.xyxy.tolist() == [[1, 2, 5, 6]]
    assert (found.track_ids.tolist(), found.class_ids.tolist(), found.confidences.tolist()) == ([7], [2], [0.5])
    centre = SimpleNamespace(points=np.array([[3, 4]]), scores=None, label=None, data=None)
    assert Detections.from_norfair([centre]).xyxy.tolist() == [[3, 4, 3, 4]]
    assert len(Detections.from_norfair([])) == 0


@FEW
@given(classified(turned=False), st.booleans())
def test_label_files_of_boxes_come_back(found, confidences):
    text = found.to_yolo(WH, confidences=confidences)
    back = Detections.from_yolo(text, WH, names=LABELS)
    assert_allclose(back.xywha[:, :4], found.xywha[:, :4], rtol=1e-6)
    assert back.labels.tolist() == found.labels.tolist()
    assert_array_equal(
        back.confidences, found.confidences if confidences else without(found, "confidences").confidences
    )


@FEW
@given(classified(turned=True, min_size=1))
def test_label_files_of_rotated_boxes_come_back(found):
    back = Detections.from_yolo(found.to_yolo(WH), WH, "rotated", names=LABELS)
    assert_allclose(back.xywha, found.xywha, rtol=1e-4, atol=1e-4)


@FEW
@given(classified(turned=False, shapes=True, min_size=1), st.booleans())
def test_label_files_of_points_come_back(found, confidences):
    text = found.to_yolo(WH, "keypoints", confidences=confidences)
    back = Detections.from_yolo(text, WH, "keypoints", names=LABELS)
    assert_allclose(back.keypoints[..., :2], found.keypoints[..., :2], rtol=1e-5)
    assert_array_equal(back.keypoints[..., 2], found.keypoints[..., 2] > 0)
    assert_array_equal(back.class_ids, found.class_ids)


@FEW
@given(st.lists(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 40)), min_size=3, max_size=6), max_size=4))
def test_label_files_of_polygons_come_back(rings):
    found = Detections.of(
        np.zeros((len(rings), 4)), class_ids=np.zeros(len(rings)), polygons=[[ring] for ring in rings]
    )
    back = Detections.from_yolo(found.to_yolo(WH, "polygons"), WH, "polygons", names=LABELS)
    for (one,), (other,) in zip(back.polygons, found.polygons, strict=True):
        assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_masks_become_the_outline_of_their_largest_part():
    dense = np.zeros((1, 40, 60), bool)
    dense[0, 5:9, 5:15] = dense[0, 30, 30] = True
    found = Detections.of([[5, 5, 15, 9]], class_ids=[2], masks=dense)
    back = Detections.from_yolo(found.to_yolo(WH, "polygons"), WH, "polygons")
    assert Masks.from_polygons(back.polygons, WH).areas.tolist() == [40]
    assert_allclose(back.xyxy, [[5, 5, 15, 9]], rtol=1e-6)


@FEW
@given(st.lists(classified(min_size=1, turned=False), max_size=3))
def test_lines_of_mot_come_back(pictures):
    text = "".join(found.to_mot(number) for number, found in enumerate(pictures, 1))
    back = Detections.from_mot(text, LABELS)
    assert list(back) == list(range(1, len(pictures) + 1))
    for found, original in zip(back.values(), pictures, strict=True):
        same(found, without(original, "namespaces", "data", "masks", "keypoints", "polygons"))


def test_lines_of_mot_with_six_numbers_are_read():
    found = Detections.from_mot("2,7,10,20,5,6\n\n")[2]
    assert found.xyxy.tolist() == [[10, 20, 15, 26]]
    assert (found.track_ids.tolist(), found.labels.tolist(), found.confidences.tolist()) == ([7], [""], [1])


BAD = {
    "coco of nothing": (lambda: Detections.from_coco({}), "expected 'annotations'"),
    "coco of a number": (lambda: Detections.from_coco(5), "expected 'annotations'"),
    "an annotation nowhere": (lambda: Detections.from_coco([{"bbox": [0, 0, 1, 1]}]), "without 'image_id'"),
    "an annotation without a box": (
        lambda: Detections.from_coco([{"image_id": 1, "category_id": 1}]),
        "needs 'bbox'",
    ),
    "columns without a box": (
        lambda: Detections.from_columns({"label": ["a"]}),
        "expected columns x0, y0, x1, y1 or xc",
    ),
    "a column twice": (
        lambda: Detections.of([[0, 0, 1, 1]], data={"mask": [1]}).to_columns(),
        "'mask' is the name of another column",
    ),
    "a classifier's result": (
        lambda: Detections.from_ultralytics(SimpleNamespace(boxes=None, obb=None, probs=1)),
        "results of classifiers are no detections",
    ),
    "no boxes": (lambda: Detections.from_torchvision({"labels": [1]}), "expected 'boxes', got labels"),
    "words": (lambda: Detections.from_yolo("0 a b c d", WH), "line 1: expected numbers"),
    "half a class": (lambda: Detections.from_yolo("0.5 0 0 1 1", WH), "line 1: expected the number of a class"),
    "three numbers": (
        lambda: Detections.from_yolo("0 1 1 1 1\n0 1 1 1", WH),
        "line 2: 4 numbers: expected a class and 4",
    ),
    "a form": (lambda: Detections.from_yolo("", WH, "circles"), "form 'circles': expected one of boxes, rotated"),
    "two corners": (lambda: Detections.from_yolo("0 1 1 2 2", WH, "polygons"), "expected a class and 3 corners"),
    "no points": (lambda: Detections.of([[0, 0, 1, 1]], class_ids=[1]).to_yolo(WH, "keypoints"), "there are none"),
    "no ring": (
        lambda: Detections.of([[0, 0, 1, 1]], class_ids=[1], polygons=[[]]).to_yolo(WH, "polygons"),
        "row 0 has no polygon",
    ),
    "an infinite class": (lambda: Detections.from_yolo("inf 1 1 1 1", WH), "line 1: expected finite numbers"),
    "a category without a name": (
        lambda: Detections.from_coco({"annotations": [], "categories": [{"id": 1}]}),
        "'id' and 'name' of each category",
    ),
    "runs that are none": (
        lambda: Detections.from_coco(
            [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": {"size": [1, 1], "counts": 5}}]
        ),
        "expected 'size'",
    ),
    "half a ring": (
        lambda: Detections.from_coco([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": [[1]]}]),
        "expected rings",
    ),
    "half a point": (
        lambda: Detections.from_coco([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "keypoints": [1, 2]}]),
        "as many keypoints",
    ),
    "a short line": (lambda: Detections.from_mot("1,2,3,4,5\n"), "line 1: 5 numbers"),
}


@pytest.mark.parametrize(("call", "words"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_is_refused(call, words):
    with pytest.raises(MetadataError, match=words):
        call()


def test_a_file_that_is_no_json_is_refused(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("{")
    with pytest.raises(MetadataError, match="the file is no JSON"):
        Detections.from_coco(file)


def test_a_library_that_is_missing_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        Detections.empty().to_polars()


def test_detections_are_shown_in_a_line_and_a_notebook_runs_nothing_of_theirs():
    found = Detections.of(
        [[0, 0, 4, 2]] * 25,
        ["<script>alert(1)</script>", *["car"] * 24],
        masks=np.ones((25, 4, 4)),
        data={"v": [1] * 25},
    )
    assert "<script>" not in found._repr_html_()
    assert repr(found) == "<25 detections; 24 car, 1 <script>alert(1)</script>; masks, data: v>"
    assert repr(Detections.empty()) == "<0 detections>"


def test_label_files_are_read_by_their_path_too(tmp_path):
    labels, tracks = tmp_path / "street.txt", tmp_path / "gt.txt"
    labels.write_text("0 0.5 0.5 0.25 0.5\n")
    tracks.write_text("4,7,10,20,30,40,1,1,1\n")
    for path in (labels, str(labels)):
        assert Detections.from_yolo(path, (64, 48)).xyxy.tolist() == [[24, 12, 40, 36]]
    for path in (tracks, str(tracks)):
        (found,) = Detections.from_mot(path).items()
        assert (found[0], found[1].track_ids.tolist(), found[1].xyxy.tolist()) == (4, [7], [[10, 20, 40, 60]])
    with pytest.raises(FileNotFoundError):
        Detections.from_yolo("nowhere.txt", (64, 48))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Detections.from_ultralytics([SimpleNamespace(boxes=None)]), r"got a list: pass results\[0\]"),
        (lambda: Detections.from_torchvision([{"boxes": []}]), r"got a list: pass output\[0\]"),
        (lambda: Detections.from_supervision(None), "expected supervision's Detections, got NoneType"),
    ],
    ids=["ultralytics", "torchvision", "supervision"],
)
def test_results_of_several_pictures_or_none_are_named(call, words):
    with pytest.raises(MetadataError, match=words):
        call()
