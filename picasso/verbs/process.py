"""``process_video``: something is done to each frame of a video, and what comes of it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.annotators import Annotator, CropAnnotator, drawing, usual
from picasso.annotators.base import Found
from picasso.annotators.call import listed
from picasso.draw.attached import ATTACHED, attach
from picasso.encode import Codec
from picasso.engine import Callbacks, CodecSpec, ConditionalSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import MediaError, SpecError
from picasso.media import StreamWriter, VideoReader
from picasso.media.times import NS
from picasso.primitives import Detections, VideoFrame
from picasso.primitives.detections import UNTRACKED
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Padding, Placement, TransformConfig, place_detections
from picasso.verbs.encoding import encoder_config, even_display_size
from picasso.verbs.places import Progress, check_apart
from picasso.verbs.sound import SoundSink, open_sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from picasso.media.location import Location

CODECS: Final = ("h264", "hevc", "av1")
FALLBACK_RATE: Final = Fraction(30)
"""Frames a second of videos that do not say."""
Work = Callable[[VideoFrame, SurfaceView], Any]
"""What is done to a frame and its pixels."""


def process_video(
    source: Location | int,
    destination: Location,
    callback: Work | None = None,
    *,
    annotators: Sequence[Annotator] | Annotator | None = None,
    size_wh: tuple[int, int] | None = None,
    codec: str = "h264",
    crf: float | None = None,
    pixel_format: Any = "native",
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    audio: bool = True,
    on_progress: Progress | None = None,
) -> int:
    """Read a video, do something to each frame, and write what comes of it.

    ::

        picasso.process_video("in.mp4", "out.mp4", lambda frame, surface: frame.add_detections(detect(surface)))

    Drawing happens in the engine's own pass, on the planes that the encoder reads: what is only drawn on is never
    converted to RGB. Sound is copied as it is, where the container can hold it.

    Args:
        source: What ``VideoReader`` reads.
        destination: ``.mp4``, ``.mov`` or ``.mkv``.
        callback: Called with each frame and its pixels, in order, on this thread. It adds objects to the frame, or
            returns detections: both are drawn. Or it returns a picture, an array or a surface, that is written instead;
            arrays of three channels are BGR where ``pixel_format`` is ``bgr``, else RGB.
        annotators: What draws, one or several, lowest first; by default the usual look: boxes, labels, masks and
            skeletons.
        size_wh: Of the video that is written, pixels, even; by default that of the source as players show it.
        codec: ``h264``, ``hevc`` or ``av1``.
        crf: Constant quality, lower is better; by default 23, 24 and 32.
        pixel_format: Of the pixels that the callback gets, as of ``VideoReader``: ``rgb`` for most models.
        start_s: Where to begin, in seconds of the source; the video that is written begins at 0 then.
        end_s: Where to end, in seconds of the source.
        stride: Takes each frame whose number is a multiple of it; times stay as they are.
        audio: Whether the sound of the source is copied, that of the same span of time.
        on_progress: Called with the number of frames so far, and of all of them where that is known.

    Returns:
        How many frames were written.

    Raises:
        MediaError: One of the files cannot be read or written.
        SpecError: An unknown codec, a size that it does not take, or a destination that is the source.
        TypeError: The callback returns something else, or ``annotators`` are something else.
    """
    if codec not in CODECS:
        raise SpecError(f"process_video: unknown codec {codec!r}; one of {', '.join(CODECS)}")
    check_apart(destination, source)
    chosen = None if annotators is None else listed(annotators)
    failures: list[BaseException] = []
    with (
        VideoReader(source, "video", pixel_format=pixel_format, start_s=start_s, end_s=end_s, stride=stride) as reader,
        ExitStack() as opened,
    ):
        info = reader.info
        target_wh = size_wh or even_display_size(info.upright_size_wh, info.display_scale_xy)
        rate = (info.frame_rate or FALLBACK_RATE) / stride
        config = encoder_config(Codec.from_name(codec), target_wh, rate, crf=crf)
        spec = SourceSpec(
            codec=CodecSpec.encode(TransformConfig(Padding.NONE), config),
            conditional=ConditionalSpec(render_attribute=ATTACHED),
        )
        sound = None if isinstance(source, int) or not (audio and info.audio) else open_sound(source, destination)
        if sound is not None:
            opened.callback(sound.close)
        writer = opened.enter_context(StreamWriter(destination, sound=() if sound is None else sound.tracks))
        excerpt = _Excerpt(reader, end_s)
        sink = writer if sound is None else SoundSink(writer, sound, excerpt)
        callbacks = Callbacks(
            on_encoded_frame=sink.write, on_error=lambda _source, _stage, error, _frame: failures.append(error)
        )
        whole = info.frame_count if start_s is None and end_s is None else None
        total = None if whole is None else -(-whole // stride)
        with PicassoEngine(GeneralSpec(), callbacks) as engine:
            engine.set_source_spec("video", spec)
            work = _worked_on(reader, callback, chosen, target_wh, pixel_format)
            for number, (frame, surface) in enumerate(work, 1):
                if failures:
                    break
                if number == 1 and start_s:
                    excerpt.origin_ns = frame.pts
                frame.pts -= excerpt.origin_ns
                if frame.duration is not None:
                    frame.duration *= stride  # it stays until the next one that was taken
                engine.send_frame("video", frame, surface)
                if on_progress is not None:
                    on_progress(number, total)
            engine.send_eos("video")
        if failures:
            raise failures[0]
        if not writer.frames:
            raise MediaError(f"{info.location}: no frame between start_s and end_s")
        excerpt.is_read = True
        sink.close()
        return writer.frames


class _Excerpt:
    """The span of a source that is written, for its sound."""

    def __init__(self, reader: VideoReader, end_s: float | None) -> None:
        self._reader, self._end_s = reader, end_s
        self.origin_ns = 0
        """What is 0 in the video that is written, as a time of the source's frames."""
        self.is_read = False

    @property
    def offsets_ns(self) -> tuple[int, ...]:
        return tuple(offset - self.origin_ns for offset in self._reader.offsets_ns)

    @property
    def end_ns(self) -> int | None:
        return None if self._end_s is None else round(self._end_s * NS) - self.origin_ns


