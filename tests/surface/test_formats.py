"""Formats, memory kinds and colour spaces."""

from __future__ import annotations

import pytest

from picasso.errors import SurfaceError
from picasso.surface import MAX_SIDE, ColorSpace, Matrix, MemType, VideoFormat


def test_the_numbers_are_those_of_the_contract() -> None:
    assert [int(form) for form in VideoFormat] == list(range(10))
    names = "RGBA BGRx NV12 NV21 I420 UYVY GRAY8 RGB BGR BGRA"
    assert " ".join(form.name() for form in VideoFormat) == names
    assert [int(kind) for kind in MemType] == list(range(7))
    assert [kind.name() for kind in MemType][:3] == ["default", "cuda_pinned", "cuda_device"]
    assert repr(VideoFormat.BGRx) == "VideoFormat.BGRx"
    assert VideoFormat.NV12 == 2
    assert VideoFormat.NV12 != MemType.CUDA_DEVICE
    assert len({VideoFormat.RGBA, VideoFormat.from_name("RGBA")}) == 1


@pytest.mark.parametrize("spelling", ["rgba", "Rgba", "BGRX", "", "NV13"])
def test_format_names_are_case_sensitive(spelling: str) -> None:
    with pytest.raises(ValueError, match="one of RGBA, BGRx"):
        VideoFormat.from_name(spelling)


def test_the_color_format_numbers_of_the_contract() -> None:
    assert VideoFormat.GRAY8.color_format == 1
    assert VideoFormat.RGBA.color_format == 19
    assert len({form.color_format for form in VideoFormat}) == len(VideoFormat)


@pytest.mark.parametrize(
    ("form", "channels", "shapes"),
    [
        (VideoFormat.RGBA, 4, [(4, 6, 4)]),
        (VideoFormat.BGRx, 4, [(4, 6, 4)]),
        (VideoFormat.BGRA, 4, [(4, 6, 4)]),
        (VideoFormat.RGB, 3, [(4, 6, 3)]),
        (VideoFormat.BGR, 3, [(4, 6, 3)]),
        (VideoFormat.GRAY8, 1, [(4, 6)]),
        (VideoFormat.UYVY, 2, [(4, 6, 2)]),
        (VideoFormat.NV12, 0, [(4, 6), (2, 3, 2)]),
        (VideoFormat.NV21, 0, [(4, 6), (2, 3, 2)]),
        (VideoFormat.I420, 0, [(4, 6), (2, 3), (2, 3)]),
    ],
)
def test_planes_of_a_6x4_picture(form: VideoFormat, channels: int, shapes: list[tuple[int, ...]]) -> None:
    assert form.channels == channels
    assert [plane.of((6, 4)) for plane in form.planes] == shapes


@pytest.mark.parametrize(
    ("form", "size_wh", "message"),
    [
        (VideoFormat.NV12, (641, 480), "NV12 needs an even width and height, got 641x480"),
        (VideoFormat.I420, (640, 481), "I420 needs an even width and height, got 640x481"),
        (VideoFormat.UYVY, (641, 480), "UYVY needs an even width, got 641x480"),
        (VideoFormat.RGBA, (0, 480), "width and height must be in 1..16384, got 0x480"),
        (VideoFormat.RGBA, (640, -1), "width and height must be in 1..16384, got 640x-1"),
        (VideoFormat.RGBA, (MAX_SIDE + 1, 1), "width and height must be in 1..16384, got 16385x1"),
    ],
)
def test_sizes_that_a_format_cannot_have(form: VideoFormat, size_wh: tuple[int, int], message: str) -> None:
    with pytest.raises(SurfaceError) as caught:
        form.check_size(size_wh)
    assert str(caught.value) == message


def test_odd_sizes_are_fine_where_no_chroma_is_shared() -> None:
    assert VideoFormat.RGB.check_size((641, 481)) == (641, 481)
    assert VideoFormat.UYVY.check_size((640, 481)) == (640, 481)


@pytest.mark.parametrize(("height", "matrix"), [(480, Matrix.BT601), (719, Matrix.BT601), (720, Matrix.BT709)])
def test_the_default_matrix_follows_the_height(height: int, matrix: Matrix) -> None:
    assert ColorSpace.for_height(height) == ColorSpace(matrix, full_range=False)
    assert ColorSpace.for_height(height, full_range=True).full_range
