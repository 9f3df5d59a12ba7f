"""``write_video``: pictures that a program makes, as a video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from picasso.encode import Codec
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import MediaError, SpecError
from picasso.media import StreamWriter
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import TransformConfig
from picasso.verbs.encoding import encoder_config
from picasso.verbs.process import CODECS

if TYPE_CHECKING:
    from picasso.media.location import Location

_ARRAYS: Final = {"rgb": VideoFormat.RGB, "bgr": VideoFormat.BGR, "gray": VideoFormat.GRAY8}
_NS_PER_S: Final = 1_000_000_000


def write_video(
    destination: Location,
    pictures: Iterable[Any],
    fps: float | Fraction = 25,
    *,
    pixel_format: str | None = None,
    size_wh: tuple[int, int] | None = None,
    codec: str = "h264",
    crf: float | None = None,
) -> int:
    """Write pictures as a video, one after the other, and return how many there were.

    Args:
        destination: ``.mp4``, ``.mov`` or ``.mkv``.
        pictures: Surfaces, or arrays ``(H, W, 3)``, ``(H, W, 4)`` or ``(H, W)`` of uint8; a generator makes each when
            it is needed. They may be written to again when the next one is asked for.
        fps: Frames a second.
        pixel_format: What arrays are: ``rgb``, ``bgr`` or ``gray``; by default as ``SurfaceView.wrap`` says.
        size_wh: Of the video, pixels, even; pictures of another size are letterboxed. By default that of the first
            picture, which loses a pixel on an odd side.
        codec: ``h264``, ``hevc`` or ``av1``.
        crf: Constant quality, lower is better; by default 23, 24 and 32.

    Raises:
        MediaError: There is no picture, or the file cannot be written.
        SpecError: An unknown codec or pixel format, a rate that is not positive, or a size that the codec does not
            take.
        SurfaceError: What holds no pixels of uint8.

    >>> import numpy as np
    >>> write_video("/dev/null", (np.full((64, 64, 3), level, np.uint8) for level in range(3)), fps=30)
    3
    """
    rate = Fraction(fps).limit_denominator(100_000)
    if rate <= 0:
        raise SpecError(f"write_video: fps = {fps}: expected more than 0")
    for name, value, choices in (("codec", codec, CODECS), ("pixel format", pixel_format or "rgb", _ARRAYS)):
        if value not in choices:
            raise SpecError(f"write_video: unknown {name} {value!r}; one of {', '.join(choices)}")
    form = None if pixel_format is None else _ARRAYS[pixel_format]
    failures: list[BaseException] = []
    with StreamWriter(destination) as writer:
        callbacks = Callbacks(
            on_encoded_frame=writer.write, on_error=lambda _source, _stage, error, _frame: failures.append(error)
        )
        with PicassoEngine(GeneralSpec(), callbacks) as engine:
            for number, picture in enumerate(pictures):
                surface = picture if isinstance(picture, SurfaceView) else SurfaceView.wrap(picture, form)
                if number == 0:
                    width, height = size_wh or (surface.width & ~1, surface.height & ~1)
                    config = encoder_config(Codec.from_name(codec), (width, height), rate, crf=crf)
                    engine.set_source_spec("video", SourceSpec(codec=CodecSpec.encode(TransformConfig(), config)))
                times = [round(index * _NS_PER_S / rate) for index in (number, number + 1)]
                frame = VideoFrame(
                    "video",
                    f"{rate.numerator}/{rate.denominator}",
                    *surface.size_wh,
                    time_base=(1, _NS_PER_S),
                    pts=times[0],
                    duration=times[1] - times[0],
                )
                engine.send_frame("video", frame, _copy_of(surface))
                if failures:
                    break
            engine.send_eos("video")
        if failures:
            raise failures[0]
        if not writer.frames:
            raise MediaError("write_video: there is no picture")
        return writer.frames


def _copy_of(surface: SurfaceView) -> SurfaceView:
    """Return pixels of our own: the engine reads them while the caller makes the next picture."""
    if surface.is_cuda:
        from picasso.surface.cuda_memory import copied

        return copied(surface)
    copy = SurfaceView.wrap(surface.to_numpy(), surface.format, color=surface.color)
    return copy.with_sample_aspect_ratio(surface.sample_aspect_ratio)
