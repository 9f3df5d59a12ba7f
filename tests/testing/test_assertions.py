"""The assertions find what differs, and say where."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from picasso.surface import SurfaceView, VideoFormat
from picasso.testing import assert_inverts, assert_same_surface, surfaces
from picasso.transform import Placement, place, place_points, unplace, unplace_points


@given(surfaces())
def test_a_surface_is_the_same_as_its_tight_copy(surface: SurfaceView) -> None:
    twin = SurfaceView.allocate(surface.format, surface.size_wh, surface.color)
    for ours, theirs in zip(twin.planes, surface.planes, strict=True):
        ours[...] = theirs
    assert_same_surface(twin, surface)


def test_the_sample_that_differs_most_is_named() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    other = picture.copy()
    other[2, 5, 1], other[0, 0, 0] = 9, 2
    with pytest.raises(AssertionError) as caught:
        assert_same_surface(SurfaceView.wrap(other), SurfaceView.wrap(picture), tolerance=1)
    assert str(caught.value) == "plane 0, row 2, column 5, channel 1: 9, expected 0 ± 1; 2 of 72 differ"
    assert_same_surface(SurfaceView.wrap(other), SurfaceView.wrap(picture), tolerance=9)


def test_size_and_format_are_part_of_a_surface() -> None:
    wide, tall = SurfaceView.allocate(VideoFormat.RGB, (4, 2)), SurfaceView.allocate(VideoFormat.RGB, (2, 4))
    with pytest.raises(AssertionError, match=r"size_wh: \(4, 2\), expected \(2, 4\)"):
        assert_same_surface(wide, tall)
    with pytest.raises(AssertionError, match=r"format: VideoFormat\.RGB, expected VideoFormat\.BGR"):
        assert_same_surface(wide, SurfaceView.allocate(VideoFormat.BGR, (4, 2)))


def test_a_function_that_does_not_invert_is_told_with_its_value() -> None:
    placement = Placement.compute((100, 50), (200, 200))
    assert_inverts(unplace, place, [[1, 2, 3, 4]], placement)
    with pytest.raises(AssertionError, match=r"place does not invert place: \[0, 3\] was 4, came back as 166"):
        assert_inverts(place, place, [[1, 2, 3, 4]], placement)
    with pytest.raises(AssertionError, match=r"unplace_points gave back shape \(2, 2\), expected \(1, 2\)"):
        assert_inverts(
            unplace_points, lambda p, _: np.repeat(place_points(p, placement), 2, axis=0), [[1, 2]], placement
        )


def test_nan_is_nan_and_angles_are_equal_modulo_a_turn() -> None:
    rows = np.array([[1.0, np.nan, 359.0]])
    assert_inverts(lambda a: a, lambda a: a - (0, 0, 360), rows, angle_column=2)
    with pytest.raises(AssertionError, match=r"\[0, 2\] was 359"):
        assert_inverts(lambda a: a, lambda a: a - (0, 0, 360), rows)
    with pytest.raises(AssertionError, match=r"\[0, 1\] was nan, came back as 0"):
        assert_inverts(lambda a: a, np.nan_to_num, rows)
