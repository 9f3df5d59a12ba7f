"""Masks, polygons, keypoints and traces of objects, drawn by their specs: where they lie, and in which order."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    KeypointsDraw,
    MaskDraw,
    ObjectDraw,
    ObjectDrawSpec,
    Painter,
    PolygonDraw,
    TraceDraw,
)
from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import SpecError
from picasso.primitives import Attribute, AttributeValue, BBox, RBBox, VideoFrame
from picasso.primitives.object_shapes import keypoints_attribute, mask_attribute, polygons_attribute
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import TransformConfig

WIDTH, HEIGHT = 120, 80
RED, GREEN, HALF = ColorDraw(255, 0, 0), ColorDraw(0, 255, 0), ColorDraw(255, 255, 255, 128)
BITMAP = np.arange(12).reshape(3, 4) % 5 < 2


def frame_of(box: RBBox | BBox, *attributes: Attribute, track_id: int | None = None) -> VideoFrame:
    frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT)
    item = frame.create_object("yolo", "car", detection_box=box, track_id=track_id, track_box=box if track_id else None)
    for attribute in attributes:
        item.set_attribute(attribute)
    return frame


def painter_of(draw: ObjectDraw) -> Painter:
    specs = ObjectDrawSpec()
    specs.insert("yolo", "car", draw)
    painter = Painter()
    painter.set_specs(specs)
    return painter


def painted(draw: ObjectDraw, frame: VideoFrame) -> np.ndarray:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    painter_of(draw).paint(SurfaceView.wrap(picture), frame, {})
    return picture


def test_a_mask_covers_the_cells_of_its_box() -> None:
    picture = painted(ObjectDraw(mask=MaskDraw(RED)), frame_of(BBox(60, 40, 40, 30), mask_attribute(BITMAP)))
    cells = picture[25:55, 40:80, 0].reshape(3, 10, 4, 10)
    assert np.array_equal(cells[:, 0, :, 0] > 0, BITMAP)
    assert (cells == cells[:, :1, :, :1]).all()
    picture[25:55, 40:80] = 0
    assert not picture.any()


def test_a_mask_follows_its_box_when_the_frame_is_scaled() -> None:
    frame = frame_of(BBox(30, 20, 20, 15), mask_attribute(BITMAP))
    frame.move_boxes((2.0, 2.0), (0.0, 0.0))
    once = painted(ObjectDraw(mask=MaskDraw(RED)), frame)
    assert np.array_equal(
        once, painted(ObjectDraw(mask=MaskDraw(RED)), frame_of(BBox(60, 40, 40, 30), mask_attribute(BITMAP)))
    )


def test_the_mask_of_a_turned_box_is_turned() -> None:
    draw, attribute = ObjectDraw(mask=MaskDraw(RED)), mask_attribute(BITMAP)
    upright = painted(draw, frame_of(BBox(60, 40, 48, 48), attribute))
    for quarters in (1, 2, 3):
        turned = painted(draw, frame_of(RBBox(60, 40, 48, 48, 90.0 * quarters), attribute))
        expected = np.rot90(upright[16:64, 36:84], -quarters)
        assert np.abs(turned[16:64, 36:84].astype(int) - expected).max() <= 2
    askew = painted(draw, frame_of(RBBox(60, 40, 40, 40, 30.0), mask_attribute(np.ones((4, 4)))))
    box = painted(ObjectDraw(BoundingBoxDraw(background_color=RED)), frame_of(RBBox(60, 40, 40, 40, 30.0)))
    assert abs(int(askew[..., 0].sum()) - int(box[..., 0].sum())) < 0.01 * box[..., 0].sum()
    assert (askew[20:60, 40:80][12:28, 12:28, 0] == 255).all()


def test_a_translucent_mask_lets_the_picture_through() -> None:
    picture = painted(ObjectDraw(mask=MaskDraw(HALF)), frame_of(BBox(60, 40, 40, 30), mask_attribute(np.ones((1, 1)))))
    assert picture[40, 60].tolist() == [128, 128, 128]


def test_polygons_have_an_inside_with_holes_and_edges() -> None:
    box = BBox(60, 40, 40, 40)
    rings = [[(40, 20), (80, 20), (80, 60), (40, 60)], [(50, 30), (70, 30), (70, 50), (50, 50)]]
    attribute = polygons_attribute(rings, np.array([60, 40, 40, 40, np.nan]))
    draw = ObjectDraw(polygon=PolygonDraw(GREEN, RED, thickness=2))
    picture = painted(draw, frame_of(box, attribute))
    assert picture[25, 45].tolist() == [255, 0, 0]
    assert picture[40, 60].tolist() == [0, 0, 0]
    assert picture[40, 40].tolist() == picture[40, 50].tolist() == [0, 255, 0]


def test_keypoints_have_discs_and_a_skeleton_where_they_are_sure() -> None:
    points = [(30, 20, 0.9), (90, 20, 0.9), (90, 60, 0.1)]
    attribute = keypoints_attribute(points, np.array([60, 40, 80, 60, np.nan]))
    look = KeypointsDraw(RED, 3, GREEN, 2, skeleton=[(0, 1), (1, 2), (0, 9)], min_confidence=0.2)  # type: ignore[arg-type]
    picture = painted(ObjectDraw(keypoints=look), frame_of(BBox(60, 40, 80, 60), attribute))
    assert picture[20, 30].tolist() == picture[20, 90].tolist() == [255, 0, 0]
    assert picture[20, 60].tolist() == [0, 255, 0]
    assert not picture[30:].any()


def test_a_trace_is_the_way_of_its_track() -> None:
    painter = painter_of(ObjectDraw(trace=TraceDraw(RED, 2, length=3)))
    for x in (10, 40, 70, 100):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        painter.paint(SurfaceView.wrap(picture), frame_of(BBox(x, 40, 10, 10), track_id=5), {})
    assert (picture[40, 41:99, 0] == 255).all()
    assert not picture[:, :39].any()


def test_shapes_lie_above_blurs_and_below_boxes() -> None:
    draw = ObjectDraw(BoundingBoxDraw(GREEN, thickness=4), blur=True, mask=MaskDraw(RED))
    picture = painted(draw, frame_of(BBox(60, 40, 40, 30), mask_attribute(np.ones((2, 2)))))
    assert picture[40, 60].tolist() == [255, 0, 0]
    assert picture[40, 40].tolist() == picture[40, 41].tolist() == [0, 255, 0]


@pytest.mark.parametrize("form", [VideoFormat.I420, VideoFormat.NV12, VideoFormat.RGBA])
def test_the_planes_of_an_encoder_take_shapes_as_pixels_do(form: VideoFormat) -> None:
    frame = frame_of(
        BBox(60, 40, 40, 30),
        mask_attribute(BITMAP),
        keypoints_attribute([(50, 30), (70, 50)], [60, 40, 40, 30, np.nan]),
    )
    draw = ObjectDraw(mask=MaskDraw(HALF), keypoints=KeypointsDraw(HALF, 3, skeleton=((0, 1),)))
    surface = SurfaceView.allocate(form, (WIDTH, HEIGHT))
    surface.memset(0)
    painter_of(draw).paint(surface, frame, {})
    first = surface.planes[0] if form.is_yuv else surface.to_numpy()[..., 0]
    assert np.array_equal(first > 0, painted(draw, frame)[..., 0] > 0)


def test_attributes_of_others_are_left_out_and_named(caplog: pytest.LogCaptureFixture) -> None:
    wrong = Attribute("picasso", "mask", [AttributeValue.integer(3)])
    draw = ObjectDraw(BoundingBoxDraw(GREEN), mask=MaskDraw(RED))
    with caplog.at_level(logging.WARNING):
        picture = painted(draw, frame_of(BBox(60, 40, 40, 30), wrong))
    assert "not drawn: picasso.mask" in caplog.text
    assert picture[40, 40].tolist() == [0, 255, 0]


def test_boxes_that_are_none_draw_no_shapes() -> None:
    frame = frame_of(BBox(60, 40, 40, 30), mask_attribute(BITMAP))
    frame.detection_boxes()[:] = np.nan
    assert not painted(ObjectDraw(mask=MaskDraw(RED)), frame).any()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MaskDraw("red"), TypeError, "color must be a ColorDraw, got 'red'"),
        (lambda: PolygonDraw(thickness=501), SpecError, r"thickness must be in 0\.\.500, got 501"),
        (lambda: KeypointsDraw(RED, radius=101), SpecError, r"radius must be in 0\.\.100, got 101"),
        (lambda: KeypointsDraw(RED, skeleton=((-1, 0),)), SpecError, "skeleton counts from 0"),
        (lambda: TraceDraw(RED, length=1), SpecError, r"length must be in 2\.\.10000, got 1"),
        (lambda: ObjectDraw(mask=RED), TypeError, "mask must be a MaskDraw"),  # type: ignore[arg-type]
    ],
    ids=["mask", "polygon", "radius", "skeleton", "trace", "object"],
)
def test_wrong_looks_are_named(call, error, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_default_look_draws_what_no_entry_lists() -> None:
    specs = ObjectDrawSpec()
    specs.insert("yolo", "bus", ObjectDraw())
    specs.insert_default("yolo", ObjectDraw(BoundingBoxDraw(RED)))
    assert specs.lookup("yolo", "car") is None
    assert specs.resolve("yolo", "car") == ObjectDraw(BoundingBoxDraw(RED))
    assert specs.resolve("yolo", "bus") == ObjectDraw()
    assert specs.resolve("other", "car") is None
    assert (len(specs), specs.is_empty(), specs.copy() == specs) == (1, False, True)
    alone = ObjectDrawSpec()
    assert not alone
    alone.insert_default("yolo", ObjectDraw(BoundingBoxDraw(RED)))
    assert alone  # `draw or ObjectDrawSpec()` keeps it
    frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT)
    frame.add_detections("yolo", [[10, 10, 30, 30], [60, 10, 80, 30]], ["car", "bus"])
    frame.add_detections("other", [[10, 50, 30, 70]], ["car"])
    picture, painter = np.zeros((HEIGHT, WIDTH, 3), np.uint8), Painter()
    painter.set_specs(specs)
    painter.paint(SurfaceView.wrap(picture), frame, {})
    assert picture[20, 10].tolist() == [255, 0, 0]
    picture[:33, :33] = 0
    assert not picture.any()


@pytest.mark.parametrize(
    ("text", "rgba"),
    [
        ("#E69F00", (230, 159, 0, 255)),
        ("e69f0080", (230, 159, 0, 128)),
        ("#fa0", (255, 170, 0, 255)),
        ("#fa08", (255, 170, 0, 136)),
    ],
)
def test_a_color_may_be_spelled_in_hex(text: str, rgba: tuple[int, ...]) -> None:
    assert ColorDraw.from_hex(text).rgba == rgba
    assert ColorDraw.from_hex(ColorDraw.from_hex(text).hex).rgba == rgba


@pytest.mark.parametrize("text", ["", "#12", "#12345", "red", "#GG0000", "# 12345", "##123456"])
def test_what_is_no_color_in_hex_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="expected #RRGGBB, #RRGGBBAA, #RGB or #RGBA"):
        ColorDraw.from_hex(text)


@pytest.mark.parametrize("codec", [Codec.RAW_RGBA, Codec.RAW_NV12], ids=["pixels", "planes"])
def test_a_mask_follows_its_object_through_the_engine(codec: Codec) -> None:
    """Half the size, on what the encoder reads: the cells lie where those of the picture went."""
    specs, outputs = ObjectDrawSpec(), []
    specs.insert_default("yolo", ObjectDraw(mask=MaskDraw(ColorDraw(255, 255, 255))))
    codec_spec = CodecSpec.encode(TransformConfig(), EncoderConfig(codec, WIDTH, HEIGHT))
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=outputs.append)) as engine:
        engine.set_source_spec("cam", SourceSpec(codec=codec_spec, draw=specs))
        frame = VideoFrame("cam", "30/1", 2 * WIDTH, 2 * HEIGHT)
        item = frame.create_object("yolo", "car", detection_box=BBox(120, 80, 80, 60))
        item.set_attribute(mask_attribute(BITMAP))
        engine.send_frame("cam", frame, np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8))
        engine.send_eos("cam")
    encoded = next(output.as_video_frame() for output in outputs if not output.is_eos)
    channels = 4 if codec is Codec.RAW_RGBA else 1
    pixels = np.frombuffer(encoded.content.get_data(), np.uint8)[: WIDTH * HEIGHT * channels]
    light = pixels.reshape(HEIGHT, WIDTH, channels)[..., 0]
    cells = light[25:55, 40:80].reshape(3, 10, 4, 10)
    assert np.array_equal(cells[:, 5, :, 5] > 200, BITMAP)
    assert (cells == cells[:, :1, :, :1]).all()
    assert light[:25].max() < 40


def test_tracks_of_two_sources_with_one_id_have_ways_of_their_own() -> None:
    painter = painter_of(ObjectDraw(trace=TraceDraw(RED, 2, 5)))
    for number in range(3):
        for source_id, x in (("left", 20.0), ("right", 90.0)):
            frame = frame_of(RBBox(x, 10.0 + 9 * number, 8, 8), track_id=1)
            frame.source_id = source_id
            surface = SurfaceView.allocate(VideoFormat.RGBA, (WIDTH, HEIGHT))
            painter.paint(surface, frame, {})
            columns = np.nonzero(surface.to_numpy()[..., 0])[1]
            assert (abs(columns - x) < 4).all()
            assert bool(columns.size) == (number > 0)
