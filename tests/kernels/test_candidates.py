"""Candidates of detectors and their suppression by machine code: what NumPy gives, and the interpreter."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from picasso.primitives.nms import _by_numpy
from picasso_kernels.cpu import vector_rows
from picasso_kernels.cpu.compile import host
from picasso_kernels.maths.overlap import suppress
from picasso_kernels.maths.scores import CANDIDATE, SEGMENT, find_candidates, raise_to_rows

Found = list[tuple[int, float, int]]


def found_in(scores: npt.NDArray[np.float32], floor: float, *, by_machine: bool) -> Found:
    classes, count = scores.shape
    bits, least = scores.reshape(-1).view(np.int32), int(np.float32(floor).view(np.int32))
    best, found = np.zeros(SEGMENT, np.int32), np.zeros(CANDIDATE * max(count, 1), np.int32)
    if by_machine:
        number = host(find_candidates)(bits, 0, count, classes, count, least, best, found)
    else:
        number = find_candidates(bits.tolist(), 0, count, classes, count, least, best, found)
    rows, confidences, numbers = found[: CANDIDATE * number].reshape(-1, CANDIDATE).T
    return list(zip(rows.tolist(), confidences.view(np.float32).tolist(), numbers.tolist(), strict=True))


def by_numpy(scores: npt.NDArray[np.float32], floor: float) -> Found:
    """A NaN among the scores of a candidate is its best one, which is above nothing."""
    best = scores.max(axis=0)
    rows = np.flatnonzero(best > np.float32(floor))
    return list(zip(rows.tolist(), best[rows].tolist(), scores[:, rows].argmax(axis=0).tolist(), strict=True))


values = st.sampled_from(
    [0.0, -0.0, 0.25, 0.5, 0.5000001, 1.0, -3.0, np.inf, -np.inf, np.nan, -np.float32(np.nan), 1e-45, -1e-45]
) | st.floats(0, 1, width=32)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.integers(1, 19), st.integers(1, 140)).flatmap(
        lambda shape: arrays(np.float32, shape, elements=values, fill=st.just(np.float32(0.1)))
    ),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)
def test_candidates_are_those_of_numpy(scores: npt.NDArray[np.float32], floor: float) -> None:
    expected = by_numpy(scores, floor)
    assert found_in(scores, floor, by_machine=False) == expected
    assert found_in(scores, floor, by_machine=True) == expected


@pytest.mark.parametrize("count", [SEGMENT - 1, SEGMENT, SEGMENT + 1, 8400])
@pytest.mark.parametrize("classes", [1, 7, 8, 80])
def test_candidates_of_whole_outputs(classes: int, count: int) -> None:
    random = np.random.default_rng(count + classes)
    scores = random.uniform(0, 0.5, (classes, count)).astype(np.float32)
    above = [0, count - 1, *random.integers(0, count, 40)]
    scores[random.integers(0, classes, len(above)), above] = random.uniform(0.5, 1, len(above))
    expected = by_numpy(scores, 0.5)
    assert len(expected) > 20
    assert found_in(scores, 0.5, by_machine=True) == expected


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 190])
@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 17])
def test_rows_by_the_register_raise_as_rows_by_the_loop(rows: int, count: int) -> None:
    random = np.random.default_rng(rows)
    table = random.integers(-(1 << 31), 1 << 31, (max(rows, 1), 200)).astype(np.int32)
    plain = random.integers(-(1 << 31), 1 << 31, 200).astype(np.int32)
    machine = plain.copy()
    raise_to_rows(plain, table.reshape(-1).tolist(), 200, rows, count)
    host(vector_rows.VECTOR_FORMS[raise_to_rows])(machine, table.reshape(-1), 200, rows, count)
    np.testing.assert_array_equal(machine, plain)


corners = st.sampled_from([0.0, 1.0, 5.0, 10.0, -2.5, np.inf, np.nan]) | st.floats(-20, 20)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 24), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_the_boxes_that_stay_are_those_of_numpy(data: st.DataObject, count: int, share: float) -> None:
    boxes = data.draw(arrays(np.float64, (count, 4), elements=corners))
    groups = data.draw(arrays(np.int64, count, elements=st.integers(-1, 2)))
    with np.errstate(invalid="ignore"):
        expected = _by_numpy(boxes, share, groups).tolist()
    flat = boxes.reshape(-1)
    plain, machine = (flat.tolist(), groups.tolist(), [share]), (flat, groups, np.array([share]))
    for run, args in ((suppress, plain), (host(suppress), machine)):
        kept = np.zeros(count, np.int32)
        number = run(*args, count, kept)
        assert kept[:number].tolist() == expected


def test_many_boxes_are_suppressed_as_few_are() -> None:
    """NumPy has two ways, for few boxes and for many: all three agree."""
    random = np.random.default_rng(4)
    middle, half = random.uniform(0, 200, (700, 2)), random.uniform(3, 40, (700, 2))
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    for groups in (None, random.integers(0, 3, 700)):
        kept = np.zeros(700, np.int32)
        mine = np.zeros(700, np.int64) if groups is None else groups
        number = host(suppress)(boxes.reshape(-1), mine, np.array([0.4]), 700, kept)
        assert 30 < number < 600
        assert kept[:number].tolist() == _by_numpy(boxes, 0.4, groups).tolist()
