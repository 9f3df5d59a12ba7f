"""The artist: what is drawn where, exactly where that can be said."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from picasso.draw import ColorDraw, PaddingDraw
from picasso.errors import SpecError
from picasso.module import Frame
from picasso.module.drawing import Artist, Position
from picasso.module.drawing.artist import kernel_of, spread_of
from picasso.module.meta import FramePixels
from picasso.primitives import BBox, Point, PolygonalArea, RBBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

WIDTH, HEIGHT = 96, 64
RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 255, 0, 0)
Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Draw = Callable[[Artist], object]


def blank(level: int = 0) -> Pixels:
    pixels = np.full((HEIGHT, WIDTH, 4), level, np.uint8)
    pixels[..., 3] = 255
    return pixels


def drawn(draw: Draw, pixels: Pixels | None = None) -> Pixels:
    """What the artist makes of a picture, black unless it is given."""
    pixels = blank() if pixels is None else pixels
    with Artist(pixels) as artist:
        draw(artist)
    return pixels


def painted(pixels: Pixels, color: tuple[int, ...] = RED) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (pixels[..., :3] == color[:3]).all(-1)


def framed(pixels: Pixels | None = None) -> Frame:
    surface = SurfaceView.allocate(VideoFormat.RGBA, (WIDTH, HEIGHT))
    surface.upload(blank() if pixels is None else pixels)
    return Frame(VideoFrame("cam", "30/1", WIDTH, HEIGHT, pts=0), FramePixels.of_picture(surface))


whole = st.integers(-20, 110)
size = st.integers(1, 60)


@given(whole, whole, size, size)
def test_a_filled_box_covers_its_pixels_and_no_other(left: int, top: int, width: int, height: int) -> None:
    box = BBox(left + width / 2, top + height / 2, width, height)
    pixels = drawn(lambda artist: artist.add_bbox(box, border_width=0, bg_color=RED))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    assert (painted(pixels) == expected).all()
    assert (pixels[~expected][:, :3] == 0).all()


@given(st.integers(8, 40), st.integers(8, 30), st.integers(8, 40), st.integers(8, 30), st.sampled_from([2, 4, 6]))
def test_a_border_has_its_middle_on_the_edge(left: int, top: int, width: int, height: int, border: int) -> None:
    box = BBox(left + width / 2, top + height / 2, width, height)
    mask = painted(drawn(lambda artist: artist.add_bbox(box, border, RED)))
    half = border // 2
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[top - half : top + height + half, left - half : left + width + half] = True
    expected[top + half : top + height - half, left + half : left + width - half] = False
    assert (mask == expected).all()


@given(st.tuples(*[st.integers(0, 9)] * 4), st.booleans())
def test_padding_is_room_around_the_box(padding: tuple[int, int, int, int], as_value: bool) -> None:
    given_padding = PaddingDraw(*padding) if as_value else padding
    mask = painted(drawn(lambda artist: artist.add_bbox(BBox(40, 30, 20, 10), 0, bg_color=RED, padding=given_padding)))
    left, top, right, bottom = padding
    rows, columns = np.nonzero(mask)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (
        30 - left,
        25 - top,
        50 + right,
        35 + bottom,
    )


COLORS = [(10, 20, 30, 255), (10, 20, 30), [10, 20, 30, 255], np.array([10, 20, 30, 255]), ColorDraw(10, 20, 30)]


@pytest.mark.parametrize(
    "color", COLORS, ids=lambda color: type(color).__name__ + str(len(getattr(color, "rgba", color)))
)
def test_colours_come_as_channels_or_as_values(color: Any) -> None:
    pixels = drawn(lambda artist: artist.add_bbox(BBox(40, 30, 20, 10), 0, bg_color=color))
    assert pixels[30, 40].tolist() == [10, 20, 30, 255]


@given(st.integers(0, 255))
def test_alpha_mixes_with_what_is_below(alpha: int) -> None:
    pixels = drawn(lambda artist: artist.add_bbox(BBox(40, 30, 20, 10), 0, bg_color=(200, 0, 0, alpha)), blank(100))
    assert abs(int(pixels[30, 40, 0]) - (100 + 100 * alpha / 255)) <= 1


@given(st.sampled_from(list(Position)), st.integers(30, 60), st.integers(28, 36), st.tuples(*[st.integers(0, 8)] * 4))
def test_the_anchor_is_the_named_point_of_the_box_of_a_text(
    position: Position, x: int, y: int, padding: tuple[int, int, int, int]
) -> None:
    def draw(artist: Artist) -> None:
        sizes.append(
            artist.add_text(
                "ab", (x, y), 0.3, font_color=RED, bg_color=BLUE, padding=padding, anchor_point_type=position
            )
        )

    sizes: list[tuple[tuple[int, int], int]] = []
    pixels = drawn(draw)
    (width, height), baseline = sizes[0]
    rows, columns = np.nonzero(pixels[..., :3].any(-1))
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert (right - left, bottom - top) == (
        width + padding[0] + padding[2],
        height + baseline + padding[1] + padding[3],
    )
    share_x, share_y = position.value
    assert abs(left + share_x * (right - left) - x) <= 0.5
    assert abs(top + share_y * (bottom - top) - y) <= 0.5


def test_there_are_nine_anchors() -> None:
    assert len({position.value for position in Position}) == 9
    assert Position.TOP_LEFT is Position.LEFT_TOP


def test_text_is_written_in_its_colour_on_top_of_its_box() -> None:
    pixels = drawn(lambda artist: artist.add_text("MM", (48, 32), 0.8, font_color=RED, bg_color=BLUE))
    assert painted(pixels).sum() > 50
    assert painted(pixels, BLUE).sum() > 50


def test_a_border_of_a_text_is_drawn_where_it_has_a_width() -> None:
    with_border = drawn(
        lambda artist: artist.add_text("a", (48, 32), 0.5, font_color=CLEAR, border_width=2, border_color=RED)
    )
    assert painted(with_border).sum() > 20
    assert not painted(drawn(lambda artist: artist.add_text("a", (48, 32), font_color=CLEAR, border_color=RED))).any()


def test_thicker_letters_cover_more_and_larger_scales_are_larger() -> None:
    def ink(**options: Any) -> int:
        return int(drawn(lambda artist: artist.add_text("abc", (48, 32), font_color=RED, **options))[..., 0].sum())

    assert ink() < ink(font_thickness=2) < ink(font_thickness=3)
    assert ink(font_scale=0.3) < ink(font_scale=0.5) < ink(font_scale=0.9)


def test_capitals_are_22_pixels_high_at_a_scale_of_1() -> None:
    rows, _ = np.nonzero(drawn(lambda artist: artist.add_text("H", (48, 32), 1.0, font_color=RED))[..., 0] > 100)
    assert abs(rows.max() + 1 - rows.min() - 22) <= 1


def test_lines_of_a_text_stand_below_each_other() -> None:
    sizes = []

    def draw(artist: Artist) -> None:
        sizes.append(artist.add_text("a", (20, 20), 0.4))
        sizes.append(artist.add_text("a\nb", (60, 20), 0.4))

    drawn(draw)
    assert sizes[1][0][1] > 1.8 * sizes[0][0][1]


@given(st.floats(20, 70), st.floats(20, 44), st.floats(1, 18))
def test_a_disc_has_its_area(x: float, y: float, radius: float) -> None:
    coverage = drawn(lambda artist: artist.add_circle((x, y), radius, RED, -1))[..., 0].sum() / 255
    assert coverage == pytest.approx(math.pi * radius**2, rel=0.06, abs=1.5)


@given(st.floats(30, 60), st.floats(26, 38), st.floats(6, 18), st.floats(1, 6))
def test_a_circle_is_a_ring_of_its_thickness(x: float, y: float, radius: float, thickness: float) -> None:
    pixels = drawn(lambda artist: artist.add_circle((x, y), radius, RED, thickness))
    assert pixels[..., 0].sum() / 255 == pytest.approx(2 * math.pi * radius * thickness, rel=0.05, abs=2)
    rows, columns = np.nonzero(pixels[..., 0] == 255)
    distances = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
    assert (np.abs(distances - radius) <= thickness / 2).all()


@given(st.floats(10, 80), st.floats(10, 50), st.floats(10, 80), st.floats(10, 50), st.floats(1, 5))
def test_a_line_has_its_length_and_width(x0: float, y0: float, x1: float, y1: float, width: float) -> None:
    pixels = drawn(lambda artist: artist.add_line((x0, y0), (x1, y1), RED, width))
    length = math.hypot(x1 - x0, y1 - y0)
    if length > 2:
        assert pixels[..., 0].sum() / 255 == pytest.approx(length * width, rel=0.15, abs=3)


@given(st.integers(1, 40), st.integers(1, 30), st.integers(2, 40), st.integers(2, 30))
def test_a_filled_upright_polygon_covers_its_pixels(left: int, top: int, width: int, height: int) -> None:
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    mask = painted(drawn(lambda artist: artist.add_polygon(corners, 0, bg_color=RED)))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[top : top + height, left : left + width] = True
    assert (mask == expected).all()


@given(st.lists(st.tuples(st.floats(-30, 120), st.floats(-30, 90)), min_size=3, max_size=3))
@example([(10.0, 10.0), (80.0, 10.0), (10.0, 50.0)])
def test_a_filled_triangle_covers_what_is_inside_of_it(corners: list[tuple[float, float]]) -> None:
    mask = drawn(lambda artist: artist.add_polygon(corners, 0, bg_color=RED))[..., 0]
    for x, y in [(5, 5), (20, 30), (48, 32), (90, 60), (40, 12)]:
        sides = [
            (b[0] - a[0]) * (y + 0.5 - a[1]) - (b[1] - a[1]) * (x + 0.5 - a[0])
            for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)
        ]
        lengths = [math.dist(a, b) for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
        distances = [side / length if length else 0.0 for side, length in zip(sides, lengths, strict=True)]
        if all(distance > 1 for distance in distances) or all(distance < -1 for distance in distances):
            assert mask[y, x] == 255
        elif min(distances) < -1 < 1 < max(distances) and min(map(abs, distances)) > 1:
            assert mask[y, x] == 0


@given(st.floats(10, 60), st.floats(10, 40), st.floats(3, 20), st.integers(3, 40), st.floats(0, 6))
def test_a_filled_polygon_has_its_area(x: float, y: float, radius: float, corners: int, turn: float) -> None:
    angles = [turn + 2 * math.pi * number / corners for number in range(corners)]
    points = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    inside = [0 <= px <= WIDTH and 0 <= py <= HEIGHT for px, py in points]
    pixels = drawn(lambda artist: artist.add_polygon(points, 0, bg_color=RED))
    area = corners / 2 * radius**2 * math.sin(2 * math.pi / corners)
    if all(inside):
        assert pixels[..., 0].sum() / 255 == pytest.approx(area, rel=0.02, abs=1)


def test_what_a_polygon_surrounds_twice_is_outside() -> None:
    star = [(48 + 28 * math.sin(4 * math.pi * n / 5), 32 - 28 * math.cos(4 * math.pi * n / 5)) for n in range(5)]
    pixels = drawn(lambda artist: artist.add_polygon(star, 0, bg_color=RED))
    assert pixels[32, 48, 0] == 0
    assert pixels[12, 48, 0] == 255


@pytest.mark.parametrize("alpha", [255, 128], ids=["opaque", "translucent"])
def test_the_edges_of_a_polygon_are_drawn_once_with_their_width(alpha: int) -> None:
    corners = PolygonalArea([Point(20, 20), Point(60, 20), Point(60, 44), Point(20, 44)])
    pixels = drawn(lambda artist: artist.add_polygon(corners, 4, (255, 0, 0, alpha)))
    assert {int(level) for level in pixels[19:21, 30:50, 0].ravel()} == {alpha}
    assert (pixels[22:42, 22:58, 0] == 0).all()
    assert pixels[20, 20, 0] == alpha
    assert int(pixels[..., 0].max()) == alpha


@given(st.floats(0, 30))
def test_round_corners_take_away_what_lies_beyond_their_circle(radius: float) -> None:
    pixels = drawn(lambda artist: artist.add_rounded_rect(BBox(48, 32, 40, 24), radius, RED))
    kept = min(radius, 12)
    assert pixels[..., 0].sum() / 255 == pytest.approx(40 * 24 - (4 - math.pi) * kept**2, abs=4)
    assert (pixels[32, 29:67, 0] == 255).all()


def test_layers_lie_as_they_are_named() -> None:
    def draw(artist: Artist) -> None:
        artist.add_circle((40, 30), 6, RED, -1)
        artist.add_text("M", (20, 30), 0.8, font_color=RED)
        artist.add_bbox(RBBox(70, 30, 10, 10, 45), 0, bg_color=RED)
        artist.add_bbox(BBox(48, 32, 90, 60), 0, bg_color=BLUE)

    pixels = drawn(draw)
    assert pixels[30, 40].tolist() == list(RED)
    assert pixels[30, 70].tolist() == list(RED)
    assert painted(pixels[:, 10:30]).sum() > 5
    assert pixels[5, 5].tolist() == list(BLUE)


@given(st.floats(0.5, 40), st.integers(0, 2**31))
def test_a_blur_changes_its_box_only_and_keeps_its_mean(sigma: float, seed: int) -> None:
    before = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    after = drawn(lambda artist: artist.blur(BBox(40, 30, 40, 30), sigma=sigma), before.copy())
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[15:45, 20:60] = True
    assert (after[~inside][:, :3] == before[~inside][:, :3]).all()
    assert after[inside][:, :3].std() <= before[inside][:, :3].std()
    assert after[inside][:, :3].mean() == pytest.approx(before[inside][:, :3].mean(), abs=9)


def test_a_blur_of_one_colour_changes_nothing_and_its_padding_counts() -> None:
    level = blank(90)
    assert (drawn(lambda artist: artist.blur(BBox(40, 30, 40, 30)), level.copy()) == level).all()
    edge = blank()
    edge[:, 60:] = 255
    blurred = drawn(lambda artist: artist.blur(BBox(45, 30, 20, 20), (0, 0, 20, 0), 3.0), edge.copy())
    changed = np.nonzero((blurred != edge).any(-1))
    assert (changed[0].min(), changed[0].max() + 1) == (20, 40)
    assert changed[1].min() >= 50
    assert changed[1].max() < 75


def test_the_kernel_of_a_blur_is_four_sigmas_odd_and_at_most_31() -> None:
    assert [kernel_of(sigma) for sigma in (0.5, 1, 2, 3.5, 7.7, 8, 100)] == [3, 5, 9, 15, 31, 31, 31]
    assert spread_of(1000) == pytest.approx(math.sqrt((31**2 - 1) / 12), abs=0.01)
    assert all(spread_of(sigma) < sigma for sigma in (1, 2, 5, 20))


@pytest.mark.parametrize("side", [20, 60])
def test_the_default_sigma_is_a_tenth_of_the_shorter_side(side: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    box = BBox(48, 32, 70, side)
    default = drawn(lambda artist: artist.blur(box), picture.copy())
    assert (default == drawn(lambda artist: artist.blur(box, sigma=side / 10), picture.copy())).all()
    assert (default != drawn(lambda artist: artist.blur(box, sigma=side / 5), picture.copy())).any()


@given(whole, whole, size, size, st.booleans())
def test_a_graphic_is_cut_to_the_frame(left: int, top: int, width: int, height: int, has_alpha: bool) -> None:
    graphic = np.zeros((height, width, 4 if has_alpha else 3), np.uint8)
    graphic[..., 0] = 7
    graphic[..., 3:] = 255
    pixels = drawn(lambda artist: artist.add_graphic(graphic, (left, top)))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    assert (pixels[..., 0] == 7 * expected).all()
    assert (pixels[..., 3] == 255).all()


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_a_graphic_mixes_by_its_alpha_to_the_nearest_level(below: int, level: int, alpha: int) -> None:
    pixels = drawn(
        lambda artist: artist.add_graphic(np.full((2, 2, 4), (level, 0, 0, alpha), np.uint8), (3, 3)), blank(below)
    )
    assert int(pixels[3, 3, 0]) == (level * alpha + below * (255 - alpha) + 127) // 255
    assert int(pixels[6, 6, 0]) == below


def test_a_graphic_lies_on_what_was_drawn_below_and_under_what_lies_above() -> None:
    def draw(artist: Artist) -> None:
        artist.add_bbox(BBox(48, 32, 80, 50), 0, bg_color=BLUE)
        artist.add_circle((50, 30), 3, (0, 255, 0), -1)
        artist.add_graphic(np.full((20, 20, 4), RED, np.uint8), (40, 20))

    pixels = drawn(draw)
    assert pixels[22, 42].tolist() == list(RED)
    assert pixels[30, 50].tolist() == [0, 255, 0, 255]
    assert pixels[10, 10].tolist() == list(BLUE)


@given(whole, whole, size, size)
def test_a_region_is_copied_as_far_as_it_is_in_the_frame(left: int, top: int, width: int, height: int) -> None:
    picture = np.arange(HEIGHT * WIDTH * 4, dtype=np.uint32).astype(np.uint8).reshape(HEIGHT, WIDTH, 4)
    artist = Artist(picture)
    region = artist.copy_frame_region(BBox(left + width / 2, top + height / 2, width, height))
    expected = picture[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    assert region.shape == expected.shape
    assert (region == expected).all()
    region[:] = 0
    assert expected.size == 0 or picture.any()


def test_a_region_has_what_was_drawn_below_before() -> None:
    frame = framed()
    with Artist(frame) as artist:
        artist.add_bbox(BBox(20, 20, 10, 10), 0, bg_color=RED)
        region = artist.copy_frame_region(BBox(20, 20, 10, 10))
    assert (region == RED).all()


def test_the_frame_keeps_its_pixels_where_no_graphic_is_laid_over_them() -> None:
    surface = SurfaceView.allocate(VideoFormat.RGBA, (WIDTH, HEIGHT))
    surface.memset(0)
    from picasso.transform import Placement, TransformConfig

    pixels = FramePixels(surface, Placement.compute((WIDTH, HEIGHT), (WIDTH, HEIGHT), TransformConfig()))
    frame = Frame(VideoFrame("cam", "30/1", WIDTH, HEIGHT, pts=0), pixels)
    with Artist(frame) as artist:
        assert artist.frame_wh == (WIDTH, HEIGHT)
        artist.add_bbox(BBox(20, 20, 10, 10))
        artist.add_text("a", (20, 20))
        artist.add_polygon([(1, 1), (20, 1), (20, 20)], bg_color=RED)
        artist.blur(BBox(40, 40, 20, 20))
    assert not pixels.is_converted
    assert len(frame.take_drawings()) == 1
    assert frame.take_drawings() == []
    with Artist(frame) as artist:
        artist.copy_frame_region(BBox(20, 20, 10, 10))
    assert (pixels.is_converted, pixels.is_edited) == (True, False)
    with Artist(frame) as artist:
        artist.add_graphic(np.zeros((2, 2, 4), np.uint8), (0, 0))
    assert pixels.is_edited


def test_what_an_artist_drew_before_it_failed_is_forgotten() -> None:
    frame = framed()

    def draw() -> None:
        with Artist(frame) as artist:
            artist.add_bbox(BBox(20, 20, 10, 10))
            artist.add_polygon([])

    with pytest.raises(SpecError):
        draw()
    assert frame.take_drawings() == []


BOX = BBox(20, 20, 10, 10)
GRAPHIC = np.zeros((2, 2, 4), np.uint8)
WRONG: dict[str, tuple[Draw, type[Exception], str]] = {
    "add_bbox(border_color='red')": (
        lambda a: a.add_bbox(BOX, border_color="red"),
        TypeError,
        "border_color: expected",
    ),  # type: ignore[arg-type]
    "add_bbox(bg_color=(1, 2))": (
        lambda a: a.add_bbox(BOX, bg_color=(1, 2)),
        SpecError,
        r"bg_color: expected .*\(1, 2\)",
    ),
    "add_bbox(bg_color=(1, 2, 256))": (lambda a: a.add_bbox(BOX, bg_color=(1, 2, 256)), SpecError, "bg_color: .*256"),
    "add_bbox(border_width=-1)": (lambda a: a.add_bbox(BOX, -1), SpecError, "border_width: expected .* -1"),
    "add_bbox(padding=(1, 2))": (lambda a: a.add_bbox(BOX, padding=(1, 2)), SpecError, "padding: expected 4"),
    "add_bbox(padding=(-1, 0, 0, 0))": (
        lambda a: a.add_bbox(BOX, padding=(-1, 0, 0, 0)),
        SpecError,
        "padding: each side",
    ),
    "add_text(anchor=3)": (lambda a: a.add_text("a", 3), SpecError, "anchor: expected 2 numbers, got 3"),  # type: ignore[arg-type]
    "add_text(font_scale=nan)": (lambda a: a.add_text("a", (1, 1), math.nan), SpecError, "font_scale: expected"),
    "add_circle(radius=-1)": (lambda a: a.add_circle((1, 1), -1, RED, 1), SpecError, "radius: expected"),
    "add_circle(center=(1, inf))": (
        lambda a: a.add_circle((1, math.inf), 1, RED, 1),
        SpecError,
        "center: expected 2 finite",
    ),
    "add_line(thickness='a')": (
        lambda a: a.add_line((1, 1), (2, 2), RED, "a"),
        TypeError,
        "thickness: expected a number",
    ),  # type: ignore[arg-type]
    "add_polygon([])": (lambda a: a.add_polygon([]), SpecError, "vertices: expected at least one point"),
    "add_polygon([(1,)])": (lambda a: a.add_polygon([(1,)]), SpecError, "vertices: expected 2"),  # type: ignore[list-item]
    "add_rounded_rect(radius=-2)": (lambda a: a.add_rounded_rect(BOX, -2, RED), SpecError, "radius: expected"),
    "blur(sigma=-1)": (lambda a: a.blur(BOX, sigma=-1), SpecError, "sigma: expected"),
    "add_graphic([])": (lambda a: a.add_graphic([], (0, 0)), TypeError, "image: expected an array of uint8, got list"),
    "add_graphic(float)": (lambda a: a.add_graphic(GRAPHIC.astype(float), (0, 0)), TypeError, "of float64"),
    "add_graphic((2, 2))": (lambda a: a.add_graphic(GRAPHIC[..., 0], (0, 0)), ValueError, r"got \(2, 2\)"),
}


@pytest.mark.parametrize(("draw", "error", "text"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_drawn_is_refused_by_the_name_of_the_argument(
    draw: Draw, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        draw(Artist(blank()))


@pytest.mark.parametrize("draw", [
    lambda a: a.add_bbox(BBox(math.nan, 1, 2, 2)),
    lambda a: a.add_bbox(BBox(500, 500, 2, 2)),
    lambda a: a.add_circle((48, 32), 0, RED, -1),
    lambda a: a.add_line((1, 1), (50, 50), RED, 0),
    lambda a: a.add_text("", (48, 32)),
    lambda a: a.add_text("a", (48, 32), 0),
    lambda a: a.blur(BBox(500, 500, 20, 20)),
    lambda a: a.add_polygon([(500, 500), (600, 500), (600, 600)], bg_color=RED),
    lambda a: a.add_rounded_rect(BBox(-50, -50, 20, 20), 3, RED),
    lambda a: a.add_bbox(BBox(48, 32, 20, 20), 3, CLEAR, CLEAR),
], ids=["nan", "outside", "no radius", "no width", "no text", "no size", "blur", "polygon", "round", "clear"],
)  # fmt: skip
def test_what_is_not_seen_draws_nothing_and_raises_nothing(draw: Draw) -> None:
    assert (drawn(draw) == blank()).all()
