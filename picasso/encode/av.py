"""H.264, HEVC and AV1 on the CPU, by the libraries in PyAV's wheel."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, Final

import av
from av.codec.codec import UnknownCodecError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from picasso.encode.av_frames import FULL, LIMITED, fresh_i420_frame, i420_frame
from picasso.encode.bitstream import parameter_sets
from picasso.encode.config import EncoderConfig
from picasso.encode.encoder import EncodedUnit
from picasso.encode.enums import Codec
from picasso.encode.h26x import x264_plan, x265_plan
from picasso.encode.input_check import InputCheck
from picasso.encode.scheduling import unchanged_priority
from picasso.encode.standstill import StandstillError, WatchedCalls
from picasso.encode.svtav1 import svtav1_plan
from picasso.encode.thread_reserve import enough_threads
from picasso.encode.video_settings import LibraryPlan, VideoSettings, settings_of
from picasso.errors import EncoderError
from picasso.surface.formats import ColorSpace, Matrix, VideoFormat
from picasso.surface.view import SurfaceView

log: logging.Logger = logging.getLogger("picasso.encode")

PLANS: Final[dict[Codec, Callable[[VideoSettings], LibraryPlan]]] = {
    Codec.H264: x264_plan,
    Codec.HEVC: x265_plan,
    Codec.AV1: svtav1_plan,
}
# ITU-T H.273: matrix, primaries and transfer have one number, BT.709's or that of SMPTE 170M, which is BT.601's
TAGS: Final = {Matrix.BT709: 1, Matrix.BT601: 6}
INTRA: Final = 1
"""AV_PICTURE_TYPE_I: an I-frame that is asked for is a keyframe, by ``forced-idr``."""

WATCHED: Final = {"libsvtav1"}
"""Libraries whose threads may wait for each other."""
MAX_STUCK: Final = 16
"""How many encoders that stand still a process keeps; each has some ten megabytes."""

os.environ.setdefault("SVT_LOG", "0")  # libsvtav1 writes to stderr itself; it reads this when it is first opened

_stuck: list[VideoCodecContext] = []
"""Encoders that stand still: to free one would wait for it."""


class AvEncoder:
    """An encoder of libavcodec: one unit a surface, out of the call that the surface went into.

    Inside the library frames are counted, not timed: their timestamps wait here and come out as they went in,
    for every time base of the codec.
    """

    input_format = VideoFormat.I420

    def __init__(self, config: EncoderConfig) -> None:
        self._config = config.copy()
        self._plan, full_range = _plan(config)
        self.name: str = self._plan.library
        self.color: ColorSpace = config.color_space(full_range)
        self._input = InputCheck(self.name, self.input_format, (config.width, config.height), self.color)
        self._context: VideoCodecContext | None = None
        self._calls: WatchedCalls | None = None
        self._open()
        self._held: deque[tuple[int, int, int | None]] = deque()  # number, pts, duration of frames not out yet
        self._count = 0
        self.extradata: bytes = b""

    def encode(
        self, surface: SurfaceView, pts_ns: int, duration_ns: int | None, *, force_keyframe: bool = False
    ) -> list[EncodedUnit]:
        """Encode one frame; see ``Encoder.encode``."""
        self._input.admit(surface, pts_ns)
        frame = self._forced(surface) if force_keyframe else i420_frame(surface, self)
        frame.pts = self._count
        self._held.append((self._count, pts_ns, duration_ns))
        self._count += 1
        return self._exchange(frame)

    def _forced(self, surface: SurfaceView) -> av.VideoFrame:
        frame = fresh_i420_frame(surface)  # the mark must not stay on the next one
        frame.pict_type = INTRA
        return frame

    def flush(self) -> list[EncodedUnit]:
        """End the stream; see ``Encoder.flush``."""
        self._input.close()
        try:
            return self._exchange(None)
        finally:
            self._free()

    def close(self) -> None:
        """Free the library's encoder; see ``Encoder.close``."""
        self._input.close()
        if self._context is not None:
            with suppress(av.FFmpegError):  # libsvtav1 asks for the end of the stream before it is freed
                self._ask(None)
        self._free()
        self._held.clear()

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Take what changes nothing for the library, and another constant bit rate of libx264.

        The bit rate may not rise above that of the opening, and the buffer of the rate control keeps its size.
        """
        self._input.check_open()
        old = self._config
        if (config.codec, config.width, config.height, _rate(config)) != (old.codec, old.width, old.height, _rate(old)):
            return False
        plan, full_range = _plan(config)
        if plan.pix_fmt != self._plan.pix_fmt or config.color_space(full_range) != self.color:
            return False
        bitrate = _live_bitrate(self._plan, plan)
        if bitrate is None and plan.options != self._plan.options:
            return False
        if bitrate is not None and self._context is not None:
            self._context.bit_rate = bitrate
        self._config = config.copy()
        return True

    def _exchange(self, frame: av.VideoFrame | None) -> list[EncodedUnit]:
        """Hand a frame, or the end of the stream, to the library, and take what it has ready."""
        try:
            packets = self._packets(frame)
        except av.FFmpegError as error:
            if frame is not None:
                self._held.pop()
            raise EncoderError(f"{self.name} failed on frame {self._count - 1}: {error}") from error
        units = []
        for packet in packets:
            number, pts_ns, duration_ns = self._held.popleft()
            if packet.pts != number:
                raise EncoderError(f"{self.name}: Output PTS reordering detected (B-frames?)")
            units.append(EncodedUnit(bytes(packet), pts_ns, pts_ns, duration_ns, packet.is_keyframe))
        if units and not self.extradata:
            self.extradata = parameter_sets(self._config.codec, units[0].data)
        return units

    def _packets(self, frame: av.VideoFrame | None) -> list[Packet[Any]]:
        """Take what the library has ready; while frames run, no more than it owes.

        To hear that there is nothing left costs a packet, and gives the interpreter's lock away three times.
        """
        if self._context is None:
            return []
        packets = self._ask(frame)
        if packets is None:  # the new encoder begins with a keyframe, and with the frame that the old one kept
            if frame is None or len(self._held) > 1:
                raise EncoderError(f"{self.name} stands still and keeps {len(self._held)} frames")
            self._open()
            packets = self._ask(frame)
        if packets is None:
            raise EncoderError(f"{self.name} stands still, and so does the one that was opened after it")
        return packets

    def _ask(self, frame: av.VideoFrame | None) -> list[Packet[Any]] | None:
        """Return the packets that are ready; None if the library stands still with a frame, and is left behind."""
        context = self._context
        assert context is not None
        if self._calls is None:
            return _packets_of(context, frame, len(self._held))
        try:
            return self._calls.call(partial(_packets_of, context, frame, len(self._held)))
        except StandstillError:
            log.warning("%s stands still at frame %d and is left behind", self.name, self._count - 1)
            _stuck.append(context)
            self._free()
            return None if self._held else []

    def _open(self) -> None:
        """Open the library's encoder.

        Raises:
            EncoderError: It does not open, or too many of this process stand still.
        """
        if len(_stuck) >= MAX_STUCK:
            raise EncoderError(f"{self.name}: {len(_stuck)} encoders of this process stand still; start it again")
        self._context, threads = _open(self._config, self._plan, self.color)
        if self.name in WATCHED:
            self._calls = WatchedCalls(threads)

    def _free(self) -> None:
        """Let the library's encoder go, and the thread that asks it."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.close()
        self._context = None


