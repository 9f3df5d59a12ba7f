from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from picasso.cli.showcase.tracker import FloatBoxes, IouTracker, iou_matrix, match_greedily

coordinates = st.floats(-500, 500, width=32)
lengths = st.just(0.0) | st.floats(0.0625, 300, width=32)


@st.composite
def boxes(draw: st.DrawFn, *, max_count: int = 8) -> FloatBoxes:
    count = draw(st.integers(0, max_count))
    corners = draw(arrays(np.float32, (count, 2), elements=coordinates))
    sides = draw(arrays(np.float32, (count, 2), elements=lengths))
    return np.hstack([corners, corners + sides])


def naive_iou(a: list[float], b: list[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


@given(boxes(), boxes())
def test_iou_matrix_is_the_naive_loop(a_xyxy: FloatBoxes, b_xyxy: FloatBoxes) -> None:
    expected = [[naive_iou(a, b) for b in b_xyxy.tolist()] for a in a_xyxy.tolist()]
    assert_allclose(iou_matrix(a_xyxy, b_xyxy), np.reshape(expected, (len(a_xyxy), len(b_xyxy))), atol=1e-3)


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        pytest.param([0, 0, 10, 10], [0, 0, 10, 10], 1.0, id="equal"),
        pytest.param([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3, id="half over"),
        pytest.param([0, 0, 10, 10], [10, 0, 20, 10], 0.0, id="touching"),
        pytest.param([0, 0, 0, 0], [0, 0, 0, 0], 0.0, id="two points"),
        pytest.param([0, 0, np.nan, 10], [0, 0, 10, 10], 0.0, id="a NaN"),
        pytest.param([10, 10, 0, 0], [0, 0, 10, 10], 0.0, id="inside out"),
    ],
)
def test_iou(a: list[float], b: list[float], iou: float) -> None:
    assert_allclose(iou_matrix(np.array([a], np.float32), np.array([b], np.float32)), [[iou]], atol=1e-6)


@given(arrays(np.float32, st.tuples(st.integers(0, 6), st.integers(0, 6)), elements=st.floats(0, 1, width=32)))
def test_greedy_matching_always_takes_the_best_pair_that_is_left(scores: np.ndarray) -> None:
    rows, columns = match_greedily(scores, 0.25)
    left = scores.copy()
    for row, column in zip(rows, columns, strict=True):
        assert left[row, column] == left.max() >= 0.25
        left[row, :] = left[:, column] = -1
    assert not (left >= 0.25).any()


@given(st.lists(boxes(), max_size=6))
def test_an_id_is_given_once_a_frame_and_never_goes_back(frames: list[FloatBoxes]) -> None:
    tracker, highest = IouTracker(), 0
    for frame in frames:
        ids = tracker.update(frame)
        assert ids.shape == (len(frame),)
        assert len(set(ids.tolist())) == len(ids)
        fresh = sorted(set(ids.tolist()) - set(range(highest + 1)))
        assert fresh == list(range(highest + 1, highest + 1 + len(fresh)))
        highest = max([highest, *ids.tolist()])


@given(boxes(max_count=5), st.permutations(range(5)))
def test_ids_follow_the_boxes_whatever_their_order(frame: FloatBoxes, order: list[int]) -> None:
    frame = frame[(frame[:, 2:] - frame[:, :2]).min(axis=1, initial=np.inf) > 1]
    apart = frame + np.arange(len(frame), dtype=np.float32)[:, None] * 2000
    shuffled = [index for index in order if index < len(apart)]
    tracker = IouTracker()
    first = tracker.update(apart)
    assert tracker.update(apart[shuffled]).tolist() == first[shuffled].tolist()


def box_at(x: float) -> FloatBoxes:
    return np.array([[x, 0, x + 100, 100]], np.float32)


def test_a_moving_box_keeps_its_id() -> None:
    tracker = IouTracker()
    assert [tracker.update(box_at(x)).tolist() for x in (0, 30, 60, 90)] == [[1]] * 4


def test_a_box_that_jumps_begins_a_track() -> None:
    tracker = IouTracker()
    assert [tracker.update(box_at(x)).tolist() for x in (0, 500)] == [[1], [2]]


@pytest.mark.parametrize(("gap", "expected"), [(3, 1), (4, 2)])
def test_a_track_survives_as_many_unseen_frames_as_it_may(gap: int, expected: int) -> None:
    tracker = IouTracker(max_gap=3)
    nothing = np.empty((0, 4), np.float32)
    tracker.update(box_at(0))
    for _ in range(gap):
        assert tracker.update(nothing).tolist() == []
    assert tracker.update(box_at(0)).tolist() == [expected]
