"""A surface behaves as arrays do: NumPy reads it, parts and sizes are surfaces, files and notebooks show it."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.errors import ConsumedError, MissingDependencyError, SurfaceError, SurfaceTypeError
from picasso.primitives import BBox, RBBox
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.testing import surfaces
from picasso.transform import Interpolation, Placement, Rect, TransformConfig
from picasso.transform.cpu import transform
from picasso.transform.fitting import Padding

PACKED = [VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.BGRx, VideoFormat.RGB, VideoFormat.BGR, VideoFormat.GRAY8]
PLANAR = [VideoFormat.NV12, VideoFormat.NV21, VideoFormat.I420]
ALL = [*PACKED, *PLANAR, VideoFormat.UYVY]


def picture(form: VideoFormat, size_wh: tuple[int, int] = (64, 48), seed: int = 3) -> SurfaceView:
    surface = SurfaceView.allocate(form, size_wh)
    chance = np.random.default_rng(seed)
    for plane in surface.planes:
        plane[...] = chance.integers(0, 256, plane.shape, np.uint8)
    return surface


def decoded(data: bytes, form: str) -> Any:
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format=form)


@pytest.mark.parametrize("form", PACKED, ids=lambda form: form.name())
def test_numpy_reads_the_pixels_without_a_copy(form: VideoFormat) -> None:
    surface = picture(form)
    array = np.asarray(surface)
    assert np.shares_memory(array, surface.planes[0])
    assert (array == surface.to_numpy()).all()
    assert (array.shape[:2], array.dtype) == ((48, 64), np.uint8)
    assert (np.asarray(surface, np.float32) == array).all()
    assert not np.shares_memory(np.array(surface), surface.planes[0])
    assert float(np.mean(surface)) == float(array.mean())


@pytest.mark.parametrize("form", PLANAR, ids=lambda form: form.name())
def test_a_picture_of_several_planes_is_no_array_and_says_what_to_do(form: VideoFormat) -> None:
    with pytest.raises(SurfaceTypeError, match=rf"{form.name()} has \d planes; surface.to_rgb\(\) gives \(H, W, 3\)"):
        np.asarray(picture(form))


def test_a_view_that_was_consumed_is_no_array_and_shows_nothing() -> None:
    surface = picture(VideoFormat.RGB)
    surface.take()
    with pytest.raises(ConsumedError):
        np.asarray(surface)
    assert (surface._repr_png_(), surface._repr_html_()) == (None, None)


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.name())
def test_red_comes_first_or_last(form: VideoFormat) -> None:
    surface = picture(form)
    expected = SurfaceView.allocate(VideoFormat.RGB, surface.size_wh)
    transform(surface, Placement.identity(surface.size_wh), expected)
    assert (surface.to_rgb() == expected.planes[0]).all()
    assert (surface.to_bgr() == expected.planes[0][..., ::-1]).all()
    assert surface.to_rgb().flags.writeable


@given(surface=surfaces(), data=st.data())
def test_a_crop_holds_the_pixels_of_its_rectangle(surface: SurfaceView, data: st.DataObject) -> None:
    width, height = surface.size_wh
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width + 5)), data.draw(st.integers(top + 1, height + 5))
    unit_w, unit_h = surface.format._units_wh
    part = surface.crop((left, top, right, bottom))
    left, top = left // unit_w * unit_w, top // unit_h * unit_h
    assert part.width == min(-(-right // unit_w) * unit_w, width) - left
    assert part.height == min(-(-bottom // unit_h) * unit_h, height) - top
    assert (part.format, part.color) == (surface.format, surface.color)
    for mine, whole, shape in zip(part.planes, surface.planes, surface.format.planes, strict=True):
        y, x = top >> shape.y_shift, left >> shape.x_shift
        assert (mine == whole[y : y + mine.shape[0], x : x + mine.shape[1]]).all()
        assert np.shares_memory(mine, whole)
    if not surface.format.is_yuv:  # where it is, chroma of the edge is shared with what was cut off
        assert (part.to_rgb() == surface.to_rgb()[top : top + part.height, left : left + part.width]).all()


RECTS: dict[str, tuple[Any, tuple[int, int, int, int]]] = {
    "Rect": (Rect(top=4, left=6, width=10, height=8), (6, 4, 16, 12)),
    "BBox": (BBox(10.5, 8, 5, 4), (8, 6, 13, 10)),
    "RBBox": (RBBox(20, 20, 8, 4, 90), (17, 15, 23, 25)),
    "parts of pixels": ([1.2, 2.9, 3.1, 4.0], (1, 2, 4, 4)),
    "array": (np.array([1, 2, 3, 5]), (1, 2, 3, 5)),
    "over the edge": ((-20, -5, 1000, 3), (0, 0, 64, 3)),
}


@pytest.mark.parametrize(("rect", "ltrb"), RECTS.values(), ids=RECTS)
def test_a_rectangle_may_be_spelt_in_many_ways(rect: Any, ltrb: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = ltrb
    surface = picture(VideoFormat.RGB)
    found = np.asarray(surface.crop(rect))
    slack = 1 if isinstance(rect, RBBox) else 0  # its corners are computed
    assert abs(found.shape[0] - (bottom - top)) <= 2 * slack
    assert abs(found.shape[1] - (right - left)) <= 2 * slack
    if not slack:
        assert (found == np.asarray(surface)[top:bottom, left:right]).all()


@pytest.mark.parametrize(
    ("rect", "words"),
    [
        ((5, 5, 5, 9), "holds no pixel of a picture of 64x48"),
        ((70, 0, 80, 10), "holds no pixel"),
        ((9, 0, 5, 10), "holds no pixel"),
        ((float("nan"), 0, 1, 1), "expected finite numbers"),
        ((1, 2, 3), "expected a Rect, a box, or left, top, right, bottom"),
        ("abcd", "could not convert|expected"),
    ],
)
def test_a_rectangle_without_pixels_is_refused(rect: Any, words: str) -> None:
    with pytest.raises((SurfaceError, ValueError), match=words):
        picture(VideoFormat.RGB).crop(rect)


@pytest.mark.parametrize("form", [form for form in ALL if form is not VideoFormat.UYVY], ids=lambda form: form.name())
@pytest.mark.parametrize("name", [None, Interpolation.NEAREST])
def test_a_resized_picture_is_what_the_transform_makes(form: VideoFormat, name: Interpolation | None) -> None:
    surface = picture(form)
    small = surface.resize((32, 20), name)
    assert (small.format, small.size_wh, small.color) == (form, (32, 20), surface.color)
    source = surface if form is not VideoFormat.GRAY8 else SurfaceView.wrap(surface.to_rgb())
    expected = SurfaceView.allocate(source.format, (32, 20), source.color)
    config = TransformConfig(Padding.NONE)
    transform(source, Placement.compute((64, 48), (32, 20), config), expected, name or Interpolation.BILINEAR)
    if form is VideoFormat.GRAY8:
        assert (small.to_numpy() == expected.planes[0][..., 0]).all()
    else:
        assert (small.to_numpy() == expected.to_numpy()).all()


@pytest.mark.parametrize("form", [*PACKED, VideoFormat.UYVY], ids=lambda form: form.name())
def test_the_shape_is_that_of_the_array(form: VideoFormat) -> None:
    assert picture(form).shape == np.asarray(picture(form)).shape


@pytest.mark.parametrize("form", PLANAR, ids=lambda form: form.name())
def test_a_picture_of_several_planes_has_no_shape_and_says_why(form: VideoFormat) -> None:
    assert not hasattr(picture(form), "shape")
    with pytest.raises(AttributeError, match=rf"{form.name()} has \d planes, each of a shape of its own"):
        print(picture(form).shape)


def test_a_filter_may_be_named() -> None:
    surface = picture(VideoFormat.RGB)
    made = surface.resize((20, 10), "area")
    assert (made.to_rgb() == surface.resize((20, 10), Interpolation.AREA).to_rgb()).all()
    with pytest.raises(ValueError, match="soft"):
        surface.resize((20, 10), "soft")


@pytest.mark.parametrize("size", [320, (320.5, 136), (1, 2, 3), "ab", None])
def test_a_size_that_is_none_is_named(size: Any) -> None:
    with pytest.raises(SurfaceError, match=r"resize: expected \(width, height\) in whole pixels, got"):
        picture(VideoFormat.RGB).resize(size)


def test_what_cannot_be_resized_says_so() -> None:
    with pytest.raises(SurfaceError, match="UYVY is not written here"):
        picture(VideoFormat.UYVY).resize((8, 8))
    with pytest.raises(SurfaceError, match="I420 needs an even width and height, got 7x8"):
        picture(VideoFormat.I420).resize((7, 8))


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.name())
def test_a_saved_png_holds_the_pixels(form: VideoFormat, tmp_path: Path) -> None:
    surface = picture(form)
    surface.save(tmp_path / "x.png")
    assert (decoded((tmp_path / "x.png").read_bytes(), "rgba")[..., :3] == surface.to_rgb()).all()


def test_a_saved_jpeg_is_near_and_its_quality_counts(tmp_path: Path) -> None:
    surface = SurfaceView.allocate(VideoFormat.I420, (64, 48), ColorSpace(Matrix.BT709))
    surface.planes[0][...] = np.linspace(30, 200, 64, dtype=np.uint8)
    surface.planes[1][...], surface.planes[2][...] = 110, 150
    for quality in (20, 95):
        surface.save(tmp_path / f"{quality}.jpg", quality=quality)
    sizes = [(tmp_path / f"{quality}.jpg").stat().st_size for quality in (20, 95)]
    assert sizes[0] < sizes[1]
    found = decoded((tmp_path / "95.jpg").read_bytes(), "rgb24").astype(int)
    assert np.abs(found - surface.to_rgb()).mean() < 3


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("x.webp", {}, "unknown image format '.webp'; one of .png, .jpg, .jpeg"),
        ("x", {}, "unknown image format ''"),
        ("x.png", {"quality": 5}, "quality = 5 belongs to JPEG"),
        ("x.jpg", {"quality": 101}, "quality"),
    ],
)
def test_a_file_that_cannot_be_written_so_is_refused(
    tmp_path: Path, name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        picture(VideoFormat.RGB).save(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", [VideoFormat.RGB, VideoFormat.NV12, VideoFormat.GRAY8], ids=lambda form: form.name())
def test_a_notebook_shows_the_picture(form: VideoFormat) -> None:
    surface = picture(form)
    html = surface._repr_html_()
    assert html is not None
    assert f"64 x 48, {form.name()}" in html
    found = re.search('base64,([^"]+)"', html)
    assert found is not None
    assert (decoded(base64.b64decode(found[1]), "rgb24") == surface.to_rgb()).all()


def test_a_notebook_shows_a_large_picture_smaller() -> None:
    png = picture(VideoFormat.RGB, (2048, 512))._repr_png_()
    assert png is not None
    assert decoded(png, "rgb24").shape == (256, 1024, 3)


def test_pillow_gets_the_picture() -> None:
    pytest.importorskip("PIL")
    for form, mode in ((VideoFormat.RGBA, "RGBA"), (VideoFormat.GRAY8, "L"), (VideoFormat.I420, "RGB")):
        surface = picture(form)
        image = surface.to_pil()
        assert (image.mode, image.size) == (mode, (64, 48))
        expected = surface.to_rgb() if mode == "RGB" else surface.to_numpy()
        assert (np.asarray(image) == expected).all()


def test_without_pillow_the_error_names_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(MissingDependencyError, match="pip install pillow"):
        picture(VideoFormat.RGB).to_pil()
