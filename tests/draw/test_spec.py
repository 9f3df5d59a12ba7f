"""The draw values: defaults, ranges, copies."""

from __future__ import annotations

import numpy as np
import pytest

from picasso.draw.spec import (
    BBoxSource,
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    SetDrawLabelKind,
)

WHITE = ColorDraw(255, 255, 255)
CLEAR = ColorDraw.transparent()


def test_the_defaults_are_those_of_the_contract() -> None:
    assert ColorDraw().rgba == (0, 255, 0, 255)
    assert ColorDraw().bgra == (0, 255, 0, 255)
    assert ColorDraw(1, 2, 3, 4).bgra == (3, 2, 1, 4)
    assert CLEAR.rgba == (0, 0, 0, 0)
    assert PaddingDraw.default_padding().padding == (0, 0, 0, 0)
    assert PaddingDraw(1, 2, 3, 4).padding == (1, 2, 3, 4)
    assert BoundingBoxDraw() == BoundingBoxDraw(CLEAR, CLEAR, 2, PaddingDraw())
    assert DotDraw(WHITE).radius == 2
    assert LabelPosition.default_position() == LabelPosition(LabelPositionKind.TopLeftOutside, 0, -10)
    label = LabelDraw(WHITE)
    assert label == LabelDraw(WHITE, CLEAR, CLEAR, 1.0, 1, LabelPosition(), PaddingDraw(), ["{label}"])
    assert label.format == ["{label}"]
    assert ObjectDraw() == ObjectDraw(None, None, None, False, BBoxSource.DetectionBox)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ColorDraw(red=256), "Invalid color: red must be in 0..255, got 256"),
        (lambda: ColorDraw(alpha=-1), "Invalid color: alpha must be in 0..255, got -1"),
        (lambda: PaddingDraw(top=-1), "Invalid padding: top must be at least 0, got -1"),
        (lambda: BoundingBoxDraw(thickness=501), "Invalid bounding box: thickness must be in 0..500, got 501"),
        (lambda: BoundingBoxDraw(thickness=-1), "Invalid bounding box"),
        (lambda: DotDraw(WHITE, 101), "Invalid dot draw: radius must be in 0..100, got 101"),
        (lambda: LabelPosition(margin_x=101), "Invalid label position: margin_x must be in -100..100, got 101"),
        (lambda: LabelPosition(margin_y=-101), "Invalid label position"),
        (lambda: LabelDraw(WHITE, font_scale=200.5), "Invalid label draw: font_scale must be in 0..200, got 200.5"),
        (lambda: LabelDraw(WHITE, font_scale=float("nan")), "Invalid label draw: font_scale"),
        (lambda: LabelDraw(WHITE, thickness=101), "Invalid label draw: thickness must be in 0..100, got 101"),
    ],
)
def test_out_of_range_is_a_value_error_with_place_value_and_limits(make, text) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the text is compared below
        make()
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ColorDraw(red=1.5),
        lambda: ColorDraw(red="red"),
        lambda: BoundingBoxDraw(border_color="red"),
        lambda: BoundingBoxDraw(padding=3),
        lambda: DotDraw(None),
        lambda: LabelPosition("Center"),
        lambda: LabelDraw(WHITE, format="{label}"),
        lambda: LabelDraw(WHITE, format=[1]),
        lambda: LabelDraw(WHITE, font_scale="big"),
        lambda: LabelDraw(None),
        lambda: ObjectDraw(bounding_box=DotDraw(WHITE)),
        lambda: ObjectDraw(blur=1),
        lambda: ObjectDraw(bbox_source=0),
        lambda: ObjectDrawSpec().insert("ns", "label", None),
        lambda: ObjectDrawSpec().insert("ns", 1, ObjectDraw()),
        lambda: SetDrawLabelKind.own(1),
    ],
)
def test_a_wrong_type_is_a_type_error(make) -> None:
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize("value", [CLEAR, PaddingDraw(1), BoundingBoxDraw(), DotDraw(WHITE), LabelPosition(),
                                   LabelDraw(WHITE), ObjectDraw(blur=True), SetDrawLabelKind.own("a")],
                         ids=lambda value: type(value).__name__)  # fmt: skip
def test_values_are_immutable_hashable_and_copied(value) -> None:
    twin = value.copy()
    assert twin == value
    assert hash(twin) == hash(value)
    assert repr(value).startswith(type(value).__name__)
    with pytest.raises(AttributeError):
        setattr(value, next(iter(type(value).__slots__), "x"), None)


def test_numbers_of_numpy_are_numbers() -> None:
    assert ColorDraw(np.uint8(7)) == ColorDraw(7)
    assert LabelDraw(WHITE, font_scale=np.float32(1.5)) == LabelDraw(WHITE, font_scale=1.5)


def test_the_list_of_lines_is_a_fresh_one() -> None:
    lines = ["{id}"]
    label = LabelDraw(WHITE, format=lines)
    lines.append("{label}")
    label.format.append("{label}")
    assert label.format == ["{id}"]


def test_a_spec_maps_namespace_and_label_exactly() -> None:
    spec = ObjectDrawSpec()
    assert spec.is_empty()
    assert repr(spec) == "ObjectDrawSpec(len=0)"
    spec.insert("ns", "car", ObjectDraw())
    spec.insert("ns", "car", ObjectDraw(blur=True))
    assert spec.lookup("ns", "car") == ObjectDraw(blur=True)
    assert spec.lookup("ns", "Car") is None
    assert (len(spec), spec.len(), spec.is_empty()) == (1, 1, False)
    assert list(spec.items()) == [(("ns", "car"), ObjectDraw(blur=True))]


def test_a_copied_spec_goes_its_own_way() -> None:
    spec = ObjectDrawSpec()
    twin = spec.copy()
    twin.insert("ns", "car", ObjectDraw())
    assert spec.is_empty()
    assert spec != twin


def test_set_draw_label_kinds_say_whose_label() -> None:
    own, parent = SetDrawLabelKind.own("a"), SetDrawLabelKind.parent("b")
    assert (own.is_own_label(), own.is_parent_label(), own.get_label()) == (True, False, "a")
    assert (parent.is_own_label(), parent.is_parent_label(), parent.get_label()) == (False, True, "b")


def test_a_memory_handle_is_a_number_of_one_value() -> None:
    one, other = ObjectDraw(), ObjectDraw()
    assert one.memory_handle != other.memory_handle
    assert isinstance(one.memory_handle, int)
