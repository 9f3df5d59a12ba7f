"""JPEG, PNG and raw: every frame stands alone."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import pytest
import simplejpeg
from encoded_streams import SIZE_WH, Picture, surface_of

from picasso.encode import Codec, EncodedUnit, Encoder, EncoderConfig, EncoderProperties, JpegProps, PngProps
from picasso.errors import EncoderError, SurfaceError
from picasso.surface.formats import ColorSpace, Matrix, VideoFormat
from picasso.surface.view import SurfaceView

STILL = [Codec.JPEG, Codec.PNG, Codec.RAW_RGBA, Codec.RAW_RGB, Codec.RAW_NV12]
Opened = Callable[..., Encoder]


def noise(height: int, width: int, channels: int = 4) -> Picture:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)


def smooth(height: int, width: int) -> Picture:
    rows, columns = np.mgrid[0:height, 0:width]
    layers = [rows * 200 // height, columns * 200 // width, (rows + columns) * 100 // (height + width), rows * 0 + 255]
    return np.stack(layers, -1).astype(np.uint8)


def decode_png(data: bytes) -> Picture:
    with av.open(io.BytesIO(data)) as container:
        (frame,) = container.decode(video=0)
    return frame.to_ndarray(format="rgba")


@pytest.mark.parametrize("codec", STILL, ids=lambda codec: codec.name())
def test_every_frame_is_a_keyframe_with_the_times_it_came_with(codec: Codec, opened: Opened) -> None:
    encoder = opened(codec)
    surface = SurfaceView.allocate(
        encoder.input_format, SIZE_WH, encoder.color if encoder.input_format.is_yuv else None
    )
    for pts_ns, duration_ns in [(-7, None), (2**62, 5)]:
        (unit,) = encoder.encode(surface, pts_ns, duration_ns, force_keyframe=True)
        assert unit == EncodedUnit(unit.data, pts_ns, pts_ns, duration_ns, True)
    with pytest.raises(EncoderError, match="Input PTS reordering detected"):
        encoder.encode(surface, 2**62, None)
    other = SurfaceView.allocate(VideoFormat.GRAY8, SIZE_WH)
    with pytest.raises(SurfaceError, match=r"expected \w+ 128x96.*, got GRAY8 128x96"):
        encoder.encode(other, 2**63, None)
    assert encoder.flush() == encoder.flush() == []
    encoder.close()
    encoder.close()
    with pytest.raises(EncoderError, match="the encoder is closed"):
        encoder.encode(surface, 2**63, None)


def test_jpeg_takes_planes_and_keeps_the_picture(opened: Opened, clip: list[Picture]) -> None:
    encoder = opened(Codec.JPEG)
    assert (encoder.input_format, encoder.color) == (VideoFormat.I420, ColorSpace(Matrix.BT601, full_range=True))
    (unit,) = encoder.encode(surface_of(encoder, clip[0]), 0, None)
    assert simplejpeg.decode_jpeg_header(unit.data) == (96, 128, "YCbCr", "420")
    luma = simplejpeg.decode_jpeg(unit.data, colorspace="GRAY")[..., 0].astype(int)
    assert np.mean((luma - clip[0][:96]) ** 2) < 10


@pytest.mark.parametrize("size_wh", [(33, 31), (1, 1), (64, 31)])
def test_jpeg_takes_rgba_where_the_size_is_odd(size_wh: tuple[int, int], opened: Opened) -> None:
    encoder = opened(Codec.JPEG, None, size_wh)
    assert encoder.input_format is VideoFormat.RGBA
    picture = smooth(size_wh[1], size_wh[0])
    (unit,) = encoder.encode(SurfaceView.wrap(picture), 0, None)
    decoded = simplejpeg.decode_jpeg(unit.data, colorspace="RGB").astype(int)
    assert decoded.shape == (*picture.shape[:2], 3)
    assert np.mean((decoded - picture[..., :3]) ** 2) < 10


def test_jpeg_quality_is_85_unless_it_is_said(opened: Opened, clip: list[Picture]) -> None:
    def size(props: JpegProps | None) -> int:
        encoder = opened(Codec.JPEG, props)
        return len(encoder.encode(surface_of(encoder, clip[0]), 0, None)[0].data)

    assert size(None) == size(JpegProps()) == size(JpegProps(85))
    assert size(JpegProps(0)) < size(JpegProps(5)) < 0.7 * size(JpegProps(90)) < size(JpegProps(100))


@pytest.mark.parametrize("size_wh", [(128, 96), (33, 31), (1, 1)])
@pytest.mark.parametrize("level", [None, 0, 1, 9])
def test_png_keeps_every_pixel_and_its_alpha(size_wh: tuple[int, int], level: int | None, opened: Opened) -> None:
    picture = noise(size_wh[1], size_wh[0])
    (unit,) = opened(Codec.PNG, PngProps(level), size_wh).encode(SurfaceView.wrap(picture), 0, None)
    assert np.array_equal(decode_png(unit.data), picture)


def test_png_levels_trade_size_and_6_is_the_default(opened: Opened) -> None:
    surface = SurfaceView.wrap(smooth(96, 128))
    sizes = {
        level: len(opened(Codec.PNG, PngProps(level)).encode(surface, 0, None)[0].data) for level in (None, 0, 1, 6, 9)
    }
    assert sizes[0] > 128 * 96 * 4 > sizes[1] > sizes[9]
    assert sizes[None] == sizes[6]


VIEWS: dict[str, Callable[[Picture], Picture]] = {
    "padded rows": lambda wide: wide[:96, :128],
    "upside down": lambda wide: wide[95::-1, :128],
    "mirrored": lambda wide: wide[:96, 127::-1],
    "swapped channels": lambda wide: wide[:96, :128, ::-1],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("codec", [Codec.PNG, Codec.RAW_RGBA, Codec.RAW_RGB], ids=lambda codec: codec.name())
def test_strides_are_honoured(codec: Codec, view: Callable[[Picture], Picture], opened: Opened) -> None:
    picture = view(noise(100, 140))
    (unit,) = opened(codec).encode(SurfaceView.wrap(picture, VideoFormat.RGBA), 0, None)
    if codec is Codec.PNG:
        assert np.array_equal(decode_png(unit.data), picture)
    else:
        channels = 4 if codec is Codec.RAW_RGBA else 3
        assert unit.data == picture[..., :channels].tobytes()


@pytest.mark.parametrize("size_wh", [(128, 96), (33, 31), (1, 1), (15, 2)])
def test_raw_rgb_drops_alpha_and_packs_rows(size_wh: tuple[int, int], opened: Opened) -> None:
    picture = noise(size_wh[1], size_wh[0])
    (unit,) = opened(Codec.RAW_RGB, None, size_wh).encode(SurfaceView.wrap(picture), 0, None)
    assert unit.data == picture[..., :3].tobytes()


@pytest.mark.parametrize("size_wh", [(128, 96), (66, 50), (2, 2)])
def test_raw_nv12_packs_luma_and_interleaved_chroma(size_wh: tuple[int, int], opened: Opened) -> None:
    encoder = opened(Codec.RAW_NV12, None, size_wh)
    surface = SurfaceView.allocate(VideoFormat.NV12, size_wh, encoder.color)
    luma, chroma = surface.planes
    luma[...] = noise(*luma.shape, 1)[..., 0]
    chroma[...] = noise(*chroma.shape)
    (unit,) = encoder.encode(surface, 0, None)
    assert unit.data == luma.tobytes() + chroma.tobytes()


def test_another_quality_or_level_is_applied_live(opened: Opened, clip: list[Picture]) -> None:
    jpeg, sizes = opened(Codec.JPEG, JpegProps(90)), []
    for index, quality in enumerate([90, 5, 90]):
        params = EncoderProperties.jpeg(JpegProps(quality))
        assert jpeg.reconfigure(EncoderConfig(Codec.JPEG, *SIZE_WH).fps(5, 1).properties(params))
        sizes.append(len(jpeg.encode(surface_of(jpeg, clip[0]), index, None)[0].data))
    assert sizes[0] == sizes[2] > sizes[1] / 0.7
    assert not jpeg.reconfigure(EncoderConfig(Codec.JPEG, 128, 98))
    png, surface = opened(Codec.PNG), SurfaceView.wrap(smooth(96, 128))
    (small,) = png.encode(surface, 0, None)
    assert png.reconfigure(EncoderConfig(Codec.PNG, *SIZE_WH).properties(EncoderProperties.png(PngProps(0))))
    assert len(png.encode(surface, 1, None)[0].data) > 2 * len(small.data)
    assert opened(Codec.RAW_RGB).reconfigure(EncoderConfig(Codec.RAW_RGB, *SIZE_WH).gpu_id(1))
