"""The values that say how a picture is fitted: numbers, spellings, ranges, copies."""

from __future__ import annotations

from typing import Any

import pytest

from picasso.errors import GeometryError
from picasso.surface import BufferGenerator, SurfaceView, VideoFormat
from picasso.transform import (
    MIN_EFFECTIVE_DIM,
    ComputeMode,
    DstPadding,
    Interpolation,
    Padding,
    Rect,
    TransformConfig,
)


def test_the_numbers_are_those_of_the_contract() -> None:
    assert [int(mode) for mode in Padding] == [0, 1, 2]
    assert [int(mode) for mode in Interpolation] == list(range(8))
    assert [int(mode) for mode in ComputeMode] == [0, 1, 2]
    assert repr(Interpolation.GPU_CUBIC_VIC_5TAP) == "Interpolation.GPU_CUBIC_VIC_5TAP"
    assert MIN_EFFECTIVE_DIM == 16


@pytest.mark.parametrize(
    ("spelling", "padding"),
    [
        ("none", Padding.NONE),
        ("NONE", Padding.NONE),
        ("right_bottom", Padding.RIGHT_BOTTOM),
        ("RightBottom", Padding.RIGHT_BOTTOM),
        ("symmetric", Padding.SYMMETRIC),
    ],
)
def test_spellings_of_paddings(spelling: str, padding: Padding) -> None:
    assert Padding.from_name(spelling) is padding


@pytest.mark.parametrize(
    ("spellings", "mode"),
    [
        ("nearest NEAREST", Interpolation.NEAREST),
        ("bilinear Bi_Linear", Interpolation.BILINEAR),
        ("gpu_cubic_vic_5tap gpucubicvic5tap GpuCubicVic5Tap cubic algo1", Interpolation.GPU_CUBIC_VIC_5TAP),
        ("gpu_super_vic_10tap gpusupervic10tap super algo2", Interpolation.GPU_SUPER_VIC_10TAP),
        ("gpulanczosvicsmart lanczos algo3", Interpolation.GPU_LANCZOS_VIC_SMART),
        ("gpuignoredvicnicest nicest algo_4", Interpolation.GPU_IGNORED_VIC_NICEST),
        ("default", Interpolation.DEFAULT),
        ("area", Interpolation.AREA),
    ],
)
def test_spellings_of_filters(spellings: str, mode: Interpolation) -> None:
    assert {Interpolation.from_name(spelling) for spelling in spellings.split()} == {mode}


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: Padding.from_name("left"), "unknown padding: 'left'"),
        (lambda: Interpolation.from_name("bicubic"), "unknown interpolation: 'bicubic'"),
    ],
)
def test_unknown_spellings(read: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read()


def test_defaults() -> None:
    config = TransformConfig()
    assert config.padding is Padding.SYMMETRIC
    assert config.dst_padding is None
    assert config.interpolation is Interpolation.BILINEAR
    assert config.compute_mode is ComputeMode.DEFAULT
    assert DstPadding() == DstPadding(0, 0, 0, 0)


def test_a_rect_is_top_then_left() -> None:
    rect = Rect(1, 2, 30, 40)
    assert (rect.top, rect.left, rect.width, rect.height) == (1, 2, 30, 40)
    assert repr(rect) == "Rect(top=1, left=2, width=30, height=40)"
    rect.left = 5
    assert rect == Rect(top=1, left=5, width=30, height=40)


def test_dst_padding_is_a_value() -> None:
    padding = DstPadding.uniform(4)
    assert padding == DstPadding(4, 4, 4, 4)
    assert hash(padding) == hash(DstPadding(4, 4, 4, 4))
    padding.right = 9
    assert repr(padding) == "DstPadding(left=4, top=4, right=9, bottom=4)"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: DstPadding(left=-1), OverflowError, "DstPadding.left: expected 0..4294967295, got -1"),
        (lambda: DstPadding.uniform(2**32), OverflowError, "DstPadding.left: expected 0..4294967295, got 4294967296"),
        (lambda: Rect(0, 0, 1, -2), OverflowError, "Rect.height: expected 0..4294967295, got -2"),
        (lambda: setattr(Rect(0, 0, 1, 1), "top", -1), OverflowError, "Rect.top: expected 0..4294967295, got -1"),
        (lambda: Rect(0, 0, 1.5, 1), TypeError, "'float' object cannot be interpreted as an integer"),
        (lambda: DstPadding(top="1"), TypeError, "'str' object cannot be interpreted as an integer"),
        (lambda: TransformConfig(padding=1), TypeError, "TransformConfig.padding: expected Padding, got 1"),
        (lambda: TransformConfig(dst_padding=4), TypeError, "TransformConfig.dst_padding: expected DstPadding, got 4"),
        (
            lambda: setattr(TransformConfig(), "interpolation", "bilinear"),
            TypeError,
            "TransformConfig.interpolation: expected Interpolation, got 'bilinear'",
        ),
    ],
)
def test_bad_values(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message


def test_the_inset_is_copied_in_and_out() -> None:
    inset = DstPadding(1, 2, 3, 4)
    config = TransformConfig(dst_padding=inset)
    inset.left = 100
    assert config.dst_padding == DstPadding(1, 2, 3, 4)
    read = config.dst_padding
    assert read is not None
    read.left = 100
    assert config.dst_padding == DstPadding(1, 2, 3, 4)
    config.dst_padding = None
    assert config.dst_padding is None


def test_configurations_are_equal_by_value() -> None:
    config = TransformConfig(Padding.NONE, DstPadding.uniform(2), Interpolation.AREA)
    assert config == config.copy()
    assert config.copy() is not config
    changed = config.copy()
    changed.interpolation = Interpolation.NEAREST
    assert changed != config
    assert config != "config"
    assert repr(config) == (
        "TransformConfig(padding=Padding.NONE, dst_padding=DstPadding(left=2, top=2, right=2, bottom=2), "
        "interpolation=Interpolation.AREA, compute_mode=ComputeMode.DEFAULT)"
    )
    with pytest.raises(TypeError, match="unhashable"):
        hash(config)


def test_a_configuration_applies_itself() -> None:
    """A grey picture in the middle, opaque black above and below."""
    source = SurfaceView.allocate(VideoFormat.RGB, (32, 16))
    source.fill([90, 90, 90])
    target = SurfaceView.allocate(VideoFormat.RGBA, (32, 32))
    placement = TransformConfig().apply(source, target)
    assert placement.pads_ltrb == (0, 8, 0, 8)
    assert set(map(tuple, target.planes[0][8:24].reshape(-1, 4).tolist())) == {(90, 90, 90, 255)}
    assert set(map(tuple, target.planes[0][:8].reshape(-1, 4).tolist())) == {(0, 0, 0, 255)}


def test_a_pool_transforms_between_its_buffers() -> None:
    pool = BufferGenerator("RGBA", 16, 16, pool_size=2)
    source = pool.acquire_with_params(5, 6)
    SurfaceView.from_buffer(source).planes[0][4:12, 4:12] = 200
    target = pool.transform(source, TransformConfig(Padding.NONE), 3, Rect(4, 4, 8, 8))
    assert SurfaceView.from_buffer(target).to_numpy()[..., :3].min() == 200
    assert (target.pts_ns, target.duration_ns) == (5, 6)
    del target
    with pytest.raises(GeometryError, match="crop right edge"):
        pool.transform(source, TransformConfig(), None, Rect(0, 10, 8, 8), timeout_s=0)
