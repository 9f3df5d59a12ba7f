"""Annotators: what each covers, in which colour, on every kind of picture, and as a display list for the engine."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import picasso
from picasso import annotators as an
from picasso.annotators.labels import spread_out
from picasso.annotators.masks import band
from picasso.annotators.palettes import readable
from picasso.draw import ColorDraw
from picasso.draw.cpu import CpuPainter
from picasso.draw.styles import packed
from picasso.errors import ShapeError, SpecError, SurfaceError
from picasso.primitives import Detections, Point, VideoFrame
from picasso.surface import SurfaceView, VideoFormat

WIDTH, HEIGHT = 160, 120
RED = ColorDraw(255, 0, 0)
ICON = np.full((6, 8, 4), 255, np.uint8)


def found(xyxy: list[tuple[float, ...]] | None = None) -> Detections:
    corners = np.array([(20, 30, 70, 90), (90, 40, 150, 80)] if xyxy is None else xyxy, np.float64).reshape(-1, 4)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    masks = [(x >= left) & (x < right) & (y >= top) & (y < (top + bottom) // 2) for left, top, right, bottom in corners]
    keypoints = np.stack([corners[:, :2] + 4, corners[:, 2:] - 4], axis=1)
    sure = np.array([0.9, 0.0])[: len(corners), None, None].repeat(2, axis=1)
    return Detections.of(
        corners,
        ["car", "bus"][: len(corners)],
        class_ids=np.arange(len(corners)),
        confidences=np.array([0.75, 0.25])[: len(corners)],
        track_ids=np.arange(len(corners)) + 7,
        masks=np.array(masks).reshape(-1, HEIGHT, WIDTH),
        keypoints=np.concatenate([keypoints, sure], axis=2),
    )


def zone() -> an.PolygonZone:
    made = an.PolygonZone([(10, 10), (150, 10), (80, 110)])
    made.trigger(found())
    return made


MAKERS: dict[str, Callable[[], an.Annotator]] = {
    "box": an.BoxAnnotator,
    "oriented": an.OrientedBoxAnnotator,
    "round": an.RoundBoxAnnotator,
    "corner": an.BoxCornerAnnotator,
    "ellipse": an.EllipseAnnotator,
    "circle": an.CircleAnnotator,
    "dot": an.DotAnnotator,
    "triangle": an.TriangleAnnotator,
    "color": an.ColorAnnotator,
    "blur": an.BlurAnnotator,
    "pixelate": an.PixelateAnnotator,
    "bar": an.PercentageBarAnnotator,
    "mask": an.MaskAnnotator,
    "polygon": lambda: an.PolygonAnnotator(opacity=0.3),
    "background": an.BackgroundOverlayAnnotator,
    "halo": an.HaloAnnotator,
    "vertex": an.VertexAnnotator,
    "edge": lambda: an.EdgeAnnotator(skeleton=[(0, 1), (1, 9)]),
    "vertex-label": an.VertexLabelAnnotator,
    "vertex-ring": an.VertexRingAnnotator,
    "label": an.LabelAnnotator,
    "smart": lambda: an.LabelAnnotator(smart_position=True),
    "trace": an.TraceAnnotator,
    "heat": an.HeatMapAnnotator,
    "crop": an.CropAnnotator,
    "icon": lambda: an.IconAnnotator(ICON),
    "zone": lambda: an.PolygonZoneAnnotator(zone(), opacity=0.2),
    "line": lambda: an.LineZoneAnnotator(an.LineZone((10, 60), (150, 60))),
}


def noise(channels: int = 3) -> np.ndarray:
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def annotated(maker: Callable[[], an.Annotator], picture: np.ndarray, detections: Detections) -> np.ndarray:
    """Draw twice, since a trace needs two frames."""
    annotator = maker()
    moved = found([(24, 30, 74, 90), (94, 40, 154, 80)]) if len(detections) else detections
    annotator.drawing(moved, (WIDTH, HEIGHT), SurfaceView.wrap(picture.copy()))
    return annotator.annotate(picture, detections)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_an_annotator_draws_on_the_picture_it_is_given(maker, channels: int) -> None:
    picture = noise(channels)
    before = picture.copy()
    assert annotated(maker, picture, found()) is picture
    assert not np.array_equal(picture, before)


@pytest.mark.parametrize("form", [VideoFormat.I420, VideoFormat.NV12, VideoFormat.BGR])
@pytest.mark.parametrize("maker", [maker for name, maker in MAKERS.items() if name != "crop"])
def test_a_list_paints_any_surface_near_to_what_it_paints_on_rgb(maker, form: VideoFormat) -> None:
    """On planes as on pixels: luma is that of the painted picture, within what both roundings leave open."""
    gray = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    surface = SurfaceView.allocate(form, (WIDTH, HEIGHT))
    surface.memset(128)
    annotator = maker()
    annotator.drawing(found([(24, 30, 74, 90), (94, 40, 154, 80)]), (WIDTH, HEIGHT), SurfaceView.wrap(gray))
    drawing = annotator.drawing(found(), (WIDTH, HEIGHT), SurfaceView.wrap(gray))
    CpuPainter().paint(SurfaceView.wrap(gray), drawing)
    CpuPainter().paint(surface, drawing)
    if form is VideoFormat.BGR:
        assert np.array_equal(surface.to_numpy()[..., ::-1], gray)
        return
    light = gray.astype(float) @ (0.299, 0.587, 0.114) * 219 / 255 + 16  # a small picture is BT.601
    touched = (gray != 128).any(axis=2)
    luma = surface.planes[0].astype(float)
    under = (128 - 16) * 255 / 219  # what luma of 128 is in shades
    full = touched & (np.abs(light - ((128 * 219 / 255) + 16)) > 40)
    assert np.abs(luma - light)[full].mean() < abs(under - 128) + 12 if full.any() else touched.any() or len(drawing)
    assert (luma[~touched] == 128).mean() > 0.99


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_a_picture_without_objects_stays_as_it_is(maker) -> None:
    picture = noise()
    before = picture.copy()
    if isinstance(maker(), an.PolygonZoneAnnotator | an.LineZoneAnnotator):
        return
    annotator = maker()
    annotator.annotate(picture, Detections.empty())
    if isinstance(annotator, an.BackgroundOverlayAnnotator):
        assert (picture <= before).all()
    else:
        assert np.array_equal(picture, before)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_boxes_that_are_none_harm_nothing(maker) -> None:
    class Odd:
        xyxy = np.array([(np.nan, 0, 9, 9), (0, 0, np.inf, 9), (30, 30, 10, 10), (-1e9, -1e9, 1e9, 1e9), (5, 5, 5, 5)])
        class_id = tracker_id = np.arange(5)
        confidence = np.full(5, np.nan)

    annotator = maker()
    for _ in range(2):
        annotator.annotate(noise(), Odd())


def test_a_box_has_the_color_of_its_class_and_lies_on_its_edge() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    an.BoxAnnotator(thickness=2).annotate(picture, found())
    palette = an.Palette.named("safe")
    assert tuple(picture[60, 20]) == palette[0].rgba[:3]
    assert tuple(picture[60, 90]) == palette[1].rgba[:3]
    assert not picture[60, 40].any()


def test_colors_go_by_class_track_or_index() -> None:
    detections = found()
    palette = an.Palette.from_hex(["#010101", "#020202", "#030303"])
    for color_by, expected in (("class", [1, 2]), ("track", [2, 3]), ("index", [1, 2])):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        an.ColorAnnotator(palette, 1.0, color_by=color_by).annotate(picture, detections)  # type: ignore[arg-type]
        assert [picture[60, 40, 0], picture[60, 120, 0]] == expected


def test_labels_without_numbers_get_colors_in_the_order_they_come() -> None:
    detections = Detections.of([[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]], ["b", "a", "b"])
    picture = np.zeros((20, 60, 3), np.uint8)
    an.ColorAnnotator(opacity=1.0).annotate(picture, detections)
    assert tuple(picture[5, 5]) == tuple(picture[5, 45]) == an.Palette.named()[0].rgba[:3]
    assert tuple(picture[5, 25]) == an.Palette.named()[1].rgba[:3]


def test_a_mask_is_covered_pixel_by_pixel() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    detections = found()
    an.MaskAnnotator(RED, 0.5).annotate(picture, detections)
    covered = detections.masks.to_dense().any(axis=0)  # type: ignore[union-attr]
    assert (picture[~covered] == 100).all()
    assert np.abs(picture[covered].astype(int) - (178, 50, 50)).max() <= 1


def test_what_supervision_would_give_is_read_as_ours_is() -> None:
    ours_of = found()
    their = SimpleNamespace(
        xyxy=ours_of.xyxy,
        mask=ours_of.masks.to_dense(),  # type: ignore[union-attr]
        class_id=np.arange(2),
        confidence=np.array([0.75, 0.25]),
        tracker_id=np.array([7, 8]),
        data={"class_name": np.array(["car", "bus"])},
    )
    for maker in (an.MaskAnnotator, an.LabelAnnotator, an.BoxAnnotator, an.TraceAnnotator, an.PolygonAnnotator):
        ours, theirs = noise(), noise()
        maker().annotate(ours, found())
        maker().annotate(theirs, their)
        assert np.array_equal(ours, theirs)


def test_a_frame_is_annotated_by_its_objects() -> None:
    frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT)
    frame.add_detections("yolo", [[20, 30, 70, 90]], ["car"])
    picture, expected = noise(), noise()
    an.BoxAnnotator().annotate(picture, frame)
    an.BoxAnnotator().annotate(expected, Detections.of([[20, 30, 70, 90]], ["car"]))
    assert np.array_equal(picture, expected)


def test_only_sure_keypoints_are_drawn() -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    an.VertexAnnotator(RED, radius=3).annotate(picture, found())
    assert picture[34, 24, 0] == picture[86, 66, 0] == 255
    assert not picture[:, 90:].any()
    an.EdgeAnnotator(ColorDraw(0, 255, 0), skeleton=[(0, 1)]).annotate(picture, found())
    assert picture[60, 45, 1] > 200


@pytest.mark.parametrize("name", an.ANCHORS)
def test_labels_stand_outside_of_their_box_where_they_are_told(name: str) -> None:
    blank = np.zeros((300, 400, 3), np.uint8)
    box = (150, 120, 250, 180)
    one = Detections.of([box], ["car"])
    an.LabelAnnotator(ColorDraw(200, 200, 200), "{label}", position=name).annotate(blank, one)
    rows, columns = np.flatnonzero(blank.any((1, 2))), np.flatnonzero(blank.any((0, 2)))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    if name == "center":
        assert box[1] < top < bottom < box[3]
        assert abs(left + right - 400) <= 1
    else:
        gaps = box[1] - bottom, top - box[3], box[0] - right, left - box[2]
        assert 0 <= max(gaps) <= 1


def test_letters_are_black_or_white_by_what_is_easier_to_read() -> None:
    colors = [(255, 255, 255), (0, 0, 0), (255, 255, 0), (0, 0, 200)]
    table = np.array([packed(ColorDraw(*color)) for color in colors], np.int32)
    assert readable(table).tolist() == [True, False, True, False]


def test_texts_may_be_a_format_a_list_or_made() -> None:
    detections = found()
    made = lambda given: [f"{name} #{track}" for name, track in zip(given.labels, given.track_ids, strict=True)]  # noqa: E731
    ways = ("{label} #{track_id}", ["car #7", "bus #8"], made)
    pictures = [an.LabelAnnotator(texts=texts).annotate(noise(), detections) for texts in ways]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])
    given = an.LabelAnnotator(texts="other").annotate(noise(), detections, ["car #7", "bus #8"])
    assert np.array_equal(given, pictures[0])


boxes = hnp.arrays(np.int64, st.tuples(st.integers(1, 8), st.just(2)), elements=st.integers(-30, 300))


@settings(deadline=None)
@given(boxes, st.integers(10, 40), st.integers(5, 20))
def test_spread_labels_are_apart_and_inside(corners, width, height) -> None:
    """A picture of 400 x 300 has room for eight labels."""
    sizes = np.tile([width, height], (len(corners), 1))
    places = spread_out(corners, sizes, (400, 300))
    assert (places >= 0).all()
    assert (places + sizes <= (400, 300)).all()
    for row, place in enumerate(places):
        apart = np.abs(places[row + 1 :] - place) >= (width, height)
        assert apart.any(axis=1).all()


@given(hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_the_edge_of_a_mask_is_one_pixel_on_either_side(bitmap) -> None:
    pixels, left, top = band(bitmap, 2)
    wide = np.pad(bitmap, 3)
    around = [np.roll(wide, shift, axis) for shift in (-1, 1) for axis in (0, 1)]
    expected = (wide & ~np.logical_and.reduce(around)) | (~wide & np.logical_or.reduce(around))
    found = np.zeros_like(wide)
    found[top + 3 : top + 3 + len(pixels), left + 3 : left + 3 + pixels.shape[1]] = pixels
    assert np.array_equal(found, expected)


def test_a_zone_counts_what_stands_in_it() -> None:
    area = an.PolygonZone([(0, 0), (80, 0), (80, 120), (0, 120)])
    assert area.trigger(found()).tolist() == [True, False]
    assert area.count == 1


def test_a_line_counts_tracks_that_cross_it_once_in_their_direction() -> None:
    line = an.LineZone((0, 50), (160, 50), position="center")

    def step(y: float) -> tuple[list[bool], list[bool]]:
        went_in, went_out = line.trigger(
            Detections.of([[10, y - 5, 20, y + 5], [200, y - 5, 210, y + 5]], ["car", "car"], track_ids=[1, 2])
        )
        return went_in.tolist(), went_out.tolist()

    assert step(80) == ([False, False], [False, False])
    assert step(50) == ([False, False], [False, False])  # on the line is on neither side
    assert step(30) == ([True, False], [False, False])  # the second passes beyond the end
    assert step(20) == ([False, False], [False, False])
    assert step(60) == ([False, False], [True, False])
    assert (line.in_count, line.out_count, line.in_count_of["car"]) == (1, 1, 1)


def test_a_trace_follows_its_track_and_forgets() -> None:
    trace = an.TraceAnnotator(RED, trace_length=3, thickness=2)
    for x in (10, 30, 50, 70):
        picture = np.zeros((40, 100, 3), np.uint8)
        trace.annotate(picture, Detections.of([[x, 10, x + 4, 30]], ["car"], track_ids=[5]))
    assert picture[20, 40:70, 0].min() > 200
    assert not picture[20, :30].any()
    trace.reset()
    picture[:] = 0
    trace.annotate(picture, Detections.of([[70, 10, 74, 30]], ["car"], track_ids=[5]))
    assert not picture.any()


def test_heat_grows_where_objects_stay() -> None:
    heat = an.HeatMapAnnotator(radius=20, opacity=1.0, position="center")
    for _ in range(3):
        picture = np.zeros((100, 200, 3), np.uint8)
        heat.annotate(picture, Detections.of([[40, 40, 60, 60]], ["a"]))
    heat.annotate(picture, Detections.of([[140, 40, 160, 60]], ["a"]))
    assert tuple(picture[50, 50]) == (255, 0, 0)
    assert picture[50, 150, 2] > picture[50, 150, 0]


@pytest.mark.parametrize(
    ("annotators", "words"),
    [
        (an.BoxAnnotator, "got the class BoxAnnotator: write BoxAnnotator()"),
        ([an.BoxAnnotator(), an.LabelAnnotator], "got the class LabelAnnotator: write LabelAnnotator()"),
        ("box", "got 'box'"),
        ([1], "got 1"),
        (5, "got 5"),
    ],
    ids=["a class", "a class among others", "text", "a number in a list", "a number"],
)
def test_what_is_no_annotator_is_named(annotators: object, words: str) -> None:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for detections in (found(), found([])):  # also where nothing is drawn
        with pytest.raises(TypeError) as caught:
            picasso.annotate(picture, detections, annotators)  # type: ignore[arg-type]
        assert str(caught.value) == f"annotators: expected Annotator objects such as BoxAnnotator(), {words}"


def test_annotate_leaves_the_picture_as_it_is_unless_told() -> None:
    picture = noise()
    before = picture.copy()
    drawn = picasso.annotate(picture, found())
    assert np.array_equal(picture, before)
    assert not np.array_equal(drawn, before)
    assert picasso.annotate(picture, found(), copy=False) is picture
    assert np.array_equal(picture, drawn)


def test_several_annotators_draw_as_one_list_what_they_draw_one_by_one() -> None:
    detections, several = found(), [an.MaskAnnotator(), an.BoxAnnotator(), an.LabelAnnotator(), an.IconAnnotator(ICON)]
    together = picasso.annotate(noise(), detections, several)
    apart = noise()
    for annotator in several:
        annotator.annotate(apart, detections)
    assert np.array_equal(together, apart)


def test_palettes_have_names_and_colors_in_turns() -> None:
    palette = an.Palette.named("bright")
    assert palette[len(palette)] == palette[0]
    assert palette.pick([-1, 0]).tolist() == [packed(palette.colors[-1]), packed(palette.colors[0])]
    assert {len(an.Palette.named(name)) > 3 for name in an.NAMES} == {True}


def test_the_default_palette_can_be_told_apart_without_red_or_green() -> None:
    """Seen with one cone missing (H. Brettel et al., linear approximation), any two colours differ clearly."""
    colors = np.array([color.rgba[:3] for color in an.Palette.named().colors]) / 255
    blind = np.array([[0.625, 0.375, 0], [0.7, 0.3, 0], [0, 0.3, 0.7]])
    seen = colors @ blind.T
    apart = np.abs(seen[:, None] - seen[None]).sum(axis=2) + np.eye(len(colors)) * 9
    assert apart.min() > 0.15


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: an.BoxAnnotator("neon"), SpecError, "unknown name 'neon'; one of safe, bright"),
        (lambda: an.BoxAnnotator(color_by="shape"), SpecError, "color_by must be one of class, track, index"),
        (lambda: an.BoxAnnotator(thickness=0), SpecError, "thickness must be more than 0, got 0"),
        (lambda: an.ColorAnnotator(opacity=2), SpecError, r"opacity must be in 0\.\.1, got 2"),
        (lambda: an.DotAnnotator(position="middle"), SpecError, "position must be one of center, top_left"),
        (lambda: an.LabelAnnotator(texts="{score}"), SpecError, "'{score}' is not a format of label, confidence"),
        (lambda: an.TraceAnnotator(trace_length=1), SpecError, "trace_length must be at least 2, got 1"),
        (lambda: an.PolygonZone([(0, 0), (1, 1)]), ShapeError, r"polygon: expected \(V, 2\), V at least 3"),
        (lambda: an.LineZone((3, 3), (3, 3)), ShapeError, "line: expected two points that differ"),
        (lambda: an.Palette(()), SpecError, "expected at least one colour"),
        (lambda: an.IconAnnotator(np.zeros((4, 4), np.uint8)), SpecError, r"icon: expected .*, got uint8 \(4, 4\)"),
        (lambda: an.BoxAnnotator().annotate(noise(), 5), TypeError, "expected Detections, VideoFrame, or xyxy"),
    ],
    ids=[
        *("palette", "color-by", "thickness", "opacity", "position", "format", "trace", "polygon", "line"),
        *("no-colors", "icon", "detections"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(call, error, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_zones_and_lines_take_points_with_x_and_y() -> None:
    corners = [Point(0, 0), Point(80, 0), Point(80, 120), Point(0, 120)]
    assert an.PolygonZone(corners).polygon.tolist() == [[0, 0], [80, 0], [80, 120], [0, 120]]
    assert an.LineZone(Point(0, 50), (160, 50)).ends.tolist() == [[0, 50], [160, 50]]


@pytest.mark.parametrize(
    "form",
    [VideoFormat.RGB, VideoFormat.BGR, VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.BGRx, VideoFormat.GRAY8],
    ids=lambda form: form.name(),
)
def test_a_picture_of_any_order_of_colors_looks_the_same(form: VideoFormat) -> None:
    """Gray is the luma of what is drawn: white stays white, black stays black."""
    found = Detections.of([[6.0, 8, 50, 40]], ["car"], confidences=[0.5])
    look = [an.ColorAnnotator(ColorDraw(0, 0, 0), opacity=0.5), an.BoxAnnotator(ColorDraw(255, 255, 255), 3)]
    expected = picasso.annotate(np.full((48, 64, 3), 120, np.uint8), found, look)
    surface = SurfaceView.allocate(form, (64, 48))
    surface.planes[0][...] = 120
    assert picasso.annotate(surface, found, look) is surface
    assert np.abs(surface.to_rgb().astype(int) - expected).max() <= 1
    assert expected[8, 20].tolist() == [255, 255, 255]
    assert expected[25, 30].tolist() == [60, 60, 60]


def test_pixels_that_are_read_only_are_copied_and_keep_what_they_are() -> None:
    pixels = np.full((48 * 3 // 2, 64), 120, np.uint8)
    pixels.flags.writeable = False
    surface = SurfaceView.wrap(pixels, VideoFormat.NV12).with_sample_aspect_ratio(Fraction(2))
    found = Detections.of([[6.0, 8, 50, 40]], ["car"])
    drawn = picasso.annotate(surface, found)
    assert drawn is not surface
    assert (drawn.format, drawn.color, drawn.sample_aspect_ratio) == (surface.format, surface.color, Fraction(2))
    assert (pixels == 120).all()
    assert (drawn.to_numpy() != pixels).any()
    with pytest.raises(SurfaceError, match="read-only"):
        picasso.annotate(surface, found, copy=False)


def test_an_image_of_pillow_comes_back_as_an_array() -> None:
    blank = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert np.array_equal(picasso.annotate(Image.fromarray(blank), found()), picasso.annotate(blank, found()))
