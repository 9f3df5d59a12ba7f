from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import ShapeError
from picasso.primitives import Detections, RBBox, VideoFrame
from picasso.primitives.geometry import wrapping_xyxy
from picasso.track import open_tracker

XYXY = np.array([[0, 0, 10, 20], [5, 6, 7, 8], [-3, -4, 700, 500]], np.float32)


def a_frame():
    return VideoFrame("cam", "30/1", 640, 480)


@st.composite
def corners(draw):
    count = draw(st.integers(0, 30))
    low = np.array(draw(st.lists(st.tuples(*[st.integers(-500, 4000)] * 2), min_size=count, max_size=count)))
    size = np.array(draw(st.lists(st.tuples(*[st.integers(0, 2000)] * 2), min_size=count, max_size=count)))
    return np.hstack([low, low + size]).astype(np.float32) if count else np.empty((0, 4), np.float32)


WRONG = {
    "a box": {"xyxy": [[0, 0, 1, 1]] * 39 + [[5, 5, 1, 9]]},
    "a label": {"labels": ["a"] * 39 + [7]},
    "labels": {"labels": ["a"] * 39},
    "angles": {"angles": [1.0]},
    "confidences": {"confidences": [0.5] * 41},
    "track ids": {"track_ids": [0.5] * 40},
    "track boxes": {"track_xyxy": [[0, 0, -1, 1]] * 40},
    "a namespace": {"namespace": 7},
}


@pytest.mark.parametrize("count", [0, 1, 30])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_what_is_refused_leaves_a_frame_and_views_on_it_as_they_were(wrong, count):
    frame = a_frame()
    frame.add_detections("d", [[0, 0, 10, 20]] * count, "car", confidences=[0.5] * count, track_ids=[3] * count)
    boxes, before = frame.detection_boxes(), frame.get_detections()
    given = {"namespace": "e", "xyxy": [[0, 0, 1, 1]] * 40, "labels": "bus", "angles": [5] * 40}
    given |= {"confidences": [0.9] * 40, "track_ids": [4] * 40, "track_xyxy": [[0, 0, 1, 1]] * 40}
    with pytest.raises((ValueError, TypeError)):
        frame.add_detections(**given | wrong)
    for name in ("ids", "xywha", "labels", "confidences", "track_ids", "track_xywha"):
        assert_array_equal(getattr(frame.get_detections(), name), getattr(before, name))
    assert np.isnan(frame.box_columns()[:, :, count:]).all()
    boxes[:, 0] = 77
    assert frame.get_detections().xywha[:, 0].tolist() == [77] * count
    assert frame.add_detections("d", XYXY, "car").tolist() == [count, count + 1, count + 2]
    added = frame.get_detections(namespace="d")[count:]
    assert added.track_ids.tolist() == [-1] * 3
    assert np.isnan(added.confidences).all()
    assert np.isnan(added.track_xywha).all()


def test_labels_are_made_before_a_frame_is_written_to():
    """A generator may add objects itself."""
    frame = a_frame()

    def labels():
        for number in range(3):
            frame.create_object("made", f"m{number}", detection_box=RBBox(1, 2, 3, 4))
            yield f"l{number}"

    assert frame.add_detections("d", XYXY, labels()).tolist() == [3, 4, 5]
    assert frame.get_detections().labels.tolist() == ["m0", "m1", "m2", "l0", "l1", "l2"]
    assert_array_equal(frame.get_detections(namespace="d").xyxy, XYXY)


@given(corners(), st.data())
def test_the_corners_of_a_frames_boxes_are_those_of_the_boxes_around_them(xyxy, data):
    """Bit by bit, whether all boxes are upright or some are turned."""
    turned = st.one_of(st.just(np.nan), st.floats(-200, 200, width=32), st.sampled_from([0, 90, -180]))
    angles = data.draw(st.one_of(st.none(), st.lists(turned, min_size=len(xyxy), max_size=len(xyxy))))
    frame = a_frame()
    frame.add_detections("d", xyxy, "a", angles=angles)
    found = frame.get_detections()
    assert found.xyxy.tobytes() == wrapping_xyxy(found.xywha).tobytes()
    assert found.xywha.tobytes() == np.ascontiguousarray(frame.detection_boxes()).tobytes()


