"""Reconfiguring a live encoder, and encoders that fail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import av
import pytest
from encoded_streams import FRAME_NS, SIZE_WH, Picture, decode, surface_of

import picasso.encode.av as backend
from picasso.encode import (
    Codec,
    Encoder,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    HevcDgpuProps,
    JpegProps,
    RateControl,
    open_encoder,
)
from picasso.encode.property_types import Props
from picasso.encode.video_settings import LibraryPlan
from picasso.errors import EncoderError, MissingDependencyError
from picasso.surface.formats import MemType, VideoFormat

VBR = RateControl.VARIABLE_BITRATE
Opened = Callable[..., Encoder]


def config(props: Props | None = None, codec: Codec = Codec.H264, size_wh: tuple[int, int] = SIZE_WH) -> EncoderConfig:
    made = EncoderConfig(codec, *size_wh)
    return made.properties(EncoderProperties(props)) if props else made


@pytest.mark.parametrize(
    "change",
    [
        config(),
        config().gpu_id(3).mem_type(MemType.SYSTEM).format(VideoFormat.RGBA),
        config(H264DgpuProps(init_qp="20:20:20")),
        config(H264DgpuProps(4_000_000, iframeinterval=30)),
        config(H264DgpuProps(1_000_000)),
    ],
    ids=repr,
)
def test_what_changes_nothing_or_lowers_a_constant_rate_is_applied_live(change: EncoderConfig, opened: Opened) -> None:
    assert opened(Codec.H264).reconfigure(change)


@pytest.mark.parametrize(
    "change",
    [
        config(codec=Codec.HEVC),
        config(size_wh=(128, 98)),
        config().fps(25, 1),
        config(H264DgpuProps(4_000_001)),
        config(H264DgpuProps(1_000_000, control_rate=VBR)),
        config(H264DgpuProps(1_000_000, iframeinterval=10)),
        config(H264DgpuProps(extended_colorformat=True)),
    ],
    ids=repr,
)
def test_what_asks_for_a_new_encoder_is_refused_and_changes_nothing(
    change: EncoderConfig, opened: Opened, clip: list[Picture]
) -> None:
    encoder, untouched = opened(Codec.H264), opened(Codec.H264)
    assert not encoder.reconfigure(change)
    for index, picture in enumerate(clip[:4]):
        surface = surface_of(encoder, picture)
        assert encoder.encode(surface, index, None) == untouched.encode(surface, index, None)


def test_a_lower_rate_holds_from_the_next_frame_on_and_may_rise_again(opened: Opened, clip: list[Picture]) -> None:
    def props(bitrate: int) -> H264DgpuProps:
        return H264DgpuProps(bitrate, iframeinterval=0)

    encoder, sizes, units = opened(Codec.H264, props(320_000)), [], []
    loop = clip + clip[::-1]
    for bitrate in [320_000, 80_000, 80_000, 320_000, 320_000]:
        assert encoder.reconfigure(config(props(bitrate)))
        made = [
            encoder.encode(surface_of(encoder, picture), (len(units) + i) * FRAME_NS, FRAME_NS)[0]
            for i, picture in enumerate(loop)
        ]
        units += made
        sizes.append(sum(len(unit.data) for unit in made) * 8 * 30 / len(loop))
    assert [unit.keyframe for unit in units] == [True] + [False] * (len(units) - 1)
    assert len(decode(Codec.H264, units)) == len(units)
    assert sizes[0] == pytest.approx(320_000, rel=0.3)
    assert sizes[2] == pytest.approx(80_000, rel=0.3)
    assert sizes[4] == pytest.approx(320_000, rel=0.3)


def test_hevc_takes_no_other_rate_live(opened: Opened) -> None:
    encoder = opened(Codec.HEVC)
    assert encoder.reconfigure(config(codec=Codec.HEVC))
    assert not encoder.reconfigure(config(HevcDgpuProps(1_000_000), Codec.HEVC))


def test_a_configuration_that_changes_after_opening_changes_nothing(clip: list[Picture]) -> None:
    given = config(JpegProps(90), Codec.JPEG)
    encoder = open_encoder(given)
    given.fps(1, 1).properties(EncoderProperties.jpeg(JpegProps(5)))
    (unit,) = encoder.encode(surface_of(encoder, clip[0]), 0, None)
    fresh = open_encoder(config(JpegProps(90), Codec.JPEG))
    assert fresh.encode(surface_of(fresh, clip[0]), 0, None) == [unit]


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (LibraryPlan("libx264", {"nonsense": "1"}), r"libx264 does not know the options \{'nonsense': '1'\}"),
        (LibraryPlan("libx264", {"preset": "warp"}), r"libx264 cannot open EncoderConfig\(codec=H264, 128x96.*preset"),
        (LibraryPlan("libx264", {"b": str(2**70)}), "libx264 cannot open EncoderConfig"),
        (LibraryPlan("libx266", {}), "was built without libx266"),  # type: ignore[arg-type]
    ],
    ids=["unknown option", "unknown value", "value out of range", "unknown library"],
)
def test_a_library_that_refuses_says_why(plan: LibraryPlan, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backend.PLANS, Codec.H264, lambda settings: plan)
    with pytest.raises(EncoderError, match=text):
        open_encoder(config())


@pytest.mark.parametrize(("codec", "library"), [(Codec.H264, "av"), (Codec.PNG, "av"), (Codec.JPEG, "simplejpeg")])
def test_a_missing_library_is_named_with_the_way_to_get_it(
    codec: Codec, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError, match=rf"{library} cannot be imported .*; pip install 'picasso-engine'"):
        open_encoder(config(codec=codec))


class Broken:
    """A library's encoder that fails, or whose units come out of order."""

    def __init__(self, packets: list[av.Packet] | None = None) -> None:
        self.packets = packets

    def encode(self, frame: av.VideoFrame | None) -> list[av.Packet]:
        if self.packets is None:
            raise av.ExternalError(1, "out of memory")
        return self.packets

    def encode_lazy(self, frame: av.VideoFrame | None) -> Iterator[av.Packet]:
        yield from self.encode(frame)


def test_a_frame_that_fails_is_reported_and_the_encoder_goes_on_and_closes(
    opened: Opened, clip: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = opened(Codec.H264)
    encoder.encode(surface_of(encoder, clip[0]), 0, None)
    library = encoder._context  # type: ignore[attr-defined]
    monkeypatch.setattr(encoder, "_context", Broken())
    with pytest.raises(EncoderError, match=r"libx264 failed on frame 1: .*out of memory"):
        encoder.encode(surface_of(encoder, clip[1]), 1, None)
    monkeypatch.setattr(encoder, "_context", library)
    (unit,) = encoder.encode(surface_of(encoder, clip[2]), 2, None)
    assert unit.pts_ns == 2
    monkeypatch.setattr(encoder, "_context", Broken())
    with pytest.raises(EncoderError, match="libx264 failed"):
        encoder.flush()
    encoder.close()


def test_units_out_of_order_are_reported(opened: Opened, clip: list[Picture], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = opened(Codec.H264)
    late = av.Packet(b"late")
    late.pts = 1
    monkeypatch.setattr(encoder, "_context", Broken([late]))
    with pytest.raises(EncoderError, match=r"Output PTS reordering detected \(B-frames\?\)"):
        encoder.encode(surface_of(encoder, clip[0]), 0, None)
