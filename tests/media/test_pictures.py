"""What decoded frames become: native planes, I420 or RGBA, with the meaning of their numbers."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from picasso.media.pictures import PictureWrapper, color_of
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.surface.planes import layout_of

WEIGHTS = {Matrix.BT601: (0.299, 0.114), Matrix.BT709: (0.2126, 0.0722)}
CODES = {Matrix.BT709: 1, Matrix.BT601: 5}


def gradient(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """A smooth RGB picture."""
    y, x = np.mgrid[:height, :width]
    planes = x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (width + height - 2)
    return np.stack(planes, -1).astype(np.uint8)


def encoded(name: str, color: ColorSpace | None, rgb: NDArray[np.uint8]) -> av.VideoFrame:
    """The picture as a decoder would give it."""
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
    if color is None:
        return frame.reformat(format=name, threads=1)
    return frame.reformat(
        format=name, dst_colorspace=CODES[color.matrix], dst_color_range=2 if color.full_range else 1, threads=1
    )


def decoded(surface: SurfaceView) -> NDArray[np.float64]:
    """RGB of an I420 or RGBA surface, by the defining equations."""
    if surface.format is VideoFormat.RGBA:
        return surface.planes[0][..., :3].astype(float)
    assert surface.color is not None
    kr, kb = WEIGHTS[surface.color.matrix]
    luma, u, v = (plane.astype(float) for plane in surface.planes)
    u, v = (plane.repeat(2, 0).repeat(2, 1) - 128 for plane in (u, v))
    if surface.color.full_range:
        luma, u, v = luma / 255, u / 255, v / 255
    else:
        luma, u, v = (luma - 16) / 219, u / 224, v / 224
    red, blue = luma + 2 * (1 - kr) * v, luma + 2 * (1 - kb) * u
    return 255 * np.stack([red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue], -1)


COLORS = [ColorSpace(matrix, full_range) for matrix in Matrix for full_range in (False, True)]


@pytest.mark.parametrize("color", COLORS, ids=lambda color: f"{color.matrix.value}-{color.full_range}")
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "yuyv422", "yuv420p10le", "p010le", "nv16"])
def test_yuv_becomes_i420_of_the_same_meaning(name: str, color: ColorSpace) -> None:
    rgb = gradient()
    surface = PictureWrapper().wrap(encoded(name, color, rgb))
    assert (surface.format, surface.color, surface.readonly) == (VideoFormat.I420, color, True)
    assert np.abs(decoded(surface) - rgb).mean() < 2


@pytest.mark.parametrize("color", COLORS, ids=lambda color: f"{color.matrix.value}-{color.full_range}")
@pytest.mark.parametrize("name", ["yuv420p", "yuv444p", "nv12", "uyvy422", "yuva420p", "yuv422p10le"])
def test_any_yuv_becomes_rgba_on_request(name: str, color: ColorSpace) -> None:
    rgb = gradient()
    surface = PictureWrapper("rgba").wrap(encoded(name, color, rgb))
    assert (surface.format, surface.color) == (VideoFormat.RGBA, None)
    assert np.abs(decoded(surface) - rgb).mean() < 3
    assert surface.planes[0][..., 3].min() == 255


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("yuv420p", VideoFormat.I420),
        ("yuvj420p", VideoFormat.I420),
        ("nv12", VideoFormat.NV12),
        ("nv21", VideoFormat.NV21),
        ("uyvy422", VideoFormat.UYVY),
        ("rgb24", VideoFormat.RGB),
        ("bgr24", VideoFormat.BGR),
        ("rgba", VideoFormat.RGBA),
        ("bgra", VideoFormat.BGRA),
        ("bgr0", VideoFormat.BGRx),
    ],
)
def test_native_formats_share_the_decoders_memory(name: str, form: VideoFormat) -> None:
    frame = encoded(name, None, gradient())
    surface = PictureWrapper().wrap(frame)
    assert surface.format is form
    assert not any(plane.flags.owndata for plane in surface.planes)
    shared = np.frombuffer(frame.planes[0], np.uint8)
    assert np.shares_memory(shared, surface.planes[0])
    assert surface.pitch == frame.planes[0].line_size
    for plane, layout in zip(surface.planes, surface.plane_layout(), strict=True):
        assert layout[1:] == layout_of(plane)[1:]
        assert np.shares_memory(layout.memory, plane)


@pytest.mark.parametrize("name", ["gbrp", "rgb48le", "rgb0", "yuva420p", "ya8"])
def test_what_a_surface_cannot_be_becomes_rgba(name: str) -> None:
    assert PictureWrapper().wrap(encoded(name, None, gradient())).format is VideoFormat.RGBA


@pytest.mark.parametrize("size", [(95, 64), (96, 63), (95, 63)])
def test_odd_sizes_become_rgba(size: tuple[int, int]) -> None:
    rgb = gradient(*size)
    surface = PictureWrapper().wrap(encoded("yuv420p", ColorSpace(Matrix.BT601), rgb))
    assert (surface.format, surface.size_wh) == (VideoFormat.RGBA, size)
    assert np.abs(decoded(surface) - rgb).mean() < 3


def test_one_channel_becomes_luma() -> None:
    gray = gradient()[..., 2]
    surface = PictureWrapper().wrap(av.VideoFrame.from_ndarray(gray, "gray"))
    assert surface.format is VideoFormat.I420
    rgb = decoded(surface)
    assert np.abs(rgb - gray[..., None]).max() < 2


def test_full_range_names_say_full_range() -> None:
    frame = encoded("yuvj420p", None, gradient())
    assert PictureWrapper().wrap(frame).color == ColorSpace(Matrix.BT601, full_range=True)


@pytest.mark.parametrize(("height", "matrix"), [(576, Matrix.BT601), (720, Matrix.BT709)])
def test_untagged_frames_follow_their_height(height: int, matrix: Matrix) -> None:
    assert color_of(av.VideoFrame(64, height, "yuv420p")) == ColorSpace(matrix)


@pytest.mark.parametrize(("code", "matrix"), [(1, Matrix.BT709), (5, Matrix.BT601), (6, Matrix.BT601)])
def test_tags_are_believed(code: int, matrix: Matrix) -> None:
    frame = av.VideoFrame(64, 48, "yuv420p")
    frame.colorspace = code
    frame.color_range = 2
    assert color_of(frame) == ColorSpace(matrix, full_range=True)


def test_a_space_that_we_do_not_name_becomes_rgba() -> None:
    frame = av.VideoFrame(64, 48, "yuv420p")
    frame.colorspace = 9  # BT.2020
    assert color_of(frame) is None
    assert PictureWrapper().wrap(frame).format is VideoFormat.RGBA


def test_upside_down_frames_are_turned_by_their_strides() -> None:
    """A BMP stores its rows upwards."""
    rgb = gradient()
    codec = av.CodecContext.create("bmp", "w")
    codec.width, codec.height, codec.pix_fmt = 96, 64, "bgr24"
    codec.time_base = __import__("fractions").Fraction(1, 25)
    (packet,) = codec.encode(av.VideoFrame.from_ndarray(rgb[..., ::-1].copy(), "bgr24"))
    (frame,) = av.CodecContext.create("bmp", "r").decode(packet)
    surface = PictureWrapper().wrap(frame)
    assert np.array_equal(surface.planes[0], rgb[..., ::-1])