def _worked_on(
    reader: VideoReader,
    callback: Work | None,
    annotators: list[Annotator] | None,
    target_wh: tuple[int, int],
    pixel_format: str,
) -> Iterator[tuple[VideoFrame, SurfaceView]]:
    """Yield what is to be encoded, with what is drawn on it; as it was decoded where the callback got other pixels."""
    for frame, surface in reader.frames():
        answer = None if callback is None else callback(frame, surface)
        if isinstance(answer, np.ndarray | SurfaceView) or hasattr(answer, "__array_interface__"):
            yield frame, _picture(answer, frame, is_bgr=pixel_format == "bgr")
            continue
        found = _detections(frame, answer)
        if found is not None:
            _draw(frame, surface, found, annotators, target_wh)
        yield frame, surface if pixel_format == "native" else reader.native()


def _picture(pixels: Any, frame: VideoFrame, *, is_bgr: bool) -> SurfaceView:
    """Return a picture of the callback's; the frame's boxes and size are those of the picture."""
    is_swapped = is_bgr and isinstance(pixels, np.ndarray) and pixels.shape[2:] == (3,)
    surface = SurfaceView.wrap(pixels, VideoFormat.BGR if is_swapped else None)
    frame.clear_objects()
    frame.set_geometry(*surface.size_wh)
    return surface


def _detections(frame: VideoFrame, answer: Any) -> Detections | Found | None:
    """Return what is to be drawn: what the callback returned, else the objects of the frame, if any."""
    if answer is None or isinstance(answer, VideoFrame):
        return frame.get_detections() if frame.has_objects() else None
    if isinstance(answer, Detections):
        return answer
    if not hasattr(answer, "xyxy"):
        raise TypeError(
            f"process_video: the callback returns None, detections or a picture, got {type(answer).__name__}"
        )
    return Found.of(answer)


def _draw(
    frame: VideoFrame,
    surface: SurfaceView,
    found: Detections | Found,
    annotators: list[Annotator] | None,
    target_wh: tuple[int, int],
) -> None:
    """Have the engine draw on a frame, in pixels of what is encoded."""
    is_same = surface.size_wh == target_wh
    if not is_same:
        placement = Placement.compute(surface.size_wh, target_wh, TransformConfig(Padding.NONE))
        found = place_detections(found if isinstance(found, Detections) else _ours(found), placement)
    if annotators is None:
        annotators = usual(found)
    if not is_same and any(isinstance(each, CropAnnotator) for each in annotators):
        surface, is_same = surface.resize(target_wh), True  # crops are taken from it
    attach(frame, drawing(annotators, found, target_wh, surface if is_same else None))


def _ours(found: Found) -> Detections:
    """Return what another library found as detections that can be moved."""
    if all(hasattr(found.source, name) for name in ("data", "class_id", "confidence", "tracker_id", "mask")):
        return Detections.from_supervision(found.source)
    tracks = [UNTRACKED if track is None else track for track in found.track_ids]
    return Detections.of(found.xyxy, found.labels, confidences=found.confidences, track_ids=tracks)
