"""The painter against Skia, on every format, with any boxes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from frames import BLACK, BLUE, GREEN, RED, WHITE, frame_of, specs_of
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    Painter,
    Scene,
)
from picasso.draw.composing import compose_by_interpreter
from picasso.draw.cpu import PAINT_FORMATS, CpuPainter
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso_kernels.cpu.compile import prepare
from picasso_kernels.paint import compose, display_list
from picasso_kernels.paint.compose import compose as kernel

WIDTH, HEIGHT = 96, 64
LABEL = LabelDraw(BLACK, WHITE, RED, position=LabelPosition(LabelPositionKind.TopLeftInside, 4, 4), format=["Ay {id}"])
EVERYTHING = ObjectDraw(BoundingBoxDraw(RED, ColorDraw(0, 200, 0, 90), 3), DotDraw(BLUE, 4), LABEL, blur=True)
NOISE = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)

Image = npt.NDArray[np.uint8]


def painter_of(draw: ObjectDraw) -> Painter:
    painter = Painter()
    painter.set_specs(specs_of(draw))
    return painter


def surface_of(form: VideoFormat) -> SurfaceView:
    """Make a surface of the format with something on it."""
    surface = SurfaceView.allocate(form, (WIDTH, HEIGHT))
    for number, plane in enumerate(surface.planes):
        plane[...] = np.random.default_rng(number).integers(0, 256, plane.shape, np.uint8)
    return surface


def painted(draw: ObjectDraw, box: tuple[float, ...], picture: Image) -> Image:
    out = picture.copy()
    painter_of(draw).paint(SurfaceView.wrap(out), frame_of(box), {})
    return out


def by_skia(draw: ObjectDraw, box: tuple[float, ...], picture: Image) -> Image:
    pytest.importorskip("skia", exc_type=ImportError)  # without libGL, say
    from picasso.draw import skia as reference

    out = picture.copy()
    scene = Scene()
    scene.set_specs(specs_of(draw))
    reference.paint(scene.build(frame_of(box), {}, (WIDTH, HEIGHT)), SurfaceView.wrap(out))
    return out


def distance(one: Image, other: Image) -> int:
    return int(abs(one.astype(int) - other).max())


@pytest.mark.parametrize(
    ("draw", "box", "limit"),
    [
        (ObjectDraw(BoundingBoxDraw(RED, ColorDraw(0, 200, 0, 90), 3)), (48, 32, 40, 30), 2),
        (ObjectDraw(BoundingBoxDraw(RED, ColorDraw(0, 200, 0, 90), 3)), (47.3, 31.8, 41.1, 30.6), 4),
        (ObjectDraw(BoundingBoxDraw(RED, ColorDraw(0, 200, 0, 90), 3)), (48, 32, 40, 30, 33), 40),
        (ObjectDraw(central_dot=DotDraw(BLUE, 9)), (48, 32, 4, 4), 80),
        (ObjectDraw(label=LABEL), (48, 32, 40, 30), 8),
        (ObjectDraw(blur=True), (48, 32, 60, 40), 1),
        (ObjectDraw(blur=True), (48, 32, 60, 40, 20), 30),
    ],
    ids=["box on pixels", "box between pixels", "turned box", "dot", "label", "blur", "turned blur"],
)
def test_it_paints_what_skia_paints(draw: ObjectDraw, box: tuple[float, ...], limit: int) -> None:
    """Wide limits where Skia is not exact: it counts turned edges in quarters of a pixel, and flattens circles."""
    assert distance(painted(draw, box, NOISE)[..., :3], by_skia(draw, box, NOISE)[..., :3]) <= limit


@pytest.mark.parametrize("form", [VideoFormat.BGRA, VideoFormat.BGRx])
def test_channels_in_another_order_are_painted_alike(form: VideoFormat) -> None:
    out = np.ascontiguousarray(NOISE[..., [2, 1, 0, 3]])
    painter_of(EVERYTHING).paint(SurfaceView.wrap(out, form), frame_of((48, 32, 40, 30, 10)), {})
    assert np.array_equal(out[..., [2, 1, 0, 3]], painted(EVERYTHING, (48, 32, 40, 30, 10), NOISE))


@pytest.mark.parametrize("form", [VideoFormat.NV12, VideoFormat.NV21])
def test_interleaved_chroma_is_painted_like_planes(form: VideoFormat) -> None:
    plain, woven = surface_of(VideoFormat.I420), SurfaceView.allocate(form, (WIDTH, HEIGHT))
    order = (0, 1) if form is VideoFormat.NV12 else (1, 0)
    woven.planes[0][...] = plain.planes[0]
    for lane, plane in zip(order, plain.planes[1:], strict=True):
        woven.planes[1][..., lane] = plane
    for surface in (plain, woven):
        painter_of(EVERYTHING).paint(surface, frame_of((48, 32, 41, 30, 10)), {})
    assert np.array_equal(woven.planes[0], plain.planes[0])
    for lane, plane in zip(order, plain.planes[1:], strict=True):
        assert np.array_equal(woven.planes[1][..., lane], plane)


@pytest.mark.parametrize("color", [RED, GREEN, BLUE, WHITE, BLACK], ids=str)
@pytest.mark.parametrize("matrix", list(Matrix), ids=str)
def test_colours_on_planes_are_those_of_the_surface(matrix: Matrix, color: ColorDraw) -> None:
    """Painted and converted back, a filled box has its colour again."""
    cv2 = pytest.importorskip("cv2")
    surface = SurfaceView.allocate(VideoFormat.I420, (WIDTH, HEIGHT), ColorSpace(matrix))
    painter_of(ObjectDraw(BoundingBoxDraw(background_color=color))).paint(surface, frame_of((48, 32, 20, 20)), {})
    if matrix is Matrix.BT601:  # what OpenCV knows
        rgb = cv2.cvtColor(surface.to_numpy(), cv2.COLOR_YUV2RGB_I420)[32, 48]
        assert distance(rgb, np.array(color.rgba[:3])) <= 2
    luma = surface.planes[0][32, 48]
    weights = (0.299, 0.587, 0.114) if matrix is Matrix.BT601 else (0.2126, 0.7152, 0.0722)
    assert luma == pytest.approx(16 + 219 / 255 * np.dot(weights, color.rgba[:3]), abs=0.6)


@pytest.mark.parametrize("form", PAINT_FORMATS, ids=lambda form: form.name())
def test_nothing_outside_the_surface_changes(form: VideoFormat) -> None:
    """A box over all edges, on a picture inside of larger memory."""
    packed = len(form.planes) == 1
    frame = SurfaceView.allocate(form, (WIDTH + 32, HEIGHT + 32))
    frame.memset(9)
    if packed:
        inner = SurfaceView.wrap(frame.planes[0][16:-16, 16:-16], form)
    else:
        cuts = [16, 8, 8]
        planes = [plane[cut:-cut, cut:-cut] for plane, cut in zip(frame.planes, cuts, strict=False)]
        inner = SurfaceView.from_planes(planes, form, (WIDTH, HEIGHT))
    painter = painter_of(EVERYTHING)
    painter.paint(inner, frame_of((0, 0, 300, 300, 30), (WIDTH, HEIGHT, 50, 40), (WIDTH, 0, 50, 40, 45)), {})
    for plane, cut in zip(frame.planes, [16, 16 if packed else 8, 8], strict=False):
        whole = plane.copy()
        whole[cut:-cut, cut:-cut] = 9
        assert (whole == 9).all()
        assert (plane != 9).any()


numbers = st.floats(width=32) | st.floats(-200, 200, width=32) | st.sampled_from([0.0, -0.0, 1e-30, 3e38, -3e38])


@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.I420], ids=lambda form: form.name())
@settings(deadline=None)
@given(boxes=st.lists(st.tuples(*[numbers] * 5), min_size=1, max_size=4))
def test_any_box_can_be_drawn(form: VideoFormat, boxes: list[tuple[float, ...]]) -> None:
    frame = frame_of(*[(0, 0, 1, 1)] * len(boxes))
    frame.detection_boxes()[:] = boxes
    painter_of(EVERYTHING).paint(surface_of(form), frame, {})


@pytest.mark.parametrize("padding", [10**6, 10**9, 2**40, 10**30])
def test_any_padding_can_be_drawn(padding: int) -> None:
    pad = PaddingDraw(padding, padding, padding, padding)
    draw = ObjectDraw(BoundingBoxDraw(RED, GREEN, padding=pad), label=LabelDraw(RED, padding=pad))
    assert (painted(draw, (48, 32, 10, 10), NOISE)[..., :3] == (0, 255, 0)).all()


@pytest.mark.parametrize("scale", [0.01, 0.5, 5, 40, 200])
def test_letters_of_any_size_can_be_drawn(scale: float) -> None:
    painted(ObjectDraw(label=LabelDraw(RED, WHITE, font_scale=scale)), (48, 32, 10, 10), NOISE)


def test_boxes_tracks_and_overrides_reach_the_pixels() -> None:
    frame = frame_of((20, 20, 10, 10), (60, 40, 10, 10))
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    painter = painter_of(ObjectDraw(BoundingBoxDraw(background_color=RED)))
    painter.paint(SurfaceView.wrap(picture), frame, {1: ObjectDraw(BoundingBoxDraw(background_color=BLUE))})
    assert picture[20, 20].tolist() == [255, 0, 0, 255]
    assert picture[40, 60].tolist() == [0, 0, 255, 255]
    painter.set_specs(ObjectDrawSpec())
    picture[:] = 0
    painter.paint(SurfaceView.wrap(picture), frame, {})
    assert not picture.any()


def test_an_empty_frame_changes_nothing() -> None:
    surface = surface_of(VideoFormat.RGBA)
    before = surface.to_numpy()
    painter_of(EVERYTHING).paint(surface, frame_of(), {})
    assert np.array_equal(surface.to_numpy(), before)


@pytest.mark.parametrize(
    ("surface", "text"),
    [
        (
            SurfaceView.allocate(VideoFormat.UYVY, (8, 8)),
            "the painter draws on I420, NV12, NV21, RGBA, BGRA, BGRx, RGB",
        ),
        (SurfaceView.wrap(np.zeros((8, 16), np.uint8)[:, ::2]), "needs packed pixels, got strides (16, 2, 1)"),
        (SurfaceView.wrap(np.broadcast_to(np.uint8(0), (8, 8, 4))), "read-only"),
        (SurfaceView.wrap(np.zeros((8, 16, 4), np.uint8)[:, ::2]), "needs packed pixels, got strides (64, 8, 1)"),
        (SurfaceView.wrap(np.zeros((8, 8, 4), np.uint8)[:, ::-1]), "needs packed pixels, got strides (32, -4, 1)"),
    ],
    ids=["UYVY", "every other gray pixel", "read-only", "every other pixel", "mirrored"],
)
def test_what_cannot_be_painted_on_is_named(surface: SurfaceView, text: str) -> None:
    with pytest.raises(SurfaceError) as caught:
        painter_of(EVERYTHING).paint(surface, frame_of((4, 4, 2, 2)), {})
    assert text in str(caught.value)


def test_rows_may_run_upwards() -> None:
    upside_down = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    upside_down[:] = NOISE[::-1]
    painter_of(EVERYTHING).paint(SurfaceView.wrap(upside_down[::-1]), frame_of((48, 20, 40, 30, 10)), {})
    assert np.array_equal(upside_down[::-1], painted(EVERYTHING, (48, 20, 40, 30, 10), NOISE))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(*[numbers] * 5), min_size=1, max_size=3))
def test_machine_code_composes_lists_as_the_interpreter_does(boxes) -> None:
    frame = frame_of(*[(0, 0, 1, 1)] * len(boxes))
    frame.detection_boxes()[:] = boxes
    plain, compiled = Scene(), Scene()
    prepare(kernel)
    plain._compose = compose_by_interpreter
    lists = []
    for scene in (plain, compiled):
        scene.set_specs(specs_of(EVERYTHING))
        lists.append(scene._listed(frame, *scene._resolve(frame, {}), (WIDTH, HEIGHT)))
    assert lists[0].commands.tolist() == lists[1].commands.tolist()
    if len(lists[0]):
        assert lists[0].glyphs.tolist() == lists[1].glyphs.tolist()


def test_the_painter_of_the_cpu_refuses_before_it_paints() -> None:
    scene = Scene()
    scene.set_specs(specs_of(EVERYTHING))
    drawing = scene.build(frame_of((4, 4, 2, 2)), {}, (8, 8))
    assert len(drawing) > 0
    with pytest.raises(SurfaceError):
        CpuPainter().paint(SurfaceView.allocate(VideoFormat.UYVY, (8, 8)), drawing)


def test_a_turn_of_any_number_of_degrees_is_a_direction() -> None:
    for angle in (0.0, 90.0, -90.0, 450.0, 1e30, -1e-30, math.nan, math.inf):
        cos, sin = compose.direction(angle)
        assert cos**2 + sin**2 == pytest.approx(1)
    assert compose.direction(450.0) == (0.0, 1.0)
    assert display_list.ONE_TURN == 1 << display_list.TURN_BITS
