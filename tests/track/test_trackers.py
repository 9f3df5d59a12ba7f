"""Laws of trackers: a thing keeps its number, nothing else gets it, and the same frames give the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from picasso.errors import ShapeError, SpecError
from picasso.track import TRACKERS, UNTRACKED, CoastingTracker, IouTracker, open_tracker
from picasso.track.iou import iou_matrix

FRAME_NS = 40_000_000
WARM = 8
"""Frames after which every tracker has given its ids."""


def tracker_named(name: str):
    if name != "iou":
        pytest.importorskip("trackers", reason="pip install --no-deps trackers supervision pydeprecate")
    return open_tracker(name)


every_tracker = pytest.mark.parametrize("name", TRACKERS)


def walkers(frame: int, count: int = 4) -> np.ndarray:
    """Boxes of 40x60 pixels, 100 apart, that walk 3 pixels a frame, each second one to the left."""
    x = 200.0 + 100 * np.arange(count) + 3 * frame * (1 - 2 * (np.arange(count) % 2))
    y = 50 + 120.0 * np.arange(count)
    return np.stack([x, y, x + 40, y + 60], axis=1).astype(np.float32)


def run(tracker, frames) -> list[list[int]]:
    return [
        tracker.update(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), int), number * FRAME_NS).tolist()
        for number, boxes in enumerate(frames)
    ]


@every_tracker
def test_what_moves_on_keeps_its_number(name):
    ids = run(tracker_named(name), [walkers(frame) for frame in range(30)])
    assert sorted(ids[WARM]) == [1, 2, 3, 4]
    assert all(row == ids[WARM] for row in ids[WARM:])


@every_tracker
def test_the_same_frames_give_the_same_numbers_after_a_reset_too(name):
    tracker = tracker_named(name)
    frames = [walkers(frame) for frame in range(20)]
    first = run(tracker, frames)
    tracker.reset()
    assert run(tracker, frames) == first == run(tracker_named(name), frames)


@every_tracker
def test_numbers_follow_the_boxes_and_not_their_rows(name):
    tracker, order = tracker_named(name), [2, 0, 3, 1]
    ids = run(tracker, [walkers(frame) for frame in range(20)])
    for frame in range(20, 30):
        found = run_one(tracker, walkers(frame)[order], frame)
        assert found == [ids[-1][row] for row in order]


def run_one(tracker, boxes, frame: int, classes=None) -> list[int]:
    kinds = np.zeros(len(boxes), int) if classes is None else classes
    return tracker.update(boxes, np.full(len(boxes), 0.9), kinds, frame * FRAME_NS).tolist()


@every_tracker
def test_what_is_not_seen_for_some_frames_comes_back_under_its_number(name):
    tracker = tracker_named(name)
    ids = run(tracker, [walkers(frame) for frame in range(20)])[-1]
    for frame in range(20, 24):
        assert run_one(tracker, walkers(frame)[1:], frame) == ids[1:]
    back = [run_one(tracker, walkers(frame), frame) for frame in range(24, 28)]  # OC-SORT waits for the third
    assert back[-1] == ids


@every_tracker
def test_classes_do_not_mix(name):
    tracker = tracker_named(name)
    kinds = np.array([0, 0, 7, 7])
    for frame in range(20):
        ids = run_one(tracker, walkers(frame), frame, kinds)
    changed = run_one(tracker, walkers(20), 20, np.array([0, 0, 0, 7]))
    assert changed[:2] + changed[3:] == ids[:2] + ids[3:]
    assert changed[2] not in ids


@every_tracker
def test_frames_without_boxes_are_frames(name):
    tracker = tracker_named(name)
    assert run(tracker, [np.zeros((0, 4)), np.zeros((0, 4))]) == [[], []]


corners = st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(0, 90), st.floats(0, 90))
frames = st.lists(st.lists(st.tuples(corners, st.integers(0, 2)), max_size=6), max_size=12)


@given(frames)
def test_the_iou_tracker_gives_no_number_twice_and_no_number_to_two_classes(seen):
    tracker = IouTracker()
    kind_of: dict[int, int] = {}
    for number, boxes in enumerate(seen):
        xyxy = np.array([(x, y, x + w, y + h) for (x, y, w, h), _ in boxes], np.float32).reshape(-1, 4)
        kinds = np.array([kind for _, kind in boxes], int)
        ids = tracker.update(xyxy, np.full(len(boxes), np.nan), kinds, number * FRAME_NS)
        assert len(ids) == len(boxes) == len(set(ids.tolist()))
        assert (ids > 0).all()
        for track, kind in zip(ids.tolist(), kinds.tolist(), strict=True):
            assert kind_of.setdefault(track, kind) == kind


@given(st.lists(corners, min_size=1, max_size=6), st.lists(corners, min_size=1, max_size=6))
def test_overlaps_are_those_of_the_definition(first, second):
    def of(boxes):
        return np.array([(x, y, x + w, y + h) for x, y, w, h in boxes])

    expected = np.zeros((len(first), len(second)))
    for row, a in enumerate(of(first)):
        for column, b in enumerate(of(second)):
            width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            shared = max(width, 0.0) * max(height, 0.0)
            union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
            expected[row, column] = shared / union if union > 0 else 0.0
    assert_allclose(iou_matrix(of(first), of(second)), expected, atol=1e-9)


def test_a_fast_object_is_found_where_its_speed_takes_it():
    tracker = IouTracker()
    for frame in range(10):
        ids = run_one(tracker, np.array([[18.0 * frame, 0, 18 * frame + 40, 40]]), frame)
    assert ids == [1]
    lost = 14  # four frames later it is 90 pixels further: no overlap with where it was
    assert run_one(tracker, np.array([[18.0 * lost, 0, 18 * lost + 40, 40]]), lost) == [1]


def test_a_track_that_is_lost_for_too_long_is_forgotten():
    tracker = IouTracker(max_lost_s=0.1)
    box = np.array([[0.0, 0, 10, 10]])
    assert [run_one(tracker, box, frame) for frame in (0, 2, 5)] == [[1], [1], [2]]


def test_boxes_below_the_confidence_belong_to_no_track():
    tracker = IouTracker(min_confidence=0.5)
    boxes = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    assert tracker.update(boxes, [0.4, np.nan], [0, 0], 0).tolist() == [UNTRACKED, 1]


def test_a_track_has_an_id_from_its_nth_frame_on():
    tracker = IouTracker(min_hits=3)
    box = np.array([[0.0, 0, 10, 10]])
    assert [run_one(tracker, box, frame)[0] for frame in range(4)] == [UNTRACKED, UNTRACKED, 1, 1]


@pytest.mark.parametrize("box", [[np.nan, 0, 1, 1], [0, 0, np.inf, 1], [5, 5, 1, 1]], ids=str)
@every_tracker
def test_what_is_no_box_belongs_to_no_track(name, box):
    tracker = tracker_named(name)
    for frame in range(WARM + 1):
        ids = run_one(tracker, np.vstack([walkers(frame), [box]]), frame)
    assert ids[-1] == UNTRACKED
    assert sorted(ids[:4]) == [1, 2, 3, 4]


def test_what_coasts_moves_on_at_its_speed():
    tracker = CoastingTracker(IouTracker())
    assert len(tracker.predict(0).track_ids) == 0
    for frame in range(3):
        ids = run_one(tracker, walkers(frame), frame)
    expected = tracker.predict(7 * FRAME_NS)
    assert expected.track_ids.tolist() == ids
    assert_allclose(expected.xyxy, walkers(7), atol=1e-3)
    assert_allclose(expected.confidences, 0.9)
    tracker.reset()
    assert len(tracker.predict(8 * FRAME_NS).track_ids) == 0


def test_what_was_seen_once_stays_where_it_was():
    tracker = CoastingTracker(IouTracker())
    run_one(tracker, walkers(0), 0)
    assert_allclose(tracker.predict(5 * FRAME_NS).xyxy, walkers(0))


def test_what_was_not_seen_last_is_not_expected():
    tracker = CoastingTracker(IouTracker())
    run_one(tracker, walkers(0), 0)
    run_one(tracker, walkers(1)[2:], 1)
    assert tracker.predict(2 * FRAME_NS).track_ids.tolist() == [3, 4]


def test_classes_that_were_not_looked_for_are_expected_and_the_others_are_not():
    tracker, kinds = CoastingTracker(IouTracker()), np.array([0, 0, 7, 7])
    for frame in range(3):
        boxes = walkers(frame)
        ids = tracker.update(boxes, np.ones(4), kinds, frame * FRAME_NS).tolist()
    tracker.update(walkers(3)[:1], [1.0], [0], 3 * FRAME_NS, absent=[7])
    assert tracker.predict(4 * FRAME_NS, [7]).track_ids.tolist() == ids[2:]
    assert_allclose(tracker.predict(4 * FRAME_NS, [7]).xyxy, walkers(4)[2:], atol=1e-3)
    assert tracker.predict(4 * FRAME_NS, [0]).track_ids.tolist() == ids[:1]
    assert tracker.predict(4 * FRAME_NS).classes.tolist() == [0, 7, 7]


WRONG = {
    "no such tracker": (lambda: open_tracker("deepsort"), SpecError, "one of iou, sort, bytetrack, ocsort"),
    "no such parameter": (lambda: open_tracker("iou", speed=1), SpecError, "min_iou, max_lost_s"),
    "no overlap": (lambda: IouTracker(min_iou=0), SpecError, "min_iou = 0: expected more than 0"),
    "negative wait": (lambda: IouTracker(max_lost_s=-1), SpecError, "0 or more seconds"),
    "confidence of 2": (lambda: IouTracker(min_confidence=2), SpecError, "0 to 1"),
    "no hit": (lambda: IouTracker(min_hits=0), SpecError, "1 or more frames"),
    "three corners": (lambda: IouTracker().update(np.zeros((2, 3)), [1, 1], [0, 0], 0), ShapeError, r"\(N, 4\)"),
    "a confidence too few": (
        lambda: IouTracker().update(np.zeros((2, 4)), [1], [0, 0], 0),
        ShapeError,
        r"confidences: expected \(2,\)",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_has_no_meaning_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_parameter_that_the_library_does_not_have_is_refused():
    pytest.importorskip("trackers")
    with pytest.raises(SpecError, match="unknown parameter 'speed'; one of "):
        open_tracker("bytetrack", speed=1)
