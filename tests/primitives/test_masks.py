"""Masks as runs and as polygons are the same masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from picasso.errors import MetadataError, ShapeError
from picasso.primitives import Masks
from picasso.primitives.conversions.rle import decode_rle, from_text, to_text

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the tool's own
coco = pytest.importorskip("pycocotools.mask")


@st.composite
def dense_masks(draw):
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 14), st.integers(1, 14)))
    kind = draw(st.sampled_from(["any", "blocks", "full", "empty"]))
    if kind in {"full", "empty"}:
        return np.full(shape, kind == "full")
    if kind == "any":
        return draw(arrays(np.bool_, shape))
    coarse = draw(arrays(np.bool_, (shape[0], -(-shape[1] // 4), -(-shape[2] // 4))))
    return np.kron(coarse, np.ones((1, 4, 4), bool))[:, : shape[1], : shape[2]].astype(bool)


@given(dense_masks())
def test_masks_are_coded_as_coco_codes_them(dense):
    for code, mask in zip(Masks.from_dense(dense).to_rle(), dense, strict=True):
        expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert code["size"] == list(expected["size"])
        assert code["counts"] == expected["counts"].decode()
        assert_array_equal(decode_rle(expected), mask)
        numbers = {"size": code["size"], "counts": from_text(code["counts"])}
        assert_array_equal(decode_rle(numbers), mask)


@given(dense_masks())
def test_masks_come_back_from_runs_and_from_polygons(dense):
    masks = Masks.from_dense(dense)
    assert Masks.from_rle(masks.to_rle()) == masks
    assert Masks.from_polygons(masks.to_polygons(), masks.size_wh) == masks
    assert_array_equal(masks.to_dense(), dense)


@given(dense_masks())
def test_outer_rings_run_clockwise_and_holes_the_other_way(dense):
    """So the areas of the rings add up to that of the mask."""
    masks = Masks.from_dense(dense)
    for rings, area in zip(masks.to_polygons(), masks.areas, strict=True):
        total = 0.0
        for ring in rings:
            x, y = ring.T
            total += 0.5 * (x * np.roll(y, -1) - np.roll(x, -1) * y).sum()
            steps = np.roll(ring, -1, axis=0) - ring
            assert ((steps == 0).sum(axis=1) == 1).all(), "each side runs along one axis"
            assert (steps.astype(bool) != np.roll(steps, 1, axis=0).astype(bool)).all(), "each corner is one"
        assert total == area


@given(st.lists(st.tuples(st.floats(-5, 20), st.floats(-5, 20)), min_size=3, max_size=7))
def test_a_pixel_is_inside_a_polygon_if_its_centre_is(ring):
    filled = Masks.from_polygons([[ring]], (12, 10))[0]
    for y in range(10):
        for x in range(12):
            crossings, near = 0, False
            for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
                if (y0 < y + 0.5) != (y1 < y + 0.5):
                    at = x0 + (y + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
                    crossings += at < x + 0.5
                    near |= abs(at - (x + 0.5)) < 1e-9
                near |= min(abs(y0 - (y + 0.5)), abs(y1 - (y + 0.5))) < 1e-9
            assert near or filled[y, x] == (crossings % 2 == 1)


@given(st.lists(st.integers(0, 2**40), max_size=20))
def test_any_runs_are_text_and_back(runs):
    assert from_text(to_text(runs)) == runs
    assert from_text(to_text(runs).encode()) == runs


BAD = {
    "no size": ({"counts": "22"}, "expected 'size'"),
    "a list": ([1, 2], "expected 'size'"),
    "runs too few": ({"size": [2, 2], "counts": [1, 2]}, "add up to 2x2, got 3"),
    "runs below zero": ({"size": [2, 2], "counts": [-1, 5]}, "add up to 2x2"),
    "a large picture": ({"size": [1 << 20, 1 << 20], "counts": [1 << 40]}, "at most 268435456 pixels"),
    "another character": ({"size": [2, 2], "counts": "2\x00"}, "expected COCO's text"),
    "a number without end": ({"size": [2, 2], "counts": "o"}, "ends within a number"),
    "a number of many characters": ({"size": [2, 2], "counts": "o" * 400}, "expected COCO's text"),
}


@pytest.mark.parametrize(("code", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_code_is_refused(code, words):
    with pytest.raises(MetadataError, match=words):
        Masks.from_rle([code])


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match="codes of one size, got 1x2, 2x1"):
        Masks.from_rle([{"size": [1, 2], "counts": [2]}, {"size": [2, 1], "counts": [2]}])
    with pytest.raises(ShapeError, match="expected rings"):
        Masks.from_polygons([[[[0, 0, 1]]]], (4, 4))
    with pytest.raises(ShapeError, match="of finite numbers"):
        Masks.from_polygons([[[[0, 0], [np.nan, 1], [2, 2]]]], (4, 4))
