"""Files and streams as frames with their pixels, at their own times."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Literal, Self

from picasso.engine.clock import Clock, MonotonicClock
from picasso.engine.continuation import Continuation
from picasso.engine.policies import PtsResetPolicy
from picasso.errors import DeviceError, MediaError, MissingDependencyError, OpeningStoppedError
from picasso.media.asked import Span, check_options
from picasso.media.carried import note_arrival
from picasso.media.decoder import Decoder
from picasso.media.describe import describe
from picasso.media.indexed import IndexedReader
from picasso.media.info import MediaInfo
from picasso.media.location import Location, Trust, input_place
from picasso.media.notices import say_once, warn_of
from picasso.media.nvdec import DevicePicture, NvdecSource, gpu_of, open_nvdec
from picasso.media.opening import Opener
from picasso.media.pictures import PictureWrapper, PixelFormat
from picasso.media.random_access import RandomAccess
from picasso.media.stopping import StopSignal
from picasso.media.timeline import FALLBACK_RATE, Pacer, Placed, Timeline
from picasso.media.times import NS, TimesReport, counted, to_ns
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent
from picasso.primitives.frame_state import frames_like
from picasso.primitives.orientation import UPRIGHT

if TYPE_CHECKING:
    from av.video.frame import VideoFrame as DecodedFrame

    from picasso.surface import SurfaceView

FrameAndPixels = tuple[VideoFrame, "SurfaceView"]
"""A frame's metadata and its pixels."""

_TIME_BASE = (1, NS)
_CODEC_NAMES = {"mjpeg": "jpeg"}
"""Names of ours where FFmpeg's are others."""

Geometry = Literal["display", "raw"]
"""``display``: pictures lie as a player shows them; ``raw``: as they are stored."""

log: logging.Logger = logging.getLogger("picasso.media")