def _plan(config: EncoderConfig) -> tuple[LibraryPlan, bool]:
    """LibraryPlan the encoder, warn of properties without effect, and tell whether the stream has full range."""
    settings, ignored = settings_of(config)
    plan = PLANS[config.codec](settings)
    if config.encoder_params is not None:
        props = config.encoder_params.props
        given = props.given()
        for name, why in (ignored | plan.ignored).items():
            if name in given:
                log.warning("%s.%s = %r has no effect: %s", type(props).__name__, name, given[name], why)
    return plan, settings.full_range


def _live_bitrate(opened: LibraryPlan, wanted: LibraryPlan) -> int | None:
    """Return the bit rate to go on with where libx264 can: nothing but a constant one differs, and it is no higher."""
    if wanted.library != "libx264" or any(
        plan.options.get("b") != plan.options.get("maxrate") for plan in (opened, wanted)
    ):
        return None
    of_rate = {"b", "maxrate", "bufsize", "rc_init_occupancy"}
    if {item for item in opened.options.items() ^ wanted.options.items() if item[0] not in of_rate}:
        return None
    bitrate = int(wanted.options.get("b", 0))
    return bitrate if 0 < bitrate <= int(opened.options["b"]) else None


def _rate(config: EncoderConfig) -> Fraction:
    return Fraction(config.fps_num, config.fps_den)


def _packets_of(context: VideoCodecContext, frame: av.VideoFrame | None, owed: int) -> list[Packet[Any]]:
    if frame is None:
        return context.encode(None)
    return list(islice(context.encode_lazy(frame), owed))


def _open(config: EncoderConfig, plan: LibraryPlan, color: ColorSpace) -> tuple[VideoCodecContext, set[int]]:
    """Return the opened encoder, and the system's numbers of the threads that it started."""
    try:
        context = av.CodecContext.create(plan.library, "w")
    except UnknownCodecError as error:
        raise EncoderError(f"PyAV {av.__version__} was built without {plan.library}") from error
    context.width, context.height, context.pix_fmt = config.width, config.height, plan.pix_fmt
    context.framerate = _rate(config)
    context.time_base = 1 / _rate(config)
    context.thread_count = 1
    context.color_range = FULL if color.full_range else LIMITED
    context.colorspace = context.color_primaries = context.color_trc = TAGS[color.matrix]
    context.options = dict(plan.options)
    try:
        with enough_threads(plan.library), unchanged_priority() as threads:
            context.open()
    except (av.FFmpegError, OverflowError) as error:
        raise EncoderError(f"{plan.library} cannot open {config!r}: {error}") from error
    if context.options:
        raise EncoderError(f"{plan.library} does not know the options {context.options}")
    return context, threads
