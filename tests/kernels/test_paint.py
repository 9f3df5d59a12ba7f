"""The painter: what it covers, exactly where, and the same by the interpreter and by machine code."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso_kernels.cpu.compile import host, pure
from picasso_kernels.maths.color import chroma_of, luma_of, to_yuv
from picasso_kernels.paint import compose, painter, target
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import mix, pixel_coverage, share_of

WIDTH, HEIGHT = 24, 16
LETTERS = [[3, 2, 4, 5, 0], [6, 3, 3, 4, 20], [-2, 12, 4, 5, 0], [22, -3, 4, 5, 0]]
RUNS = [
    *([-3, -1, 9, 1, 256], [-3, 2, 4, 1, 256], [1, 2, 1, 1, 77], [2, 2, 12, 1, 256], [22, 2, 5, 1, 3]),
    *([1, 3, 1, 1, 128], [23, 3, 1, 1, 256], [0, 7, 24, 1, 200], [5, 15, 9, 1, 255], [3, 17, 4, 1, 9]),
]
PICTURES = [[-2, 9, 7, 5, 32], [19, -1, 6, 4, 172]]
GLYPHS = [*LETTERS, *RUNS, *PICTURES]
COVERAGE = np.random.default_rng(0).integers(0, 256, 32 + 4 * 35 + 4 * 24, np.uint8)
YUV = to_yuv("bt601", False)

Image = npt.NDArray[np.uint8]


def rect(x: float, y: float, half_w: float, half_h: float, edge: float, angle: float, color: int) -> list[int]:
    return shape(at.RECT, x, y, half_w, half_h, edge, angle, color)


def disc(x: float, y: float, radius: float, color: int) -> list[int]:
    return shape(at.DISC, x, y, radius, radius, -1.0, 0.0, color)


def shape(kind: int, x: float, y: float, w: float, h: float, edge: float, angle: float, color: int) -> list[int]:
    command = [0] * at.COMMAND_SIZE
    assert compose.put(command, 0, kind, color, x, y, w, h, edge, *compose.direction(angle)) == 1
    return command


def blur(x: float, y: float, half_w: float, half_h: float, angle: float, sigma: float) -> list[int]:
    command = shape(at.BLUR, x, y, half_w, half_h, -1.0, angle, at.OPAQUE_BLACK)
    command[at.SIGMA] = round(sigma * at.ONE_PIXEL)
    return command


def text(first: int, count: int, color: int) -> list[int]:
    command = [0] * at.COMMAND_SIZE
    command[at.KIND], command[at.COLOR], command[at.FIRST], command[at.COUNT] = at.TEXT, color, first, count
    command[at.LEFT], command[at.TOP], command[at.RIGHT], command[at.BOTTOM] = -5, -5, WIDTH + 5, HEIGHT + 5
    return command


def runs(first: int, end: int, color: int) -> list[int]:
    """Return the command of some of the runs."""
    command = [0] * at.COMMAND_SIZE
    command[at.KIND], command[at.COLOR] = at.RUNS, color
    command[at.FIRST], command[at.COUNT] = len(LETTERS) + min(first, end), abs(end - first)
    command[at.LEFT], command[at.TOP], command[at.RIGHT], command[at.BOTTOM] = -3, -1, 27, 18
    return command


def image(number: int, alpha: int) -> list[int]:
    """Return the command of one of the pictures."""
    command, glyph = [0] * at.COMMAND_SIZE, len(LETTERS) + len(RUNS) + number
    left, top, width, height, _ = GLYPHS[glyph]
    command[at.KIND], command[at.COLOR], command[at.FIRST], command[at.COUNT] = (
        at.IMAGE,
        packed(0, 0, 0, alpha),
        glyph,
        1,
    )
    command[at.LEFT], command[at.TOP], command[at.RIGHT], command[at.BOTTOM] = left, top, left + width, top + height
    return command


def mosaic(x: float, y: float, half_w: float, half_h: float, angle: float, cell: int) -> list[int]:
    command = shape(at.BLUR, x, y, half_w, half_h, -1.0, angle, at.OPAQUE_BLACK)
    command[at.SIGMA], command[at.CELL] = at.ONE_PIXEL, cell
    return command


def packed(red: int, green: int, blue: int, alpha: int = 255) -> int:
    return int.from_bytes(bytes((red, green, blue, alpha)), "little", signed=True)


places = st.floats(-8, 32, width=32)
sizes = st.floats(0, 20, width=32)
edges = st.sampled_from([-1.0, 0.5, 1.0, 2.5])
angles = st.sampled_from([0.0, 90.0, 180.0, -90.0]) | st.floats(-360, 360)
colors = st.builds(packed, *[st.integers(0, 255)] * 3, st.integers(1, 255))
shapes = st.one_of(
    st.builds(rect, places, places, sizes, sizes, edges, angles, colors),
    st.builds(disc, places, places, st.floats(0.25, 9), colors),
    st.builds(text, st.integers(0, 2), st.integers(0, 2), colors),
    st.builds(runs, st.integers(0, len(RUNS)), st.integers(0, len(RUNS)), colors),
)
blurs = st.one_of(
    st.builds(blur, places, places, sizes, sizes, angles, st.floats(2, 6)),
    st.builds(mosaic, places, places, sizes, sizes, angles, st.integers(1, 9)),
)
images = st.builds(image, st.integers(0, 1), st.integers(1, 255))
noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)


def paint_rgba(commands: list[list[int]], pixels: Image, run: Callable[[Any], Any], swap: bool = False) -> Image:
    """Paint on a copy of ``pixels``."""
    height, width, channels = pixels.shape
    flat, table = pixels.copy().reshape(-1), [width, height]
    for byte in (0, 0, 0) if channels == 1 else (2, 1, 0) if swap else (0, 1, 2):
        table += [byte, width * channels, channels]
    call(run(painter.paint_pixels), commands, [*table, *YUV], [flat], pixels.shape, run is pure)
    return flat.reshape(pixels.shape)


def paint_i420(commands: list[list[int]], planes: list[Image], run: Callable[[Any], Any]) -> list[Image]:
    """Paint on copies of Y, U and V."""
    copies = [plane.copy().reshape(-1) for plane in planes]
    table = [planes[0].shape[1], planes[0].shape[0]]
    for plane in planes:
        table += [0, plane.shape[1], 1]
    call(run(painter.paint_planes), commands, [*table, *YUV], copies, planes[0].shape, run is pure)
    return [copy.reshape(plane.shape) for copy, plane in zip(copies, planes, strict=True)]


def call(
    kernel: Any, commands: list[list[int]], table: list[int], planes: list[Image], shape: tuple[int, ...], plain: bool
) -> None:
    size = painter.scratch_bytes(shape[1], shape[0], True)
    entries = [sum(commands, []), sum(GLYPHS, []), table + [0] * (target.TARGET_SIZE - len(table))]  # noqa: RUF017
    if plain:
        kernel(*entries[:2], COVERAGE, entries[2], *planes, bytearray(size))
    else:
        tables = [np.array(numbers, np.int32) for numbers in entries[:2]]
        kernel(*tables, COVERAGE, np.array(entries[2], np.int64), *planes, np.full(size, 7, np.uint8))


def naive(commands: list[list[int]], pixels: Image) -> Image:
    """Paint pixel by pixel."""
    out = pixels.astype(int)
    for command in commands:
        for y, x in np.ndindex(out.shape[:2]):
            share = share_of(coverage_at(command, x, y), command[at.COLOR])
            for channel, over in enumerate((*np.int32(command[at.COLOR]).tobytes()[:3], 255)[: out.shape[2]]):
                out[y, x, channel] = mix(int(out[y, x, channel]), over, share)
    return out.astype(np.uint8)


def naive_image(command: list[int], pixels: Image) -> Image:
    """Lay one picture on pixels, one by one."""
    out = pixels.astype(int)
    left, top, width, height, offset = GLYPHS[command[at.FIRST]]
    picture = COVERAGE[offset : offset + 4 * width * height].reshape(height, width, 4).astype(int)
    for row, column in np.ndindex(height, width):
        y, x, (*color, alpha) = top + row, left + column, picture[row, column].tolist()
        if 0 <= y < out.shape[0] and 0 <= x < out.shape[1]:
            share = share_of(alpha + (alpha >> 7), command[at.COLOR])
            for channel, over in enumerate((*color, 255)[: out.shape[2]]):
                out[y, x, channel] = mix(int(out[y, x, channel]), over, share)
    return out.astype(np.uint8)


def coverage_at(command: list[int], x: int, y: int) -> int:
    if not (command[at.LEFT] <= x < command[at.RIGHT] and command[at.TOP] <= y < command[at.BOTTOM]):
        return 0
    return pixel_coverage(command, 0, sum(GLYPHS, []), COVERAGE, x, y)  # noqa: RUF017


def split_planes(rgba: Image) -> list[Image]:
    """Take some numbers as Y, U and V."""
    return [rgba[:, :, 0], rgba[::2, ::2, 1], rgba[::2, ::2, 2]]


@settings(deadline=None)
@given(st.lists(shapes, max_size=4))
def test_rows_and_runs_paint_what_single_pixels_would(commands) -> None:
    assert np.array_equal(paint_rgba(commands, noise, host), naive(commands, noise))


@settings(deadline=None)
@given(st.lists(shapes, max_size=3))
def test_pixels_of_three_bytes_take_what_those_of_four_do(commands) -> None:
    three = np.ascontiguousarray(noise[..., :3])
    assert np.array_equal(paint_rgba(commands, three, host), naive(commands, three))
    assert np.array_equal(paint_rgba(commands, three, host, swap=True)[..., ::-1], naive(commands, three[..., ::-1]))


@settings(deadline=None)
@given(shapes)
def test_a_gray_picture_takes_the_luma_of_a_color(command) -> None:
    gray = np.ascontiguousarray(noise[..., :1])
    shades = np.int32(command[at.COLOR]).tobytes()
    light = luma_of(*shades[:3], *YUV[:4])
    dull = [*command]
    dull[at.COLOR] = packed(light, light, light, shades[3])
    assert np.array_equal(paint_rgba([command], gray, host), naive([dull], gray))


@given(images, st.sampled_from([3, 4]))
@settings(deadline=None, max_examples=20)
def test_an_image_is_blended_pixel_by_pixel(command, channels) -> None:
    pixels = np.ascontiguousarray(noise[..., :channels])
    assert np.array_equal(paint_rgba([command], pixels, host), naive_image(command, pixels))


@settings(deadline=None, max_examples=30)
@given(st.lists(shapes | blurs | images, max_size=4), st.sampled_from([1, 3, 4]))
def test_machine_code_paints_pixels_as_the_interpreter_does(commands, channels) -> None:
    pixels = np.ascontiguousarray(noise[..., :channels])
    assert np.array_equal(paint_rgba(commands, pixels, host), paint_rgba(commands, pixels, pure))


@settings(deadline=None, max_examples=30)
@given(st.lists(shapes | blurs | images, max_size=4))
def test_machine_code_paints_planes_as_the_interpreter_does(commands) -> None:
    planes = split_planes(noise)
    for compiled, plain in zip(paint_i420(commands, planes, host), paint_i420(commands, planes, pure), strict=True):
        assert np.array_equal(compiled, plain)


@settings(deadline=None, max_examples=40)
@given(st.lists(shapes, min_size=1, max_size=3), st.sampled_from([2, 4, 6, 8, 10, 14, 16, 18, 22]), st.booleans())
def test_machine_code_stays_within_narrow_surfaces(commands, width, upside_down) -> None:
    """Every width around the sizes of blocks, between neighbours that no one may touch, and as the interpreter does."""
    pixels = noise[:, :width]
    planes = split_planes(pixels)
    for compiled, plain in zip(paint_i420(commands, planes, host), paint_i420(commands, planes, pure), strict=True):
        assert np.array_equal(compiled, plain)
    guarded = noise.copy()
    table = [width - 1, HEIGHT]
    for byte in (0, 1, 2):
        table += [byte + (HEIGHT - 1) * WIDTH * 4, -WIDTH * 4, 4] if upside_down else [byte, WIDTH * 4, 4]
    call(host(painter.paint_pixels), commands, table, [guarded.reshape(-1)], (HEIGHT, width - 1), False)
    assert np.array_equal(guarded[:, width - 1 :], noise[:, width - 1 :])
    ours, before = (picture[::-1] if upside_down else picture for picture in (guarded, noise))
    assert np.array_equal(ours[:, : width - 1], naive(commands, np.ascontiguousarray(before[:, : width - 1])))


@settings(deadline=None)
@given(shapes)
def test_chroma_takes_the_mean_of_four_shares(command) -> None:
    """Luma of each pixel by its share, chroma of each block by the mean, colours by the matrix."""
    planes = split_planes(noise)
    out = paint_i420([command], planes, host)
    red, green, blue = np.int32(command[at.COLOR]).tobytes()[:3]
    shares = np.array(
        [[share_of(coverage_at(command, x, y), command[at.COLOR]) for x in range(WIDTH)] for y in range(HEIGHT)]
    )
    means = (shares.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).sum((1, 3)) + 2) >> 2
    overs = (
        luma_of(red, green, blue, *YUV[:4]),
        chroma_of(4 * red, 4 * green, 4 * blue, *YUV[4:7]),
        chroma_of(4 * red, 4 * green, 4 * blue, *YUV[7:]),
    )
    for plane, painted, over, share in zip(planes, out, overs, (shares, means, means), strict=True):
        assert np.array_equal(painted, (plane.astype(int) * (256 - share) + over * share + 128) >> 8)


@given(
    st.integers(-4, WIDTH), st.integers(-4, HEIGHT), st.integers(0, WIDTH), st.integers(0, HEIGHT),
    st.sampled_from([0.0, 90.0, 180.0, 270.0, -90.0]),
)  # fmt: skip
@settings(deadline=None)
def test_a_fill_covers_exactly_the_box_of_integer_corners(left, top, width, height, angle) -> None:
    w, h = (width, height) if angle % 180 == 0 else (height, width)
    command = rect(left + width / 2, top + height / 2, w / 2, h / 2, -1.0, angle, packed(1, 2, 3))
    expected = noise.copy()
    expected[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = (1, 2, 3, 255)
    assert np.array_equal(paint_rgba([command], noise, host), expected)


@pytest.mark.parametrize("angle", [0.0, 10.0, 30.0, 45.0, 77.5, 123.0])
@pytest.mark.parametrize("edge", [-1.0, 0.5, 1.0, 3.0])
def test_coverage_is_near_the_exact_area(edge: float, angle: float) -> None:
    """Within 9 % of a pixel for a rotated rectangle, 2.5 % for an upright one (1/256 pixel, rounded)."""
    command = rect(12.3, 8.1, 7.7, 4.2, edge, angle, packed(0, 0, 0))
    fine = 32
    x, y = np.meshgrid((np.arange(WIDTH * fine) + 0.5) / fine - 12.3, (np.arange(HEIGHT * fine) + 0.5) / fine - 8.1)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, across, grow = abs(x * cos + y * sin), abs(y * cos - x * sin), max(edge, 0)
    inside = (along <= 7.7 + grow) & (across <= 4.2 + grow)
    if edge > 0:
        inside &= ~((along < 7.7 - edge) & (across < 4.2 - edge))
    exact = inside.reshape(HEIGHT, fine, WIDTH, fine).mean((1, 3))
    ours = np.array([[coverage_at(command, x, y) / 256 for x in range(WIDTH)] for y in range(HEIGHT)])
    assert abs(ours - exact).max() < (0.025 if angle == 0 else 0.09)


@pytest.mark.parametrize("radius", [1, 2, 3, 5, 7])
def test_a_disc_has_its_area(radius: int) -> None:
    command = disc(12.25, 8.5, radius, packed(0, 0, 0))
    area = sum(coverage_at(command, x, y) for y in range(HEIGHT) for x in range(WIDTH)) / 256
    assert area == pytest.approx(math.pi * radius**2, rel=0.12 if radius == 1 else 0.03)


def test_later_commands_lie_on_top() -> None:
    under, over = (rect(8, 8, 4, 4, -1.0, 0.0, packed(value, 0, 0)) for value in (10, 20))
    assert paint_rgba([under, over], noise, host)[8, 8, 0] == 20
    assert paint_rgba([over, under], noise, host)[8, 8, 0] == 10


def test_blue_may_come_first() -> None:
    command = rect(8, 8, 4, 4, -1.0, 0.0, packed(10, 20, 30))
    assert paint_rgba([command], noise, host, swap=True)[8, 8].tolist() == [30, 20, 10, 255]


def test_no_share_changes_nothing_and_a_full_one_everything() -> None:
    for under in (0, 1, 127, 255):
        for over in (0, 128, 255):
            assert mix(under, over, 0) == under
            assert mix(under, over, 256) == over
