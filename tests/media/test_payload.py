"""Payloads to pictures: every codec that travels, in display order, each with its own frame."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from picasso.encode.scheduling import unchanged_priority
from picasso.errors import MediaError
from picasso.media.payload import PayloadDecoder, is_decodable, is_still
from picasso.surface import VideoFormat

SIZE = (64, 48)
ENCODERS = {
    "h264": ("libx264", "yuv420p", {"bf": "0", "tune": "zerolatency"}),
    "hevc": ("libx265", "yuv420p", {"x265-params": "bframes=0:log-level=error"}),
    "jpeg": ("mjpeg", "yuvj420p", {}),
    "png": ("png", "rgb24", {}),
    "av1": ("libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "pred-struct=1"}),
    "vp8": ("libvpx", "yuv420p", {"deadline": "realtime", "lag-in-frames": "0"}),
    "vp9": ("libvpx-vp9", "yuv420p", {"deadline": "realtime", "lag-in-frames": "0"}),
}


def grey(number: int) -> int:
    return 20 + 20 * number


def payloads(name: str, form: str, options: dict[str, str], count: int = 10) -> list[tuple[int, bytes]]:
    """Grey pictures, encoded; each with its number, in decoding order."""
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = *SIZE, form
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = options
    found = []
    with unchanged_priority():
        context.open()
    for number in range(count):
        pixels = np.full((SIZE[1], SIZE[0], 3), grey(number), np.uint8)
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=form)
        picture.pts = number
        found += [(packet.pts, bytes(packet)) for packet in context.encode(picture)]
    return found + [(packet.pts, bytes(packet)) for packet in context.encode(None)]


@pytest.mark.parametrize("codec", ENCODERS)
def test_every_codec_comes_out_as_it_went_in(codec: str) -> None:
    decoder: PayloadDecoder[int] = PayloadDecoder(codec.upper(), SIZE)
    shown = [one for number, data in payloads(*ENCODERS[codec]) for one in decoder.feed(number, memoryview(data))]
    shown += decoder.flush()
    assert [number for number, _ in shown] == list(range(10))
    assert decoder.take_lost() == []
    for number, surface in shown:
        assert surface.size_wh == SIZE
        value = np.mean(surface.to_numpy() if not surface.format.is_yuv else surface.planes[0])
        full = surface.color is None or surface.color.full_range
        expected = grey(number) if full else 16 + grey(number) * 219 / 255
        assert abs(value - expected) < 4, (codec, number)


def test_frames_that_refer_to_later_ones_come_out_in_the_order_of_their_times() -> None:
    decoder: PayloadDecoder[int] = PayloadDecoder("h264", SIZE)
    coded = payloads("libx264", "yuv420p", {"bf": "3", "x264-params": "b-adapt=0"})
    assert [number for number, _ in coded] != list(range(10))
    shown = [one for number, data in coded for one in decoder.feed(number, data)] + decoder.flush()
    assert [number for number, _ in shown] == list(range(10))
    for number, surface in shown:
        assert abs(np.mean(surface.planes[0]) - (16 + grey(number) * 219 / 255)) < 6


@pytest.mark.parametrize(("codec", "form", "shape"), [
    ("raw-rgba", VideoFormat.RGBA, (48, 64, 4)),
    ("raw_rgba", VideoFormat.RGBA, (48, 64, 4)),
    ("raw-rgb24", VideoFormat.RGB, (48, 64, 3)),
    ("raw-nv12", VideoFormat.NV12, (72, 64)),
])  # fmt: skip
def test_raw_pixels_are_seen_where_they_are(codec: str, form: VideoFormat, shape: tuple[int, ...]) -> None:
    data = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    decoder: PayloadDecoder[str] = PayloadDecoder(codec, SIZE)
    ((frame, surface),) = decoder.feed("a", data.tobytes())
    assert (frame, surface.format) == ("a", form)
    assert surface.readonly
    assert np.concatenate([plane.ravel() for plane in surface.planes]).tobytes() == data.tobytes()
    assert decoder.flush() == []


def test_raw_pixels_of_another_length_are_refused_with_both_lengths() -> None:
    with pytest.raises(MediaError, match="expected 12288 bytes for 64x48, got 5"):
        PayloadDecoder("raw-rgba", SIZE).feed("a", b"12345")


@pytest.mark.parametrize("codec", ["h264", "jpeg", "png", "vp8", "hevc", "av1", "vp9"])
def test_bytes_that_are_no_picture_are_told_and_their_frame_counts_as_lost(codec: str) -> None:
    decoder: PayloadDecoder[str] = PayloadDecoder(codec, SIZE)
    came = []
    try:
        came += decoder.feed("bad", bytes(range(7, 200)))
    except MediaError as error:
        assert f"{codec}: 193 bytes cannot be decoded" in str(error)  # noqa: PT017 - some decoders pass over it in silence
    came += decoder.flush()
    assert came == []
    assert decoder.take_lost() == ["bad"]


def test_an_unknown_codec_is_refused_with_the_choices() -> None:
    with pytest.raises(MediaError, match="codec 'h266' cannot be decoded; one of av1"):
        PayloadDecoder("h266", SIZE)
    assert not is_decodable("h266")
    assert not is_decodable(None)
    assert is_decodable("RAW_RGBA")
    assert [is_still(name) for name in ("jpeg", "raw-rgba", "png", "h264", None)] == [True, True, True, False, False]