@given(corners(), st.data())
def test_what_is_added_is_read_back(xyxy, data):
    count = len(xyxy)
    labels = data.draw(st.lists(st.sampled_from("abc"), min_size=count, max_size=count))
    confidences = np.array(data.draw(st.lists(st.floats(0, 1, width=32), min_size=count, max_size=count)), np.float32)
    track_ids = np.array(data.draw(st.lists(st.integers(-1, 99), min_size=count, max_size=count)), np.int64)
    frame = a_frame()
    ids = frame.add_detections("d", xyxy, labels, confidences=confidences, track_ids=track_ids, track_xyxy=xyxy)
    found = frame.get_detections()
    assert len(found) == count
    assert_array_equal(found.ids, ids)
    assert_array_equal(found.xyxy, xyxy)
    assert_array_equal(found.labels, labels)
    assert_array_equal(found.namespaces, ["d"] * count)
    assert_array_equal(found.confidences, confidences)
    assert_array_equal(frame.confidences(), confidences)
    assert_array_equal(found.track_ids, track_ids)
    assert_array_equal(found.track_xywha, found.xywha)
    assert (found.xyxy.dtype, found.xywha.dtype, found.confidences.dtype) == (np.dtype(np.float32),) * 3
    assert (found.ids.dtype, found.track_ids.dtype) == (np.dtype(np.int64),) * 2


def test_objects_and_arrays_are_the_same_thing():
    frame = a_frame()
    frame.create_object("d", "first", detection_box=RBBox(1, 1, 1, 1))
    ids = frame.add_detections("e", XYXY, ["a", "b", "c"], confidences=[0.5, np.nan, 1], track_ids=[4, None, -1])
    assert ids.tolist() == [1, 2, 3]
    first, second, third = frame.access_objects_with_ids(ids)
    assert first.detection_box.as_ltrb() == (0, 0, 10, 20)
    assert [found.label for found in (first, second, third)] == ["a", "b", "c"]
    assert [found.confidence for found in (first, second, third)] == [0.5, None, 1]
    assert [found.track_id for found in (first, second, third)] == [4, None, None]
    assert first.namespace == "e"


def test_filters():
    frame = a_frame()
    frame.add_detections("d", XYXY, ["car", "bus", "car"])
    frame.add_detections("e", XYXY[:1], "car")
    assert frame.get_detections("d").ids.tolist() == [0, 1, 2]
    assert frame.get_detections(label="car").ids.tolist() == [0, 2, 3]
    assert frame.get_detections("d", "car").ids.tolist() == [0, 2]
    assert len(frame.get_detections("f")) == 0
    assert frame.get_detections("f").xyxy.shape == (0, 4)


def test_angles_turn_the_boxes():
    frame = a_frame()
    frame.add_detections("d", [[0, 0, 10, 20], [0, 0, 10, 20]], "car", angles=[90, np.nan])
    found = frame.get_detections()
    assert_allclose(found.xywha, [[5, 10, 10, 20, 90], [5, 10, 10, 20, np.nan]])
    assert_allclose(found.xyxy, [[-5, 5, 15, 15], [0, 0, 10, 20]], atol=1e-5)


def test_what_is_read_is_a_copy():
    frame = a_frame()
    frame.add_detections("d", XYXY, "car")
    found = frame.get_detections()
    found.xywha[:] = 0
    found.ids[:] = 0
    assert frame.get_object(2).detection_box.width == 703


@pytest.mark.parametrize("nothing", [[], np.empty((0, 4)), np.empty((0, 5))], ids=["list", "(0, 4)", "(0, 5)"])
def test_nothing_may_be_added(nothing):
    frame = a_frame()
    assert frame.add_detections("d", nothing, []).tolist() == []
    assert frame.add_detections("d", nothing, "car", confidences=[], track_ids=[]).dtype == np.int64
    assert len(frame.get_detections()) == 0


def test_integers_and_lists_are_taken():
    frame = a_frame()
    frame.add_detections("d", [(0, 0, 4, 6)], np.array(["car"]), confidences=(1,), track_ids=np.array([3], np.uint8))
    assert frame.get_object(0).detection_box.as_xcycwh() == (2, 3, 4, 6)
    assert frame.get_object(0).track_id == 3


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"xyxy": np.ones((3, 5))}, ShapeError, r"xyxy: expected \(N, 4\), got \(3, 5\)"),
        ({"xyxy": np.ones(4)}, ShapeError, r"xyxy: expected \(N, 4\), got \(4,\)"),
        ({"xyxy": np.where(np.eye(3, 4) > 0, np.nan, XYXY)}, ValueError, r"xyxy\[0\]: expected finite"),
        ({"xyxy": [[0, 0, 1, 1], [0, 0, np.inf, 1], [0, 0, 1, 1]]}, ValueError, r"xyxy\[1\]: expected finite"),
        ({"xyxy": [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1e300]]}, ValueError, r"xyxy\[2\]: expected finite"),
        ({"xyxy": [[0, 0, 1, 1], [0, 0, 1, 1], [5, 0, 4, 1]]}, ValueError, r"xyxy\[2\]: .*got \[5.0, 0.0, 4.0, 1.0\]"),
        ({"labels": ["a", "b"]}, ShapeError, "labels: expected 3, one for each box, got 2"),
        ({"labels": [1, 2, 3]}, TypeError, "labels: expected str, got int"),
        ({"confidences": [1.0]}, ShapeError, "confidences: expected 3, one for each box, got 1"),
        ({"track_ids": [1]}, ShapeError, "track_ids: expected 3"),
        ({"track_ids": [1.0, 2.0, 3.0]}, TypeError, "track_ids: expected integers or None, got dtype float64"),
        ({"track_ids": np.full(3, 2**63, np.uint64)}, OverflowError, "track_ids"),
        ({"angles": [1.0]}, ShapeError, "angles: expected 3"),
        ({"track_xyxy": XYXY[:2]}, ShapeError, "track_xyxy: expected 3"),
        ({"track_xyxy": XYXY * np.nan}, ValueError, "track_xyxy"),
        ({"namespace": 1}, TypeError, "namespace: expected str, got int"),
    ],
    ids=[
        "five-columns", "flat", "nan", "inf", "beyond-float32", "crossed", "two-labels", "int-labels", "one-confidence",
        "one-track", "float-tracks", "uint64-tracks", "one-angle", "two-track-boxes", "nan-track-boxes",
        "int-namespace",
    ],
)  # fmt: skip
def test_bad_arrays_add_nothing(arguments, error, message):
    frame = a_frame()
    with pytest.raises(error, match=message):
        frame.add_detections(**{"namespace": "d", "xyxy": XYXY, "labels": "car", **arguments})
    assert frame.object_count == 0
    assert frame.add_detections("d", XYXY, "car").tolist() == [0, 1, 2]


