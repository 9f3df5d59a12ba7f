"""Many shapes at once: the commands that each would have alone, and areas as an exact rasteriser has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from picasso.draw import batches, outlines, rasters
from picasso.draw.attached import joined, moved
from picasso.draw.cpu import CpuPainter
from picasso.draw.lists import DisplayList
from picasso.draw.sketch import Sketch
from picasso.draw.styles import packed
from picasso.draw.values import ColorDraw
from picasso.errors import ShapeError
from picasso.primitives.object_shapes import mask_attribute
from picasso.surface import SurfaceView, VideoFormat
from picasso_kernels.cpu.compile import pure
from picasso_kernels.paint import compose, masks, raster, rings
from picasso_kernels.paint import display_list as at

SIZE = (64, 48)
MOSAIC = [(4, 2, 12, 10)]
RED, BLUE = packed(ColorDraw(250, 10, 20)), packed(ColorDraw(0, 0, 255, 128))

places = st.floats(-30, 90, width=32)
sizes = st.floats(0, 60, width=32)
angles = st.sampled_from([0.0, 90.0, 180.0, 270.0, -90.0, 45.0]) | st.floats(-720, 720, width=32)
corners = hnp.arrays(np.float64, st.tuples(st.integers(3, 7), st.just(2)), elements=places)
bitmaps = hnp.arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 40)))


def painted(drawing: DisplayList, size_wh: tuple[int, int] = SIZE) -> np.ndarray:
    """Return what a drawing covers, in white on black."""
    surface = SurfaceView.allocate(VideoFormat.GRAY8, size_wh)
    surface.memset(0)
    CpuPainter().paint(surface, drawing)
    return surface.to_numpy()


def by_hand(kind: int, color: int, numbers: list[float], edge: float, angle: float) -> list[list[int]]:
    row = [0] * at.COMMAND_SIZE
    if not compose.put(row, 0, kind, color, *numbers, edge, *compose.direction(angle)):
        return []
    return [row] if compose.keep_visible(row, 0, 1, *SIZE) else []


@given(st.lists(st.tuples(places, places, sizes, sizes, angles), max_size=4), st.sampled_from([None, 0.5, 1.0, 3.5]))
def test_many_rectangles_are_those_that_one_by_one_would_be(rows, edge) -> None:
    found = batches.turned(np.array(rows).reshape(-1, 5), RED, SIZE, edge=edge).commands.tolist()
    expected = []
    for x, y, width, height, angle in rows:
        if edge is not None or min(width, height) > 0:
            expected += by_hand(at.RECT, RED, [x, y, width / 2, height / 2], -1.0 if edge is None else edge, angle)
    assert found == expected


@given(st.lists(st.tuples(places, places, sizes, sizes), max_size=4), st.sampled_from([None, 0.5, 2.0]))
def test_boxes_by_their_corners_are_those_by_their_centres(rows, edge) -> None:
    numbers = np.array(rows, np.float64).reshape(-1, 4)
    corners = np.concatenate([numbers[:, :2], numbers[:, :2] + numbers[:, 2:]], axis=1)
    centres = np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], axis=1)
    without_angle = np.concatenate([centres, np.full((len(rows), 1), np.nan)], axis=1)
    found = batches.boxes(corners, RED, SIZE, edge=edge).commands
    assert np.array_equal(found, batches.turned(without_angle, RED, SIZE, edge=edge).commands)
    twice = batches.layers([(corners, RED, edge), (corners, BLUE, None)], SIZE).commands
    assert np.array_equal(twice, np.concatenate([found, batches.boxes(corners, BLUE, SIZE).commands]))


@given(st.lists(st.tuples(places, places, st.floats(0.25, 30)), max_size=4))
def test_many_discs_are_those_that_one_by_one_would_be(rows) -> None:
    numbers = np.array(rows).reshape(-1, 3)
    found = batches.discs(numbers[:, :2], numbers[:, 2], BLUE, SIZE).commands.tolist()
    expected = [row for x, y, radius in rows for row in by_hand(at.DISC, BLUE, [x, y, radius, radius], -1.0, 0.0)]
    assert found == expected


def test_many_lines_are_those_of_a_sketch() -> None:
    ends = np.random.default_rng(3).uniform(-10, 70, (20, 4))
    sketch = Sketch(SIZE)
    for x0, y0, x1, y1 in ends.tolist():
        sketch.line((x0, y0), (x1, y1), 3, ColorDraw(250, 10, 20))
    found = batches.lines(ends[:, :2], ends[:, 2:], 3, RED, SIZE)
    assert np.array_equal(found.commands, sketch.finish().commands)


def test_what_has_no_place_or_no_size_is_left_out() -> None:
    boxes = [(np.nan, 0, 5, 5), (10, 10, 5, 5), (0, 0, np.inf, 9), (80, 0, 90, 9), (1, 2, 3, 4)]
    assert len(batches.boxes(boxes, RED, SIZE)) == 1
    assert len(batches.boxes(boxes, packed(ColorDraw(1, 2, 3, 0)), SIZE)) == 0


def exact_area(points: np.ndarray, even_odd: bool, fine: int = 8) -> np.ndarray:
    """Return which share of each pixel is inside, by the winding numbers of many points in it."""
    width, height = SIZE
    x = (np.arange(width * fine) + 0.5) / fine
    y = (np.arange(height * fine) + 0.5) / fine
    winding = np.zeros((height * fine, width * fine), int)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        rows = (y >= min(y0, y1)) & (y < max(y0, y1))
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        winding[rows] += (1 if y1 > y0 else -1) * (x[None, :] > crossing[rows][:, None])
    inside = winding % 2 == 1 if even_odd else winding != 0
    return inside.reshape(height, fine, width, fine).mean((1, 3))


def polygon(points: np.ndarray, **options: bool) -> DisplayList:
    return rasters.cover(points, [len(points)], [1], [packed(ColorDraw(255, 255, 255))], SIZE, **options)


@settings(deadline=None, max_examples=30)
@given(hnp.arrays(np.float64, (3, 2), elements=places))
def test_a_triangle_covers_its_exact_area(points) -> None:
    """Within what the grid of the reference and 1/256 pixel of the vertices leave open."""
    assert np.abs(painted(polygon(points)) / 255 - exact_area(points, False)).max() < 0.15


@settings(deadline=None, max_examples=30)
@given(corners, st.booleans())
def test_pixels_far_from_edges_are_inside_or_outside(points, even_odd) -> None:
    area = exact_area(points, even_odd)
    neighbours = np.stack([np.roll(area, shift, (0, 1)) for shift in np.ndindex(3, 3)])
    solid = (neighbours == 1).all(axis=0) | (neighbours == 0).all(axis=0)
    solid = np.roll(solid, (-1, -1), (0, 1))
    solid[[0, -1]] = False
    solid[:, [0, -1]] = False
    found = painted(polygon(points, even_odd=even_odd)) / 255
    assert np.abs(found[solid] - area[solid]).max(initial=0) < 0.15


def test_two_halves_of_a_shape_cover_what_the_whole_does() -> None:
    """Neighbours leave no gap: their coverages add up to the whole."""
    points = np.array([(5.3, 4.2), (50.7, 9.9), (31.2, 44.1)])
    middle = (points[0] + points[1]) / 2
    halves = [np.array([points[0], middle, points[2]]), np.array([middle, points[1], points[2]])]
    total = sum(painted(polygon(half)).astype(int) for half in halves)
    assert np.abs(total - painted(polygon(points))).max() <= 2


@settings(deadline=None, max_examples=40)
@given(st.lists(corners, min_size=1, max_size=3), st.booleans())
def test_machine_code_rasterises_as_the_interpreter_does(shapes, even_odd) -> None:
    points = np.concatenate(shapes)
    ends = np.cumsum([len(shape) for shape in shapes])
    found = rasters.cover(points, ends, np.arange(1, len(shapes) + 1), [RED] * len(shapes), SIZE, even_odd=even_odd)
    glyphs, spots, commands = [0] * 20000, [0] * 20000, [0] * (at.COMMAND_SIZE * len(shapes))
    heads = [0] * raster.heads_size(*SIZE)
    count = pure(raster.cover_shapes)(
        points.reshape(-1).tolist(),
        [0] * points.size,
        ends.tolist(),
        list(range(1, len(shapes) + 1)),
        [RED] * len(shapes),
        even_odd,
        *SIZE,
        heads,
        [0] * 20000,
        spots,
        glyphs,
        commands,
    )
    assert_equal_lists(found, commands[: count * at.COMMAND_SIZE], glyphs, spots[: heads[0]])


def assert_equal_lists(found: DisplayList, commands: list[int], glyphs: list[int], spots: list[int]) -> None:
    assert found.commands.reshape(-1).tolist() == commands
    count = found.commands[-1, at.FIRST] + found.commands[-1, at.COUNT] if len(found) else 0
    assert found.glyphs.reshape(-1).tolist() == glyphs[: count * at.GLYPH_SIZE]
    assert found.coverage[: len(spots)].tolist() == spots


rings_of = st.lists(st.tuples(places, places, st.floats(0, 60), st.floats(0, 60), st.floats(0, 40)), max_size=3)
arcs = st.none() | st.tuples(st.floats(-360, 360), st.floats(-360, 360))


@settings(deadline=None, max_examples=40)
@given(rings_of, st.floats(0.1, 6), st.booleans(), arcs)
@example([(10.0, 10.0, 0.0, 0.0, 0.0)], 2.0, True, None)
def test_machine_code_draws_rings_as_the_interpreter_does(shapes, pen, as_ellipses, arc) -> None:
    table = np.array(shapes, np.float64).reshape(-1, rings.RING_SIZE)
    if as_ellipses:
        table[:, rings.RING_RADIUS] = -1
    found = rasters.rings(table, pen, arc, RED, SIZE)
    glyphs, spots, commands, used = [0] * 20000, [0] * 20000, [0] * (at.COMMAND_SIZE * len(table)), [0, 0]
    numbers = rasters._arc_numbers(pen, arc).tolist()
    tints, flat = [RED] * len(table), table.reshape(-1).tolist()
    count = pure(rings.cover_rings)(flat, tints, numbers, *SIZE, spots, glyphs, used, commands)
    assert_equal_lists(found, commands[: count * at.COMMAND_SIZE], glyphs, spots[: used[0]])


def area_between(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    return exact_area(outer, False) - exact_area(inner, False)


TURNS = np.linspace(0, 2 * np.pi, 400, endpoint=False)
UNIT = np.stack([np.cos(TURNS), np.sin(TURNS)], axis=1)


@settings(deadline=None, max_examples=20)
@given(st.floats(-5, 60), st.floats(-5, 45), st.floats(3, 40), st.floats(0.5, 2.5))
@example(1.5, 1.5, 3.0, 2.5)
def test_a_circle_covers_its_exact_area_within_a_tenth(x, y, radius, pen) -> None:
    expected = area_between((x, y) + UNIT * (radius + pen), (x, y) + UNIT * (radius - pen))
    white = packed(ColorDraw(255, 255, 255))
    found = painted(outlines.circles(np.array([(x, y)]), np.array([radius]), 2 * pen, white, SIZE)) / 255
    assert np.abs(found - expected).max() < 0.13


@settings(deadline=None, max_examples=40)
@given(st.floats(5, 55), st.floats(5, 40), st.floats(0.6, 6), st.floats(0.5, 5), st.booleans())
@example(10.5, 10.5, 4.36, 4.22, False)
@example(30.5, 38.5, 1.38, 4.77, True)
def test_a_hole_takes_no_more_of_a_pixel_than_it_has(x, y, radius, pen, as_ellipse) -> None:
    """A thick pen leaves a hole that is smaller than a pixel, or none."""
    expected = area_between((x, y) + UNIT * (radius + pen), (x, y) + UNIT * max(radius - pen, 0.0))
    ring = np.array([(x, y, radius, radius, -1.0 if as_ellipse else radius)])
    found = painted(rasters.rings(ring, pen, None, packed(ColorDraw(255, 255, 255)), SIZE)) / 255
    assert np.abs(found - expected).max() < (0.3 if as_ellipse else 0.2)  # distances to ellipses are of the first order


@settings(deadline=None, max_examples=20)
@given(st.floats(10, 50), st.floats(10, 40), st.floats(30, 40), st.floats(0.7, 1.0), st.floats(0.5, 1.0))
def test_a_thin_pen_draws_an_ellipse_of_equal_width(x, y, radius, flat, pen) -> None:
    radii = np.array([radius, radius * flat])
    across = UNIT / radii
    across /= np.hypot(*across.T)[:, None]
    expected = area_between((x, y) + UNIT * radii + across * pen, (x, y) + UNIT * radii - across * pen)
    white = packed(ColorDraw(255, 255, 255))
    found = painted(outlines.ellipse_rings(np.array([(x, y)]), radii[None], 2 * pen, white, SIZE)) / 255
    assert np.abs(found - expected).max() < 0.16


@settings(deadline=None, max_examples=20)
@given(st.floats(10, 50), st.floats(10, 40), st.floats(10, 20), st.floats(0.5, 0.8), st.floats(1.5, 3))
def test_a_wide_pen_fills_what_lies_between_two_ellipses(x, y, radius, flat, pen) -> None:
    radii = np.array([radius, radius * flat])
    expected = area_between((x, y) + UNIT * (radii + pen), (x, y) + UNIT * (radii - pen))
    white = packed(ColorDraw(255, 255, 255))
    found = painted(outlines.ellipse_rings(np.array([(x, y)]), radii[None], 2 * pen, white, SIZE)) / 255
    assert np.abs(found - expected).max() < 0.2
    half = painted(outlines.ellipse_rings(np.array([(x, y)]), radii[None], 2 * pen, white, SIZE, (0, 180))) / 255
    rows = np.arange(SIZE[1]) + 0.5
    assert np.array_equal(half[rows > y + 0.5], found[rows > y + 0.5])
    assert not half[rows < y - 0.5].any()


def test_a_box_with_round_corners_is_straight_along_its_sides_and_round_at_its_corners() -> None:
    white = packed(ColorDraw(255, 255, 255))
    found = painted(outlines.round_rings(np.array([(8.0, 6.0, 56.0, 42.0)]), [10.0], 2, white, SIZE))
    assert (found[16:32, 7:9] == 255).all()
    assert (found[16:32, 55:57] == 255).all()
    assert (found[5:7, 18:46] == 255).all()
    assert (found[41:43, 18:46] == 255).all()
    assert not found[7:41, 18:46].any()
    assert not found[:8, :8].any()
    circle = painted(outlines.circles(np.array([(18.0, 16.0)]), np.array([10.0]), 2, white, SIZE))
    assert np.array_equal(found[:16, :18], circle[:16, :18])
    assert np.array_equal(found, found[:, ::-1])
    assert np.array_equal(found, found[::-1])


@settings(deadline=None)
@given(st.lists(corners, min_size=1, max_size=3))
def test_runs_are_in_order_and_apart(shapes) -> None:
    points = np.concatenate(shapes)
    found = rasters.cover(points, np.cumsum([len(shape) for shape in shapes]), np.arange(1, len(shapes) + 1), RED, SIZE)
    for command in found.commands:
        runs = found.glyphs[command[at.FIRST] : command[at.FIRST] + command[at.COUNT]]
        starts = runs[:, at.GLYPH_TOP] * 1000 + runs[:, at.GLYPH_LEFT]
        assert (np.diff(starts) >= runs[:-1, at.GLYPH_WIDTH]).all()
        assert (runs[:, at.GLYPH_HEIGHT] == 1).all()
        assert (runs[:, at.GLYPH_OFFSET] > 0).all()
        spotted = runs[runs[:, at.GLYPH_OFFSET] >= at.SPOTS]
        assert (spotted[:, at.GLYPH_OFFSET] - at.SPOTS + spotted[:, at.GLYPH_WIDTH] <= len(found.coverage)).all()
        assert command[at.LEFT] == runs[:, at.GLYPH_LEFT].min() >= 0
        assert command[at.RIGHT] == (runs[:, at.GLYPH_LEFT] + runs[:, at.GLYPH_WIDTH]).max() <= SIZE[0]
        assert 0 <= runs[:, at.GLYPH_TOP].min() == command[at.TOP]
        assert runs[:, at.GLYPH_TOP].max() + 1 == command[at.BOTTOM] <= SIZE[1]


def test_far_points_and_endless_ones_take_no_time() -> None:
    far = np.array([(-1e30, -1e30), (1e30, -1e30), (0, 1e30)])
    assert painted(polygon(far)).min() == 255
    endless = np.array([(0, 0), (np.inf, 0), (10, 10), (0, 0), (10, 0), (10, 10)])
    drawing = rasters.cover(endless, [3, 6], [1, 2], [RED, BLUE], SIZE)
    assert drawing.commands[:, at.COLOR].tolist() == [BLUE]


def comb(count: int, step: float, height: int) -> np.ndarray:
    return np.array([(x * step, 0 if x % 2 else height) for x in range(count)])


def test_more_runs_than_there_is_room_for_at_first_are_drawn() -> None:
    teeth = comb(300, 2, 300)
    drawing = rasters.cover(teeth, [len(teeth)], [1], [packed(ColorDraw(255, 255, 255))], (600, 300))
    assert len(drawing.coverage) > 1 << 16
    row = painted(drawing, (600, 300))[150].astype(int)
    assert np.array_equal(row[100:160], row[104:164])
    assert row[100:104].sum() == pytest.approx(2 * 255, abs=4)


@pytest.mark.parametrize("teeth", [comb(1000, 2, 2000), comb(8000, 0.25, 2000)], ids=["wide", "narrow"])
def test_an_attack_of_edges_ends_soon(teeth) -> None:
    drawing = rasters.cover(teeth, [len(teeth)], [1], [RED], (2000, 2000))
    assert len(drawing.glyphs) <= 1 << 21


@settings(deadline=None)
@given(st.lists(st.tuples(bitmaps, st.integers(-20, 70), st.integers(-20, 50)), min_size=1, max_size=3))
def test_bitmaps_are_painted_pixel_by_pixel(masks_at) -> None:
    width, height = SIZE
    expected = np.zeros((height, width), bool)
    for bitmap, left, top in masks_at:
        whole = np.zeros((200, 200), bool)
        whole[50 + top : 50 + top + bitmap.shape[0], 50 + left : 50 + left + bitmap.shape[1]] = bitmap
        expected |= whole[50 : 50 + height, 50 : 50 + width]
    found = rasters.scan(
        [bitmap for bitmap, _, _ in masks_at],
        [place for _, *place in masks_at],
        packed(ColorDraw(255, 255, 255)),
        SIZE,
    )
    assert np.array_equal(painted(found), expected * np.uint8(255))


def test_bitmaps_of_one_array_are_read_where_they_lie() -> None:
    whole = np.random.default_rng(5).integers(0, 2, (3, 48, 64), np.uint8)
    one = rasters.scan(list(whole), np.zeros((3, 2)), RED, SIZE)
    apart = rasters.scan([bitmap.copy() for bitmap in whole], np.zeros((3, 2)), RED, SIZE)
    assert np.array_equal(one.glyphs, apart.glyphs)
    cut = rasters.scan([whole[1, 3:40, 5:60]], [(5, 3)], packed(ColorDraw(255, 255, 255)), SIZE)
    assert np.array_equal(painted(cut)[3:40, 5:60] > 0, whole[1, 3:40, 5:60] > 0)


@settings(deadline=None, max_examples=30)
@given(bitmaps, st.integers(-10, 60), st.integers(-10, 40))
def test_machine_code_scans_as_the_interpreter_does(bitmap, left, top) -> None:
    found = rasters.scan([bitmap], [(left, top)], RED, SIZE)
    glyphs, commands = [0] * 5000, [0] * at.COMMAND_SIZE
    height, width = bitmap.shape
    table = [0, width, width, height, left, top]
    count = pure(masks.scan_bitmaps)(bitmap.view(np.uint8).reshape(-1), table, *SIZE, glyphs, commands)
    assert found.glyphs.reshape(-1).tolist() == glyphs[: count * at.GLYPH_SIZE]


@settings(deadline=None)
@given(bitmaps, places, places, st.floats(0.5, 80), st.floats(0.5, 60))
def test_a_grid_paints_the_pixels_whose_centres_lie_in_its_cells(bitmap, left, top, width, height) -> None:
    rows, columns, *runs = mask_attribute(bitmap).values[0].as_integers()
    left, top, width, height = (round(value * 256) / 256 for value in (left, top, width, height))
    found = rasters.stretch(
        [(rows, columns, runs)], [(left, top, left + width, top + height)], packed(ColorDraw(255, 255, 255)), SIZE
    )
    x = np.floor((np.arange(SIZE[0]) + 0.5 - left) * columns / width).astype(int)
    y = np.floor((np.arange(SIZE[1]) + 0.5 - top) * rows / height).astype(int)
    padded = np.pad(bitmap, 1)
    expected = padded[np.clip(y, -1, rows)[:, None] + 1, np.clip(x, -1, columns)[None, :] + 1]
    assert np.array_equal(painted(found) > 0, expected)
    glyphs, commands = [0] * 20000, [0] * at.COMMAND_SIZE
    numbers = [round(value * 256) for value in (left, top, left + width, top + height)]
    table = [0, len(runs), columns, rows, *numbers]
    count = pure(masks.stretch_grids)(runs, table, *SIZE, glyphs, commands)
    assert found.glyphs.reshape(-1).tolist() == glyphs[: count * at.GLYPH_SIZE]


def test_an_image_is_blended_by_its_alpha_and_its_opacity() -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[..., :3] = (10, 200, 90)
    pixels[0, :, 3] = (0, 128, 255)
    pixels[1, :, 3] = 255
    for opacity in (1.0, 0.5):
        picture = np.full((4, 4, 3), 50, np.uint8)
        surface = SurfaceView.wrap(picture)
        CpuPainter().paint(surface, batches.image(pixels, 2, 1, (4, 4), opacity=opacity))
        alpha = pixels[:, :2, 3:] / 255 * opacity
        expected = 50 * (1 - alpha) + pixels[:, :2, :3] * alpha
        assert np.abs(picture[1:3, 2:] - expected).max() <= 1.5
        assert (picture[:1] == 50).all()
        assert (picture[:, :2] == 50).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_mosaic_shows_the_mean_of_each_square(channels: int) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (12, 20, channels), np.uint8)
    before = pixels.astype(int)
    CpuPainter().paint(
        SurfaceView.wrap(pixels[..., 0] if channels == 1 else pixels), batches.mosaics(MOSAIC, 4, (20, 12))
    )
    tiles = before[2:10, 4:12].reshape(2, 4, 2, 4, channels).mean((1, 3))
    shown = pixels[2:10, 4:12].reshape(2, 4, 2, 4, channels)[..., :3]
    assert (shown == shown[:, :1, :, :1]).all()
    assert np.abs(shown[:, 0, :, 0] - tiles[..., :3]).max() <= 0.5
    before[2:10, 4:12] = pixels[2:10, 4:12]
    assert np.array_equal(pixels, before)


def test_drawings_of_every_kind_join_and_move() -> None:
    square = np.array([(2, 2), (20, 4), (9, 18.5)])
    pixels = np.random.default_rng(6).integers(0, 256, (5, 6, 4), np.uint8)
    parts = [
        batches.boxes([(1, 1, 9, 9)], RED, SIZE),
        polygon(square),
        batches.image(pixels, 3, 4, SIZE),
        polygon(square + 7),
        batches.image(pixels, 9, 9, SIZE),
    ]
    one, together = (SurfaceView.allocate(VideoFormat.RGB, SIZE) for _ in range(2))
    for surface in (one, together):
        surface.memset(9)
    for part in parts:
        CpuPainter().paint(one, moved(part, 3, 2))
    CpuPainter().paint(together, moved(joined(parts), 3, 2))
    assert np.array_equal(one.to_numpy(), together.to_numpy())
    assert (one.to_numpy() != 9).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rasters.cover([(0, 0)], [2], [1], [RED], SIZE), r"contour_ends: expected numbers that grow to 1"),
        (lambda: rasters.cover([(0, 0)], [1], [2], [RED], SIZE), r"shape_ends: expected numbers that grow to 1"),
        (lambda: rasters.scan([np.zeros((2, 2))], [(0, 0)], [RED], SIZE), r"masks: expected .* got float64 \(2, 2\)"),
        (lambda: batches.image(np.zeros((2, 2), np.uint8), 0, 0, SIZE), r"image: expected .* got uint8 \(2, 2\)"),
    ],
    ids=["contours-beyond-points", "shapes-beyond-contours", "masks-of-floats", "image-without-channels"],
)
def test_wrong_arrays_are_refused(call, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call()
