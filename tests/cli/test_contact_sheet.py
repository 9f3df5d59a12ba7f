from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.cli.showcase.contact_sheet import BACKGROUND, GAP, Row, blank, spread, stack, strip, write_contact_sheet
from picasso.cli.showcase.overlay import clock
from picasso.cli.showcase.palette_png import palette_png


def tile(width: int, height: int, grey: int) -> np.ndarray:
    pixels = blank(height, width)
    pixels[..., :3] = grey
    return pixels


@given(st.integers(1, 5), st.integers(16, 200), st.integers(16, 200), st.integers(320, 700))
def test_a_strip_is_as_wide_as_the_sheet_and_keeps_the_tiles_in_shape(
    count: int, tile_width: int, tile_height: int, width: int
) -> None:
    row = strip([tile(tile_width, tile_height, 200)] * count, width)
    shown = (width - GAP * (count + 1)) // count
    assert row.shape == (round(shown * tile_height / tile_width), width, 4)


def test_tiles_stand_side_by_side_with_gaps() -> None:
    row = strip([tile(100, 50, 100), tile(100, 50, 200)], 2 * 96 + 3 * GAP)
    greys = row[24, :, 0]
    assert set(greys[:GAP]) == set(greys[GAP + 96 : 2 * GAP + 96]) == {BACKGROUND}
    assert set(greys[GAP : GAP + 96]) == {100}
    assert set(greys[2 * GAP + 96 : -GAP]) == {200}


def test_strips_stand_below_each_other_with_gaps() -> None:
    sheet = stack([blank(30, 320), blank(20, 320)], 320)
    assert sheet.shape == (30 + 20 + 3 * GAP, 320, 4)


@pytest.mark.parametrize(("columns", "times_ms"), [(1, [2002]), (3, [667, 2002, 3336]), (200, None)])
def test_frames_are_spread_evenly(small_clip: Path, columns: int, times_ms: list[int] | None) -> None:
    tiles = spread(Row(small_clip, frames=120, columns=columns))
    assert len(tiles) == (120 if times_ms is None else columns)
    assert {one.shape for one in tiles} == {(144, 176, 4)}


def test_a_sheet_is_a_png_of_the_width_asked_for(small_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    write_contact_sheet([Row(small_clip, 120, 3), Row(tmp_path / "none.mp4", 0, 3)], path, width=480)
    sheet = cv2.imread(str(path))
    assert sheet.shape == (round((480 - 4 * GAP) // 3 * 144 / 176) + 2 * GAP, 480, 3)


def test_few_colours_are_kept_exactly() -> None:
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[..., :3] = [10, 200, 90]
    pixels[:, 30:, :3] = [250, 20, 40]
    read = cv2.imdecode(np.frombuffer(palette_png(pixels), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(read.astype(int) - pixels[..., :3]).max() <= 2


def test_a_photograph_stays_close(small_clip: Path) -> None:
    (photograph,) = spread(Row(small_clip, 120, 1))
    read = cv2.imdecode(np.frombuffer(palette_png(photograph), np.uint8), cv2.IMREAD_COLOR_RGB)
    blurred = [cv2.GaussianBlur(one.astype(np.float32), (7, 7), 0) for one in (read, photograph[..., :3])]
    assert np.abs(blurred[0] - blurred[1]).mean() < 3


@pytest.mark.parametrize(
    ("pts", "time_base", "shown"),
    [
        (0, (1, 10**9), "00:00.000"),
        (3_240_000_000, (1, 10**9), "00:03.240"),
        (61 * 25, (1, 25), "01:01.000"),
        (100 * 60, (1, 1), "100:00.000"),
    ],
)
def test_the_clock_shows_the_time_in_the_clip(pts: int, time_base: tuple[int, int], shown: str) -> None:
    assert clock(SimpleNamespace(pts=pts, time_base=time_base)) == shown