def test_columns_go_by_the_names_that_supervision_has() -> None:
    masks = np.zeros((1, 8, 8), bool)
    ours = Detections.of([[0, 0, 4, 4]], ["a"], confidences=[0.5], class_ids=[3], track_ids=[7], masks=masks)
    theirs = Detections.of([[0, 0, 4, 4]], ["a"], confidence=[0.5], class_id=[3], tracker_id=[7], mask=masks)
    for found in (ours, theirs):
        assert (found.confidence.tolist(), found.class_id.tolist(), found.tracker_id.tolist()) == ([0.5], [3], [7])
        assert found.masks is not None
    with pytest.raises(TypeError, match=r"unknown column 'score'; one of ids, xyxy"):
        Detections.of([[0, 0, 4, 4]], score=[0.5])
    with pytest.raises(TypeError, match="confidences: given by two names"):
        Detections.of([[0, 0, 4, 4]], confidence=[0.5], confidences=[0.5])


def test_replaced_columns_leave_the_others_as_they_are() -> None:
    found = Detections.of([[0, 0, 4, 4], [2, 2, 8, 6]], ["a", "b"], confidences=[0.5, 0.25], data={"speed": [1, 2]})
    tracked = found.replace(track_ids=[5, 6], labels="thing")
    assert (tracked.track_ids.tolist(), tracked.labels.tolist()) == ([5, 6], ["thing", "thing"])
    assert tracked.xyxy.tolist() == found.xyxy.tolist()
    assert tracked["speed"].tolist() == [1, 2]
    assert found.track_ids.tolist() == [-1, -1]
    assert found.replace(xyxy=[[1, 2, 3, 4], [0, 0, 2, 2]]).xywha[0, :4].tolist() == [2, 3, 2, 2]
    with pytest.raises(ShapeError, match="expected 2 rows, got 1"):
        found.replace(track_ids=[5])


def test_a_tracker_numbers_detections_by_class_or_where_none_is_known_by_label() -> None:
    for known in ({"class_ids": [0, 1]}, {}):
        tracker, seen = open_tracker("iou"), []
        for number in range(3):
            boxes = [[10 + number, 10, 50 + number, 40], [10 + number, 10, 50 + number, 40]]
            found = Detections.of(boxes, ["car", "van"], **known)[:: -1 if number == 2 else 1]
            seen.append(found.tracked_by(tracker, number * 40_000_000).track_ids.tolist())
        assert seen == [[1, 2], [1, 2], [2, 1]]
    assert len(Detections.empty().tracked_by(open_tracker("iou"), 0)) == 0


@pytest.mark.parametrize("kind", [list, lambda values: np.array(values, object)])
@pytest.mark.parametrize("absent", [None, float("nan")])
def test_a_number_or_label_that_is_not_known_is_absent(kind, absent):
    found = Detections.of(
        [[0, 0, 1, 1]] * 2, [None, "car"], track_ids=kind([absent, 7]), class_ids=kind([3, absent]), ids=[absent, 5]
    )
    assert found.track_ids.tolist() == [-1, 7]
    assert found.class_ids.tolist() == [3, -1]
    assert found.ids.tolist() == [-1, 5]
    assert found.labels.tolist() == ["", "car"]


def test_large_numbers_beside_absent_ones_stay_exact():
    assert Detections.of([[0, 0, 1, 1]] * 2, track_ids=[None, 2**53 + 1]).track_ids.tolist() == [-1, 2**53 + 1]
