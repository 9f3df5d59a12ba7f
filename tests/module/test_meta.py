"""Frames, objects, attributes, tags and pixels as pyfuncs see them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.errors import DeviceError, MissingDependencyError
from picasso.module.meta import UNTRACKED_OBJECT_ID, AttributeMeta, Frame, FramePixels, ObjectMeta, build_bbox
from picasso.primitives import BBox, RBBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda_memory import open_device
from picasso.transform import Placement

WORDS = st.text(min_size=1, max_size=8)
PLAIN = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=10)
LISTS = (
    st.lists(st.booleans(), min_size=1, max_size=4)
    | st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=4)
    | st.lists(st.floats(allow_nan=False), min_size=1, max_size=4)
    | st.lists(st.text(max_size=5), min_size=1, max_size=4)
)


def frame(width: int = 320, height: int = 240, pixels: FramePixels | None = None) -> Frame:
    return Frame(VideoFrame("gate", "30/1", width, height, pts=40, time_base=(1, 10**9)), pixels)


def car(**changes: Any) -> ObjectMeta:
    return ObjectMeta(**{"element_name": "yolo", "label": "car", "bbox": BBox(50, 60, 20, 10), **changes})


# objects


def test_an_added_object_is_a_view_on_that_of_the_frame() -> None:
    one, found = frame(), car(confidence=0.5, track_id=7)
    one.add_obj_meta(found)
    found.label = "truck"
    found.bbox.left = 0
    (seen,) = one.objects
    assert (seen.label, seen.bbox.xc, seen.confidence, seen.track_id) == ("truck", 10, 0.5, 7)
    assert seen == found
    assert seen in {found}


def test_an_object_without_a_track_id_says_so_before_and_after() -> None:
    one = frame()
    for found in (car(), car(track_id=None), car(track_id=5)):
        found.track_id = UNTRACKED_OBJECT_ID
        assert (found.track_id, found.is_tracked) == (UNTRACKED_OBJECT_ID, False)
        one.add_obj_meta(found)
        assert (found.track_id, found.is_tracked) == (UNTRACKED_OBJECT_ID, False)
        found.track_id = 3
        assert found.is_tracked


def test_the_parent_is_kept_before_and_after_the_object_is_added() -> None:
    one, parent, child = frame(), car(label="person"), car(label="face")
    child.parent = parent
    one.add_obj_meta(parent)
    assert child.parent == parent
    one.add_obj_meta(child)
    assert child.parent == parent
    child.parent = None
    assert child.parent is None
    child.parent = parent
    assert [seen.parent for seen in one.objects] == [None, parent]


def test_a_parent_that_is_not_in_the_frame_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the parent yolo\.person is not in this frame; add it first"):
        frame().add_obj_meta(car(parent=car(label="person")))


def test_an_object_is_added_once() -> None:
    one, found = frame(), car()
    one.add_obj_meta(found)
    with pytest.raises(ValueError, match=r"yolo\.car\) is in a frame already"):
        one.add_obj_meta(found)


def test_a_removed_object_is_of_its_own_again() -> None:
    one, found = frame(), car()
    one.add_obj_meta(found)
    one.remove_obj_meta(found)
    found.label = "gone"
    assert (list(one.objects), found.label) == ([], "gone")
    with pytest.raises(ValueError, match="is not in the frame of source 'gate' at pts 40"):
        one.remove_obj_meta(found)
    one.add_obj_meta(found)
    assert [seen.label for seen in one.objects] == ["gone"]


def test_objects_may_be_removed_while_they_are_iterated() -> None:
    one = frame()
    for index in range(6):
        one.add_obj_meta(car(label=str(index)))
    for found in one.objects:
        if int(found.label) % 2:
            one.remove_obj_meta(found)
    assert [found.label for found in one.objects] == ["0", "2", "4"]


def test_two_objects_of_their_own_are_equal_to_themselves_only() -> None:
    first, second = car(), car()
    assert first == first  # noqa: PLR0124 - this is the law
    assert first != second
    assert first != "car"


@pytest.mark.parametrize("label", ["x" * 10_000, "метка", "a\nb"])
def test_labels_are_kept_whole(label: str) -> None:
    one = frame()
    one.add_obj_meta(car(label=label, draw_label="drawn"))
    (seen,) = one.objects
    assert (seen.label, seen.draw_label) == (label, "drawn")


def test_a_box_must_be_a_box() -> None:
    with pytest.raises(TypeError, match="bbox: expected BBox or RBBox, got tuple"):
        car(bbox=(1, 2, 3, 4))
    assert car(bbox=RBBox(1, 2, 3, 4, 30)).bbox.angle == 30


# the primary object


def test_the_primary_object_stands_for_the_whole_frame() -> None:
    one = frame()
    one.add_obj_meta(car())
    assert (one.objects_number, one.roi.as_ltwh()) == (2, (0, 0, 320, 240))
    primary, *others = one.all_objects
    assert (primary.is_primary, primary.element_name, primary.label) == (True, "auto", "frame")
    assert [other.is_primary for other in others] == [False]
    one.roi = BBox(10, 10, 4, 4)
    assert one.roi.as_ltwh() == (8, 8, 4, 4)


def test_removing_the_primary_object_is_how_a_frame_is_skipped() -> None:
    one = frame()
    primary = one.primary
    assert primary is not None
    one.remove_obj_meta(primary)
    assert (one.has_primary, one.objects_number, one.primary) == (False, 0, None)
    with pytest.raises(LookupError, match="the primary object was removed"):
        one.roi  # noqa: B018


# attributes


@given(st.booleans(), st.lists(st.tuples(PLAIN | LISTS, st.floats(0, 1)), min_size=1, max_size=4))
def test_values_of_attributes_come_back_as_they_were(attached: bool, values: list[tuple[Any, float]]) -> None:
    one, found = frame(), car()
    if attached:
        one.add_obj_meta(found)
    for value, confidence in values:
        found.add_attr_meta("age", "years", value, confidence)
    if not attached:
        one.add_obj_meta(found)
    seen = found.get_attr_meta_list("age", "years")
    assert [one.value for one in seen] == [value for value, _confidence in values]
    assert [one.confidence for one in seen] == [confidence for _value, confidence in values]
    assert found.get_attr_meta("age", "years") == seen[0]


def test_replace_holds_before_and_after_the_object_is_added() -> None:
    one, found = frame(), car()
    found.add_attr_meta("m", "a", 1)
    found.add_attr_meta("m", "a", 2, replace=True)
    one.add_obj_meta(found)
    found.add_attr_meta("m", "a", 3)
    found.add_attr_meta("m", "b", 4)
    found.replace_attr_meta_list("m", "a", [AttributeMeta("other", "name", 5, 0.5), AttributeMeta("m", "a", 6)])
    assert [(one.value, one.confidence) for one in found.get_attr_meta_list("m", "a")] == [(5, 0.5), (6, 1.0)]
    found.replace_attr_meta_list("m", "a", [])
    found.remove_attr_meta_list("m", "b")
    assert (found.get_attr_meta("m", "a"), found.get_attr_meta_list("m", "b")) == (None, [])


@pytest.mark.parametrize("value", [{"a": 1}, [1, "a"], object, []], ids=str)
def test_what_cannot_leave_the_module_stays_in_it(value: object) -> None:
    one, found = frame(), car()
    found.add_attr_meta("m", "held", value)
    found.add_attr_meta("m", "sent", 1)
    one.add_obj_meta(found)
    held = found.get_attr_meta("m", "held")
    assert held is not None
    assert held.value == value
    names = [a["name"] for a in one.video_frame.to_dict()["objects"][0]["attributes"]]
    assert names == ["sent"]


def test_numpys_numbers_are_numbers() -> None:
    found = car()
    for value, plain in ((np.float32(0.5), 0.5), (np.int64(3), 3), (np.array([1, 2]), [1, 2]), (np.bool_(True), True)):
        found.add_attr_meta("m", "a", value, replace=True)
        seen = found.get_attr_meta("m", "a")
        assert seen is not None
        assert (seen.value, type(seen.value)) == (plain, type(plain))


# tags


@given(WORDS, PLAIN)
def test_a_tag_comes_back(name: str, value: bool | float | str) -> None:
    one = frame()
    one.set_tag(name, value)
    assert (one.get_tag(name), one.has_tag(name)) == (value, True)
    one.delete_tag(name)
    one.delete_tag(name)
    assert (one.get_tag(name), one.has_tag(name)) == (None, False)


def test_a_tag_is_a_plain_value() -> None:
    with pytest.raises(TypeError, match="tag 't': expected a boolean, number or text, got list"):
        frame().set_tag("t", [1])  # type: ignore[arg-type]


# pixels


def picture(value: int = 90) -> SurfaceView:
    surface = SurfaceView.allocate(VideoFormat.I420, (64, 48))
    surface.memset(value)
    return surface


def test_pixels_are_converted_when_asked_for_and_once() -> None:
    pixels = FramePixels(picture(), Placement.compute((64, 48), (32, 32)))
    one = frame(32, 32, pixels)
    assert (pixels.is_converted, pixels.surface() is pixels.source) == (False, True)
    image = one.image()
    assert (image.shape, image.dtype, image.flags.writeable) == ((32, 32, 4), np.uint8, False)
    assert one.image().base is image.base
    assert (pixels.is_converted, pixels.is_edited, pixels.surface() is pixels.source) == (True, False, True)


def test_only_a_picture_that_was_written_to_is_encoded() -> None:
    pixels = FramePixels(picture(), Placement.identity((64, 48)))
    one = frame(64, 48, pixels)
    before = one.image()
    with one.edit_image() as writable:
        writable[:10, :, :3] = 200
    assert pixels.is_edited
    assert (before[:10, :, :3] == 200).all()
    surface = pixels.surface()
    assert (surface.format, surface.size_wh) == (VideoFormat.RGBA, (64, 48))
    assert (surface.to_numpy()[:10, :, :3] == 200).all()


def test_a_frame_without_pixels_says_so() -> None:
    with pytest.raises(LookupError, match="frame of source 'gate' at pts 40 has no pixels"):
        frame().image()


@pytest.mark.parametrize("attached", [False, True], ids=["of its own", "in a frame"])
def test_a_parent_may_be_taken_away(attached: bool) -> None:
    frame = Frame(VideoFrame("cam", "30/1", 64, 48), None)
    parent = ObjectMeta("yolo", "car", BBox(20, 20, 8, 6))
    child = ObjectMeta("yolo", "plate", BBox(20, 20, 2, 2), parent=parent)
    frame.add_obj_meta(parent)
    if attached:
        frame.add_obj_meta(child)
    assert child.parent == parent
    child.parent = None
    assert child.parent is None
    if not attached:
        frame.add_obj_meta(child)
    assert [one.parent for one in frame.objects] == [None, None]


@pytest.mark.parametrize("attached", [False, True], ids=["of its own", "in a frame"])
def test_who_made_an_object_cannot_be_changed(attached: bool) -> None:
    frame = Frame(VideoFrame("cam", "30/1", 64, 48), None)
    one = ObjectMeta("yolo", "car", BBox(20, 20, 8, 6))
    if attached:
        frame.add_obj_meta(one)
    with pytest.raises(AttributeError, match="element_name"):
        one.element_name = "tracker"  # type: ignore[misc]
    assert one.element_name == "yolo"


@pytest.mark.parametrize(
    ("given", "box"),
    [
        ({"xc": 1, "yc": 2, "width": 3, "height": 4}, BBox(1, 2, 3, 4)),
        ({"xc": 1, "yc": 2, "width": 3, "height": 4, "angle": 0}, BBox(1, 2, 3, 4)),
        ({"xc": 1, "yc": 2, "width": 3, "height": 4, "angle": 30}, RBBox(1, 2, 3, 4, 30)),
        ([1, 2, 3, 4], BBox(1, 2, 3, 4)),
        ((1, 2, 3, 4, 30), RBBox(1, 2, 3, 4, 30)),
    ],
)
def test_boxes_are_built_of_the_numbers_of_metadata(given: Any, box: BBox | RBBox) -> None:
    built = build_bbox(given)
    assert (type(built), built.as_xcycwh()) == (type(box), box.as_xcycwh())
    assert getattr(built, "angle", None) == getattr(box, "angle", None)


@pytest.mark.parametrize("given", [{"xc": 1}, [1, 2, 3], [1, 2, 3, 4, 5, 6], {"xc": 1, "yc": 2, "w": 3, "h": 4}, {}])
def test_numbers_that_are_no_box_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="bbox: expected xc, yc, width, height"):
        build_bbox(given)


@pytest.mark.parametrize("attached", [False, True], ids=["of its own", "in a frame"])
def test_a_box_is_upright_or_turned_and_writes_to_its_object(attached: bool) -> None:
    frame = Frame(VideoFrame("cam", "30/1", 64, 48), None)
    one = ObjectMeta("yolo", "car", BBox(20, 20, 8, 6))
    if attached:
        frame.add_obj_meta(one)
    assert type(one.bbox) is BBox
    one.bbox.left = 4
    one.bbox.height = 10
    assert one.bbox.as_ltwh() == (4, 15, 8, 10)
    one.bbox = RBBox(20, 20, 8, 6, 0)
    assert type(one.bbox) is RBBox
    one.bbox.angle = 15
    assert one.fields.detection_box.angle == 15


def test_a_frame_without_a_trace_takes_every_call_of_a_span() -> None:
    span = Frame(VideoFrame("cam", "30/1", 64, 48), None).telemetry_span
    with span.nested_span("detect") as nested, nested.nested_span_when("inner", False) as inner:
        for kind, value in (("string", "a"), ("int", 1), ("float", 0.5), ("bool", True)):
            getattr(inner, f"set_{kind}_attribute")("key", value)
            getattr(inner, f"set_{kind}_vec_attribute")("key", [value])
        inner.add_event("seen", {"label": "car"})
        inner.set_status_ok()
        inner.set_status_unset()
        inner.set_status_error("lost")
    assert (span.trace_id(), span.propagate()) == ("0" * 32, {})
    with pytest.raises(ValueError, match="kept"), span.nested_span("fails"):
        raise ValueError("kept")


def test_a_picture_on_a_gpu_needs_one_and_says_what_is_missing_and_the_way_without() -> None:
    pixels = FramePixels(picture(), Placement.identity((64, 48)))
    try:
        open_device(0)
    except (MissingDependencyError, DeviceError) as missing:
        with pytest.raises(type(missing), match=r"^this frame was decoded on the CPU, .*; image\(\) gives it in host"):
            pixels.cuda()
    else:
        assert (pixels.cuda().to_numpy() == pixels.image()).all()
    assert not pixels.is_edited