class VideoReader(IndexedReader):
    """Reads the first video stream of a file or URL: an iterator of pictures, then one ``EndOfStream``.

    ::

        with VideoReader("in.mp4", "camera-1") as reader:
            for item in reader:
                if isinstance(item, EndOfStream):
                    engine.send_eos(item.source_id)
                else:
                    engine.send_frame("camera-1", *item)

    Frames of a file also come by number and time, and the iteration goes on where it was::

        frame, surface = reader[100]  # reader[-1], reader[10:100:5], reader.at(12.3), reader.between(3, 4), len(reader)

    Guarantees:

    - Times are nanoseconds, nearest to the stream's own, and rise strictly within a stream; one that starts below 0 is
      moved to 0. Times that are missing, wrong or in the order of decoding are made or sorted, and ``times`` counts it.
    - Where times start again, and at each loop, ``on_restart`` says how it goes on: behind the last frame
      (``CONTINUE``), or at the times of the stream, after an ``EndOfStream`` (``SEGMENT``) or without one (``RESET``).
    - Pixels are read-only in host memory, and stay valid as long as their surface is held.
    - Pictures lie as a player shows them: turned by quarters and mirrored as the file says, which the frame's chain
      records, and surfaces know the shape of their pixels, which the transform uses. Boxes are in pixels of these
      pictures. ``geometry="raw"`` leaves pictures as they are stored, of square pixels.
    - With ``device="cuda"`` they are NV12 or RGBA in GPU memory where NVDEC decodes the file. Where it does not, they
      are in host memory: the reason is logged once, and ``device`` says what came of it.
    - One thread iterates; ``stop`` may be called from any thread.
    """

    _make_frame: Callable[[int, int, bool], VideoFrame]
    """Makes frames of the source and the size that ``_kind`` says."""

    def __init__(
        self,
        location: Location | int,
        source_id: str | None = None,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        stride: int = 1,
        loops: int | None = 1,
        pace: bool = False,
        pixel_format: PixelFormat = "native",
        geometry: Geometry = "display",
        tone_map: bool = True,
        device: str = "cpu",
        threads: int = 1,
        timeout_s: float | None = 10.0,
        options: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        trust: Trust = "origin",
        stop: StopSignal | None = None,
        on_restart: PtsResetPolicy | str = PtsResetPolicy.CONTINUE,
        payload: bool = False,
        most_packets: int = 64,
        most_packet_bytes: int = 8 << 20,
    ) -> None:
        """Open a file or URL and decode its first frame.

        Args:
            location: Path, URL, pattern of an image sequence such as ``frames/%06d.png``, ``-`` for standard input, or
                a number: 0 is the camera ``/dev/video0``.
            source_id: Source of the frames; by default the name of the file without its suffix, or the URL.
            start_s: Leave out frames that begin before, in seconds of the stream as its frames say it; times are kept.
            end_s: Leave out frames that begin then or later.
            stride: Of what is left, give each frame whose number is a multiple of it.
            loops: How often to play it, None without a limit.
            pace: Give frames at their times, as a camera does, instead of as fast as they can be decoded.
            pixel_format: ``native`` keeps what the decoder makes; ``rgb``, ``bgr``, ``rgba`` and ``gray`` (luma of full
                range) convert it. On a GPU there are ``native`` and ``rgba``, by a kernel there.
            geometry: ``display`` applies rotation, mirroring and the shape of a pixel; ``raw`` applies none of them.
            tone_map: Bring PQ, HLG and BT.2020 to BT.709 of 8 bits; else their numbers are kept, as if they were BT.709
                transfer and primaries.
            device: Where to decode: ``cpu``, ``cuda`` or ``cuda:N`` for GPU N.
            threads: Threads of the decoder, 0 for one a core; NVDEC has none.
            timeout_s: Longest wait for a server, pipe or device to open or to answer, in seconds; None without a limit.
            options: Options of FFmpeg's demuxer, e.g. ``{"rtsp_transport": "tcp"}``.
            clock: What paces; by default the system's monotonic clock.
            trust: What the location may make FFmpeg open besides itself: ``origin`` for files of its own folder, or
                addresses of its own host; ``any`` for all that FFmpeg can open.
            stop: Ends the reader from another thread, also while it is being opened.
            on_restart: What happens to times that start again, or its name: ``continue``, ``segment``, ``reset``.
            payload: Whether frames carry the bytes that they were decoded from, as their content, with their DTS:
                H.264 and HEVC in Annex B, parameter sets at keyframes. Frames that an edit list hides are shown then,
                since others need their bytes.
            most_packets: Packets of a network that wait for the decoder, at most; 0 for no limit.
            most_packet_bytes: Their bytes, at most, except 8 packets that always may; 0 for no limit.

        Raises:
            ReadTimeoutError: It says nothing in time.
            OpeningStoppedError: ``stop`` was set before it was open.
            MediaError: It cannot be opened, is refused, or holds no picture.
            ValueError: ``loops`` or ``stride`` is less than 1, ``timeout_s`` is not above 0, ``end_s`` is not above
                ``start_s``, ``payload`` or another ``pixel_format`` comes with a GPU, or an unknown ``pixel_format``,
                ``geometry``, ``device`` or ``on_restart``.
        """
        gpu_id = check_options(loops, timeout_s, device, pixel_format, geometry, payload=payload)
        self._span = Span(start_s, end_s, stride)
        self.came_ns: tuple[int, int] | None = None
        """Of the newest frame: when its packet was read and when decoding it began, ``time.monotonic_ns()``; None
        where that is not known."""
        self._carries = payload
        forms: tuple[PixelFormat, ...] = (pixel_format, pixel_format, "native")
        wrappers = [PictureWrapper(form, tone_map=tone_map, threads=threads) for form in forms]
        self._wrapper, self._own_wrapper, self._native_wrapper = wrappers
        self._newest: DecodedFrame | DevicePicture | None = None
        self._kind: object = None
        if isinstance(location, int):
            location = f"/dev/video{location}"
        self._place = place = input_place(location, trust=trust)
        if loops != 1 and place.is_direct:
            raise MediaError(f"{place.shown}: a pipe cannot be played again, got loops = {loops}")
        self._stop = StopSignal(stop)
        opener = Opener(place, timeout_s, dict(options or {}), trust, self._stop, most_packets, most_packet_bytes)
        self._open = partial(Decoder, opener, threads=threads, carries=payload)
        self._loops = loops
        self._paced = pace
        self._policy = PtsResetPolicy.of(on_restart)
        self._pacer = Pacer(clock or MonotonicClock())
        self._pace = Continuation()  # the clock goes on where the times of a part start again
        self._skipped = self._damaged = self._moved = self._lost = 0
        self.source_id: str = place.stem if source_id is None else source_id
        self._decoder = self._open()
        if payload and self._decoder.hides_packets:
            self._decoder.close()
            opener = replace(opener, options={**opener.options, "ignore_editlist": "1"})
            self._open = partial(Decoder, opener, threads=threads, carries=payload)
            self._decoder = self._open()
        self._opening = opener, self._open, threads
        self._random = RandomAccess(*self._opening)
        self._info = describe(self._decoder)
        self._tone_map = tone_map
        self._orientation, self._sample_aspect_ratio = UPRIGHT, Fraction(1)
        if geometry == "display":
            self._orientation = self._info.orientation or UPRIGHT
            self._sample_aspect_ratio = self._info.upright_sample_aspect_ratio
        for wrapper in wrappers:
            wrapper.show(self._orientation, self._sample_aspect_ratio)
        rate = self._info.frame_rate or FALLBACK_RATE
        self._fps = rate.numerator, rate.denominator
        self._codec = _CODEC_NAMES.get(self._info.codec, self._info.codec)
        self._device = device
        self._rgba = pixel_format == "rgba"
        self._nvdec = None if gpu_id is None else self._open_nvdec(gpu_id)
        self._timeline = self._draw_line()
        self._offsets_ns: tuple[int, ...] = ()
        self._items = self._iterate()

    @property
    def info(self) -> MediaInfo:
        """What the file holds."""
        return self._info

    @property
    def device(self) -> str:
        """Where frames are decoded: what was asked for, or ``cpu`` where NVDEC does not read the file."""
        return "cpu" if self._nvdec is None else self._device

    @property
    def skipped(self) -> int:
        """Packets so far that could not be decoded."""
        return self._skipped + self._decoder.skipped

    @property
    def lost(self) -> int:
        """Frames so far that did not come: packets that could not be decoded, and those that depend on them."""
        return self._lost + self._decoder.lost

    @property
    def damaged(self) -> int:
        """Frames so far with errors that the decoder conceals, or whose references are missing; NVDEC tells none."""
        return self._damaged + self._decoder.damaged

    @property
    def times(self) -> TimesReport:
        """What had to be done to the times so far."""
        return TimesReport(self._timeline.restarts, self._timeline.made, self._moved + self._source.moved)

    @property
    def is_stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stop.is_set

    @property
    def offsets_ns(self) -> tuple[int, ...]:
        """What takes times of the stream to those of its frames, nanoseconds, for each part so far.

        A part begins where times start again, and with each loop.
        """
        return tuple(self._timeline.offsets_ns) or self._offsets_ns

    def native(self) -> SurfaceView:
        """Return the pixels of the newest frame as ``pixel_format="native"`` gives them. By the iterating thread.

        Raises:
            MediaError: There is none yet.
        """
        newest = self._newest
        if newest is None:
            raise MediaError(f"{self._info.location}: no frame was read yet")
        return newest.surface if isinstance(newest, DevicePicture) else self._native_wrapper.wrap(newest)

    def frames(self) -> Iterator[FrameAndPixels]:
        """Yield the remaining pictures, without the ``EndOfStream``."""
        for item in self._items:
            if not isinstance(item, EndOfStream):
                yield item

    @property
    def waiting_packets(self) -> tuple[int, int]:
        """How many packets of a network wait for the decoder, and their bytes; none of a file. Any thread."""
        return getattr(self._decoder, "waiting", (0, 0))

    def stop(self) -> None:
        """End after the present frame: the next item is the ``EndOfStream``, within half a second. Any thread.

        The reader stops waiting, be it for its time or for data.
        """
        self._stop.set()

    def close(self) -> None:
        """Close the file; surfaces that were given out stay valid. By the iterating thread; may be called again."""
        self._items.close()
        self._close_pass()
        self._random.close()
        self._newest = None

    def __repr__(self) -> str:
        info = self._info
        rate = "unknown rate" if info.frame_rate is None else f"{float(info.frame_rate):g} frames/s"
        length = "" if info.duration_ns is None else f", {info.duration_ns / NS:g} s"
        return f"VideoReader({info.location!r}, {info.codec}, {info.width}x{info.height}, {rate}{length})"

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FrameAndPixels | EndOfStream:
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def _source(self) -> Decoder | NvdecSource:
        """What decodes this pass."""
        return self._decoder if self._nvdec is None else self._nvdec

    def _draw_line(self) -> Timeline[DecodedFrame | DevicePicture]:
        rate, bits = self._info.frame_rate, self._decoder.counter_bits
        return Timeline(self._source.time_base, rate, self._policy, bits)

    def _iterate(self) -> Generator[FrameAndPixels | EndOfStream, None, None]:
        warn_of(self._info, tone_map=self._tone_map)
        try:
            yield from self._play()
            for _ in repeat(None) if self._loops is None else repeat(None, self._loops - 1):
                if self._stop.is_set:
                    break
                self._timeline.next_pass()
                try:
                    self._reopen()
                except OpeningStoppedError:
                    break
                yield from self._play()
        finally:
            self._close_pass()
            if self._decoder.has_times:
                self.times.log_to(log, self._info.location)
        self._report()
        yield EndOfStream(self.source_id)

    def _report(self) -> None:
        """Say what was lost on the way to the end, if anything; where it breaks off, the error says it."""
        if self.skipped or self.damaged:
            lost, damaged = counted(self.skipped, "packet"), counted(self.damaged, "frame")
            log.warning("%s: damaged: %s could not be decoded, %s had errors", self._info.location, lost, damaged)

    def _play(self) -> Iterator[FrameAndPixels | EndOfStream]:
        """Yield the pictures of one pass, with an end of stream where times start again if the policy wants it."""
        ratio = self._sample_aspect_ratio
        is_square = ratio == 1  # as all surfaces are at first
        stop, wrap, paced = self._stop, self._wrapper.wrap, self._paced
        for decoded, pts_ns, duration_ns, begins in self._wanted():
            if paced:
                with stop.watched_by(self._pacer.stop):
                    self._pacer.wait(self._pace.move(pts_ns, duration_ns))
            if stop.is_set:
                return
            if begins and self._policy.sends_eos:
                yield EndOfStream(self.source_id)
            if isinstance(decoded, DevicePicture):
                surface = decoded.surface if is_square else decoded.surface.with_sample_aspect_ratio(ratio)
                frame, came_ns = self._described(decoded, surface, pts_ns, duration_ns), None
            else:
                surface = wrap(decoded)
                frame = self._described(decoded, surface, pts_ns, duration_ns)
                came_ns = self._decoder.came_ns(decoded)
                if self._carries:
                    self._load(frame, decoded)
            if paced:  # it has waited: it came when its time did
                now_ns = time.monotonic_ns()
                came_ns = now_ns, now_ns
            self.came_ns, self._newest = came_ns, decoded
            yield frame, surface

    def _described(
        self, decoded: DecodedFrame | DevicePicture, surface: SurfaceView, pts_ns: int, duration_ns: int
    ) -> VideoFrame:
        """Return the metadata of a picture: the first of a size is checked, those that follow differ in their times."""
        kind = self.source_id, surface.size_wh
        if self._kind != kind:
            first = VideoFrame(
                self.source_id, self._fps, *self._orientation.size(kind[1]), codec=self._codec, time_base=_TIME_BASE
            )
            if not self._orientation.is_upright:
                first.turn(self._orientation)
            self._make_frame, self._kind = frames_like(first), kind
        return self._make_frame(pts_ns, duration_ns, decoded.key_frame)

    def _made(self, decoded: DecodedFrame, pts_ns: int, duration_ns: int) -> FrameAndPixels:
        surface = self._own_wrapper.wrap(decoded)
        return self._described(decoded, surface, pts_ns, duration_ns), surface

    @property
    def _name(self) -> str:
        return self._place.shown

    def _wanted(self) -> Iterator[Placed[DecodedFrame | DevicePicture]]:
        """Yield the frames of one pass that were asked for: by seeking where nothing but the pictures is wanted."""
        span = self._span
        if span.is_all:
            yield from self._placed()
        elif self._loops == 1 and self._nvdec is None and not self._carries and self._place.can_be_read_again:
            access = RandomAccess(*self._opening)
            self._offsets_ns = access.index.offsets_ns
            for found in access.placed(span.of):
                yield Placed(*found)
        else:
            yield from span.pick(self._placed())
            for _ in self._timeline.flush():
                pass  # what waits lies behind the end

    def _load(self, frame: VideoFrame, decoded: DecodedFrame) -> None:
        """Let a frame carry the bytes that it was decoded from."""
        carried = self._decoder.carried(decoded)
        if carried is None:
            return
        frame.content = VideoFrameContent.internal(carried.data)
        frame.keyframe = carried.keyframe
        lag_ns = to_ns(carried.lag_ticks or 0, self._decoder.time_base)
        frame.dts = max(frame.pts - lag_ns, 0)  # the stream may be decoded before 0
        note_arrival(frame, carried.arrival)

    def _placed(self) -> Iterator[Placed[DecodedFrame | DevicePicture]]:
        """Yield the decoded frames of one pass with their times; those that wait come out in every case."""
        add = self._timeline.add
        try:
            for decoded, ticks in self._source.frames():
                yield from add(decoded, ticks, decoded.duration)
        except MediaError:
            yield from self._timeline.flush()
            raise
        yield from self._timeline.flush()

    def _reopen(self) -> None:
        """Begin the next pass at the start of the file."""
        self._skipped += self._decoder.skipped
        self._damaged += self._decoder.damaged
        self._lost += self._decoder.lost
        self._moved += self._source.moved
        self._close_pass()
        self._decoder = self._open()
        if self._nvdec is not None:
            self._nvdec = open_nvdec(self._place, self._info, gpu_of(self._device) or 0, rgba=self._rgba)

    def _close_pass(self) -> None:
        self._decoder.close()
        if self._nvdec is not None:
            self._nvdec.close()

    def _open_nvdec(self, gpu_id: int) -> NvdecSource | None:
        """Open the file on a GPU; None where that cannot be done."""
        try:
            if not self._orientation.is_upright:
                raise MediaError(f"{self._info.location}: NVDEC does not turn pictures, this is stored turned")
            if self._tone_map and self._info.is_hdr:
                raise MediaError(f"{self._info.location}: NVDEC does not map tones, this is of high dynamic range")
            return open_nvdec(self._place, self._info, gpu_id, rgba=self._rgba)
        except (DeviceError, MediaError, MissingDependencyError) as error:
            say_once(f"decoded on the CPU: {error}")
            return None
