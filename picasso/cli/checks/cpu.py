"""The CPU path end to end: kernels, drawing, and each encoder, opened on a 64x64 frame."""

from __future__ import annotations

import time
from collections.abc import Iterator

from picasso.cli.checks.finding import Finding, State

_SIZE_WH = (64, 64)
_CODECS = ("h264", "hevc", "av1", "jpeg", "png", "raw_rgba", "raw_rgb", "raw_nv12")
_NEEDED = frozenset({"h264"})
"""Without the others picasso still encodes; a build of FFmpeg may lack them."""


def check_pipeline() -> Iterator[Finding]:
    """Scale and convert one frame; where no kernels were built, the first run on a machine waits for the compiler."""
    try:
        from picasso.surface import SurfaceView, VideoFormat
        from picasso.transform import Placement
        from picasso.transform.cpu import transform
        from picasso_kernels.cpu.forms import form

        source = SurfaceView.allocate(VideoFormat.RGBA, (128, 96))
        source.memset(200)
        target = SurfaceView.allocate(VideoFormat.I420, _SIZE_WH)
        started = time.perf_counter()
        transform(source, Placement.compute(source.size_wh, _SIZE_WH), target)
        seconds = time.perf_counter() - started
    except Exception as error:  # noqa: BLE001 - the finding is why it does not run
        yield Finding.failed("kernels", "transform", error, needed=True)
    else:
        how = " (compiled once, then cached)" if form().source == "jit" else ""
        yield Finding("kernels", "transform", State.OK, f"ready after {seconds:.2f} s{how}")


def check_encoders() -> Iterator[Finding]:
    """Every codec that can be encoded: open its encoder, encode a grey frame, flush."""
    for name in _CODECS:
        try:
            finding = Finding("encoders", name, State.OK, _encode_one_frame(name))
        except Exception as error:  # noqa: BLE001 - the finding is why it does not encode
            finding = Finding.failed("encoders", name, error, needed=name in _NEEDED)
        yield finding


def _encode_one_frame(codec_name: str) -> str:
    from picasso.encode import Codec, EncoderConfig, open_encoder
    from picasso.surface import SurfaceView

    encoder = open_encoder(EncoderConfig(Codec.from_name(codec_name), *_SIZE_WH))
    try:
        color = encoder.color if encoder.input_format.is_yuv else None
        grey = SurfaceView.allocate(encoder.input_format, _SIZE_WH, color)
        grey.memset(128)
        units = [*encoder.encode(grey, 0, None), *encoder.flush()]
    finally:
        encoder.close()
    if len(units) != 1:
        raise RuntimeError(f"{encoder.name} made {len(units)} units of one frame")
    return f"{encoder.name}, wants {encoder.input_format.name()}, {len(units[0].data)} bytes for one of 64x64"
