"""Laws of the transform on the CPU: it writes what the oracle says, for all formats, strides and filters."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from naive_transform import Samples, is_copy, naive_transform
from pictures import COLORS, FILTERS, GUARD, LAYOUTS, READABLE, Bytes, placements, surface

from picasso.errors import GeometryError, SurfaceError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform.config import Interpolation, Padding, Rect, TransformConfig
from picasso.transform.cpu import transform, transform_by_reference, warm_up
from picasso.transform.mapping import place
from picasso.transform.placement import Placement
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.compile import host
from picasso_kernels.frame.transform import transform_frame
from picasso_kernels.maths.axis import Axis, fill_bilinear, fill_nearest

WRITABLE = [form for form in READABLE if form not in {VideoFormat.GRAY8, VideoFormat.UYVY}]


def as_planes(target: SurfaceView) -> tuple[Samples, ...]:
    planes = [plane.astype(np.int64) for plane in target.planes]
    if target.format in {VideoFormat.NV12, VideoFormat.NV21}:
        pair = [planes[1][..., 0], planes[1][..., 1]]
        return (planes[0], *(pair if target.format is VideoFormat.NV12 else reversed(pair)))
    return tuple(planes)


@pytest.mark.parametrize("read", [VideoFormat.I420, VideoFormat.NV12])
@pytest.mark.parametrize("layout", ["tight", "padded", "upside down"])
@pytest.mark.parametrize("inner", [(0, 0, 140, 8), (2, 2, 136, 4), (3, 1, 130, 6)], ids=["all", "inset", "odd"])
@pytest.mark.parametrize("left", [0, 4, 7])
def test_planes_of_half_the_size(read: VideoFormat, layout: str, inner: tuple[int, int, int, int], left: int) -> None:
    """What means of 2x2 samples make is what two passes of blends make."""
    placement = Placement((300, 20), (left, 2, 2 * inner[2], 2 * inner[3]), (140, 8), inner)
    source = surface(read, placement.source_wh, COLORS[0], layout, left)
    compiled, reference = (surface(VideoFormat.I420, placement.target_wh, COLORS[0], layout, 1) for _ in range(2))
    transform(source, placement, compiled)
    transform_by_reference(source, placement, reference)
    expected = naive_transform(source, placement, VideoFormat.I420, COLORS[0], Interpolation.BILINEAR)
    for ours, theirs, exact in zip(compiled.planes, reference.planes, expected, strict=True):
        np.testing.assert_array_equal(theirs, exact)
        np.testing.assert_array_equal(ours, exact)


def assert_surroundings_untouched(target: SurfaceView) -> None:
    for plane in target.planes:
        plane[...] = GUARD
        root = plane
        while isinstance(root.base, np.ndarray):
            root = root.base
        assert (root == GUARD).all()


sides, units = st.integers(1, 12), st.sampled_from([1, 2])


@given(st.builds(Axis, st.integers(0, 6), sides, units, st.integers(0, 6), sides, units))
@example(Axis(0, 4, 2, 0, 2, 1))  # chroma of 4:2:2 to 4:2:0, twice as high
def test_samples_are_copied_where_each_has_the_place_of_the_next(axis: Axis) -> None:
    assert axis.is_copy == is_copy(axis)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(READABLE),
    st.sampled_from(WRITABLE),
    placements(),
    st.sampled_from(FILTERS),
    st.sampled_from(LAYOUTS),
    st.sampled_from(LAYOUTS),
    st.sampled_from(COLORS),
    st.sampled_from(COLORS),
    st.integers(0, 99),
)
def test_compiled_and_reference_and_oracle_are_one(
    read: VideoFormat,
    write: VideoFormat,
    placement: Placement,
    interpolation: Interpolation,
    source_layout: str,
    target_layout: str,
    source_color: ColorSpace,
    target_color: ColorSpace,
    seed: int,
) -> None:
    source = surface(read, placement.source_wh, source_color, source_layout, seed)
    compiled = surface(write, placement.target_wh, target_color, target_layout, seed + 1)
    reference = surface(write, placement.target_wh, target_color, target_layout, seed + 2)
    transform(source, placement, compiled, interpolation)
    transform_by_reference(source, placement, reference, interpolation)
    expected = naive_transform(source, placement, write, target_color, interpolation)
    for ours, theirs, exact in zip(as_planes(compiled), as_planes(reference), expected, strict=True):
        np.testing.assert_array_equal(theirs, exact)
        np.testing.assert_array_equal(ours, exact)
    assert_surroundings_untouched(compiled)
    assert_surroundings_untouched(reference)


@pytest.mark.parametrize("read", READABLE, ids=lambda read: read.name())
@pytest.mark.parametrize("layout", ["tight", "padded", "upside down", "mirrored"])
@pytest.mark.parametrize(
    ("source_wh", "target_wh"),
    [((126, 12), (42, 4)), ((210, 10), (42, 2)), ((112, 6), (42, 2)), ((42, 6), (42, 2)), ((126, 4), (42, 4))],
    ids=["a third", "a fifth", "a third down only", "of rows a third", "of columns a third"],
)
def test_pictures_that_shrink_to_a_third_and_to_about_that(
    read: VideoFormat, layout: str, source_wh: tuple[int, int], target_wh: tuple[int, int]
) -> None:
    """Where each target sample lies on one source sample, it is a copy; rows and columns without a share are left."""
    placement = Placement.compute(source_wh, target_wh, TransformConfig(Padding.NONE))
    source = surface(read, source_wh, COLORS[0], layout, 3)
    compiled = SurfaceView.allocate(VideoFormat.RGBA, target_wh)
    reference = SurfaceView.allocate(VideoFormat.RGBA, target_wh)
    transform(source, placement, compiled)
    transform_by_reference(source, placement, reference)
    exact = naive_transform(source, placement, VideoFormat.RGBA, COLORS[0], Interpolation.BILINEAR)[0]
    np.testing.assert_array_equal(as_planes(reference)[0], exact)
    np.testing.assert_array_equal(as_planes(compiled)[0], exact)


@pytest.mark.parametrize(
    ("source_wh", "target_wh"),
    [
        ((192, 108), (128, 72)),
        ((384, 216), (64, 36)),
        ((150, 100), (333, 77)),
        ((64, 48), (128, 96)),
        ((97, 61), (41, 60)),
    ],
    ids=["1.5", "6", "up and down", "half", "odd"],
)
def test_bilinear_is_that_of_opencv_within_one(source_wh: tuple[int, int], target_wh: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (source_wh[1], source_wh[0], 4), np.uint8)
    ours = converted(picture, Placement.compute(source_wh, target_wh, TransformConfig(Padding.NONE)))
    theirs = cv2.resize(picture, target_wh, interpolation=cv2.INTER_LINEAR)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_nearest_is_the_exact_one_of_opencv() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (61, 97, 4), np.uint8)
    placement = Placement.compute((97, 61), (41, 90), TransformConfig(Padding.NONE))
    theirs = cv2.resize(picture, (41, 90), interpolation=cv2.INTER_NEAREST_EXACT)
    np.testing.assert_array_equal(converted(picture, placement, Interpolation.NEAREST), theirs)


@pytest.mark.parametrize("target_wh", [(48, 27), (60, 40), (95, 53)], ids=["4", "3.2 and 2.7", "2"])
def test_area_is_that_of_opencv_within_one(target_wh: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (108, 192, 4), np.uint8)
    placement = Placement.compute((192, 108), target_wh, TransformConfig(Padding.NONE))
    theirs = cv2.resize(picture, target_wh, interpolation=cv2.INTER_AREA)
    assert np.abs(converted(picture, placement, Interpolation.AREA).astype(int) - theirs).max() <= 1


def converted(picture: Bytes, placement: Placement, interpolation: Interpolation = Interpolation.BILINEAR) -> Bytes:
    target = SurfaceView.allocate(VideoFormat.RGBA, placement.target_wh)
    transform(SurfaceView.wrap(picture), placement, target, interpolation)
    return target.planes[0]


@given(placements(), st.sampled_from(FILTERS), st.sampled_from(COLORS), st.integers(0, 99))
@settings(deadline=None)
def test_a_planar_target_is_the_rgba_target_converted(
    placement: Placement, interpolation: Interpolation, color: ColorSpace, seed: int
) -> None:
    """Bars, odd edges and all: there is one picture, and it has one chroma."""
    source = surface(VideoFormat.RGBA, placement.source_wh, color, "tight", seed)
    rgba = SurfaceView.allocate(VideoFormat.RGBA, placement.target_wh)
    transform(source, placement, rgba, interpolation)
    fused, after = (SurfaceView.allocate(VideoFormat.I420, placement.target_wh, color) for _ in range(2))
    transform(source, placement, fused, interpolation)
    transform(rgba, Placement.identity(placement.target_wh), after)
    np.testing.assert_array_equal(fused.to_numpy(), after.to_numpy())


@given(placements(), st.sampled_from(FILTERS), st.sampled_from(WRITABLE), st.sampled_from(COLORS))
@settings(deadline=None)
def test_a_flat_picture_stays_flat_and_bars_are_black(
    placement: Placement, interpolation: Interpolation, form: VideoFormat, color: ColorSpace
) -> None:
    source = SurfaceView.allocate(VideoFormat.RGBA, placement.source_wh)
    source.fill([0, 0, 0, 255])
    target = surface(form, placement.target_wh, color, "tight", 1)
    transform(source, placement, target, interpolation)
    if form.is_yuv:
        luma, *chroma = target.planes
        assert (luma == (0 if color.full_range else 16)).all()
        assert all((plane == 128).all() for plane in chroma)
    else:
        assert (target.planes[0][..., :3] == 0).all()
        assert (target.planes[0][..., 3:] == 255).all()


def test_a_marked_pixel_lands_where_the_placement_says() -> None:
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[10, 20] = 255
    placement = Placement.compute((60, 40), (400, 300), src_rect=Rect(top=5, left=10, width=40, height=30))
    shown = converted(picture, placement, Interpolation.NEAREST)
    rows, columns = np.nonzero(shown[..., 0])
    left, top, right, bottom = place(np.array([[20.0, 10.0, 21.0, 11.0]]), placement)[0]
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (left, right, top, bottom)


def test_read_only_sources_are_read() -> None:
    picture = np.random.default_rng(4).integers(0, 256, (8, 8, 4), np.uint8)
    expected = converted(picture, Placement.identity((8, 8))).copy()
    picture.flags.writeable = False
    np.testing.assert_array_equal(converted(picture, Placement.identity((8, 8))), expected)


def test_nothing_is_left_to_compile_after_warming_up(pytestconfig: pytest.Config) -> None:
    if forms.form().source != "jit" or pytestconfig.option.every_level or pytestconfig.option.record_calls:
        pytest.skip("Numba alone has something to compile")
    warm_up()
    kernels = [host(kernel) for kernel in (transform_frame, fill_bilinear, fill_nearest)]
    of_16_bits = [[str(kinds[0].dtype) for kinds in fill.signatures].count("int16") for fill in kernels[1:]]
    assert [len(kernels[0].signatures), *of_16_bits] == [1, 1, 1]  # plans of a GPU, in other tests, have 32 bits
    compiled = [kernel.signatures for kernel in kernels]
    for form in READABLE:
        source = surface(form, (8, 8), COLORS[0], "every second", 0)
        for write in WRITABLE:
            transform(source, Placement.compute((8, 8), (4, 6)), surface(write, (4, 6), COLORS[1], "padded", 0))
    assert [kernel.signatures for kernel in kernels] == compiled


def test_threads_do_not_share_their_working_memory() -> None:
    sizes = [(640, 360), (16, 16), (320, 180), (64, 48)]
    pictures = [np.random.default_rng(seed).integers(0, 256, (h, w, 4), np.uint8) for seed, (w, h) in enumerate(sizes)]
    placements = [Placement.compute(size, (128, 96)) for size in sizes]
    alone = [converted(picture, placement).copy() for picture, placement in zip(pictures, placements, strict=True)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            together = list(pool.map(converted, pictures, placements))
            assert all(np.array_equal(ours, theirs) for ours, theirs in zip(together, alone, strict=True))


def read_only(target: SurfaceView) -> SurfaceView:
    for plane in target.planes:
        plane.flags.writeable = False
    return target


RGBA, GRAY = VideoFormat.RGBA, VideoFormat.GRAY8


@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        (SurfaceView.allocate(RGBA, (8, 6)), SurfaceView.allocate(RGBA, (4, 4)), GeometryError, "source is 8x6"),
        (SurfaceView.allocate(RGBA, (8, 8)), SurfaceView.allocate(RGBA, (4, 6)), GeometryError, "target is 4x6"),
        (SurfaceView.allocate(RGBA, (8, 8)), SurfaceView.allocate(GRAY, (4, 4)), SurfaceError, "cannot write GRAY8"),
        (SurfaceView.allocate(RGBA, (8, 8)), read_only(SurfaceView.allocate(RGBA, (4, 4))), SurfaceError, "read-only"),
    ],
    ids=["other source", "other target", "unwritable format", "read-only target"],
)
def test_bad_arguments(source: SurfaceView, target: SurfaceView, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        transform(source, Placement.compute((8, 8), (4, 4)), target)
