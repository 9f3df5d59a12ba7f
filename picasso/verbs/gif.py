"""A part of a video as an animated GIF."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import av
import numpy as np
from av.error import FFmpegError

from picasso.errors import MediaError
from picasso.media import VideoReader
from picasso.media.ffmpeg import media_errors
from picasso.media.location import input_place, shown
from picasso.media.outputs import Output
from picasso.verbs.places import Progress, check_apart

if TYPE_CHECKING:
    from picasso.media.location import Location

_TIME_BASE: Final = Fraction(1, 100)
_TICK_NS: Final = 10_000_000
"""A GIF counts hundredths of a second."""
_SHORTEST: Final = 2
"""Ticks: browsers show what is shorter for a tenth of a second."""


def write_gif(
    source: Location,
    destination: str | os.PathLike[str],
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    fps: float = 10.0,
    width: int = 480,
    on_progress: Progress | None = None,
) -> int:
    """Write a part of a video as an animated GIF, with a palette of its own, and return how many pictures it has.

    Pictures are shown as long as the video shows them, to a hundredth of a second.

    Args:
        source: What ``VideoReader`` reads. What can be read once only is held in memory as scaled pictures.
        destination: Ends in ``.gif``.
        start_s: Where to begin, in seconds.
        end_s: Where to end, in seconds.
        fps: Pictures a second, at most: 0 to 50.
        width: In pixels; the height follows.
        on_progress: Called with the number of pictures that were read, and None; then with that of those that were
            written, and of all of them.

    Raises:
        MediaError: The video cannot be read, or the file not be written.
        ValueError: Another suffix, a rate or width that is out of range, or a destination that is the source.
    """
    name = os.fspath(destination)
    if not name.lower().endswith(".gif"):
        raise ValueError(f"{name}: expected a name that ends in .gif")
    if not 0 < fps <= 50 or not 16 <= width <= 4096:
        raise ValueError(f"write_gif: fps = {fps}, width = {width}: expected 0 < fps <= 50 and 16 to 4096 pixels")
    check_apart(name, source)

    form: Any = {"pixel_format": "rgb", "start_s": start_s, "end_s": end_s}
    held: list[_Picture] | None = None
    palette = _Palette()
    with ExitStack() as opened:
        reader = opened.enter_context(VideoReader(source, **form))
        output = Output(name)
        opened.callback(output.abandon, keep=False)
        pictures: Iterable[_Picture] = _pictures(reader, fps, width)
        if not input_place(source).can_be_read_again:
            pictures = held = list(pictures)
        for number, (pixels, _) in enumerate(pictures, 1):
            palette.add(pixels)
            if on_progress is not None:
                on_progress(number, None)
        if not palette.count:
            raise MediaError(f"{shown(source)}: no frame between start_s and end_s")
        if held is None:
            held_or_read = _pictures(opened.enter_context(VideoReader(source, **form)), fps, width)
        else:
            held_or_read = iter(held)
        with media_errors(name):
            _write(output, palette.made(), _counted(held_or_read, palette.count, on_progress))
            output.complete()
    return palette.count


class _Picture(NamedTuple):
    """One picture of a GIF."""

    pixels: Any
    """``(H, W, 3)`` RGB."""
    ticks: int
    """When it is shown, hundredths of a second from the first."""


def _pictures(reader: VideoReader, fps: float, width: int) -> Iterator[_Picture]:
    """Yield the pictures that are taken, scaled, at most one in each ``1 / fps`` s."""
    across, down = reader.info.display_scale_xy
    step_ns, first_ns, due_ns = max(round(1e9 / fps), _SHORTEST * _TICK_NS), None, 0
    for frame, surface in reader.frames():
        first_ns = frame.pts if first_ns is None else first_ns
        own_ns = frame.pts - first_ns
        if own_ns < due_ns:
            continue
        due_ns += step_ns * ((own_ns - due_ns) // step_ns + 1)
        height = max(round(width * surface.height * down / (surface.width * across)), 1)
        yield _Picture(surface.resize((width, height)).to_rgb(), round(own_ns / _TICK_NS))


def _counted(pictures: Iterable[_Picture], total: int, on_progress: Progress | None) -> Iterator[_Picture]:
    for number, picture in enumerate(pictures, 1):
        yield picture
        if on_progress is not None:
            on_progress(number, total)


class _Palette:
    """The 256 colours that suit all pictures, by FFmpeg; it keeps counts of colours, no pictures."""

    def __init__(self) -> None:
        self.count = 0
        """Pictures so far."""
        self._graph: Any = None

    def add(self, pixels: Any) -> None:
        """Count the colours of a picture."""
        if self._graph is None:
            self._graph = av.filter.Graph()
            self._source = _buffer(self._graph, pixels.shape)
            palette, self._sink = self._graph.add("palettegen", "stats_mode=diff"), self._graph.add("buffersink")
            self._source.link_to(palette)
            palette.link_to(self._sink)
            self._graph.configure()
        self._source.push(_frame(pixels, self.count))
        self.count += 1

    def made(self) -> Any:
        """Return the palette as a picture of 16 x 16 pixels. No picture can be added after that."""
        self._source.push(None)
        return self._sink.pull()


def _write(output: Output, palette: Any, pictures: Iterator[_Picture]) -> None:
    """Write pictures in the colours of a palette."""
    first = next(pictures)
    graph = av.filter.Graph()
    source = _buffer(graph, first.pixels.shape)
    colors = graph.add_buffer(width=16, height=16, format=palette.format, time_base=_TIME_BASE)
    use, sink = graph.add("paletteuse"), graph.add("buffersink")
    source.link_to(use, 0, 0)
    colors.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    palette.pts, palette.time_base = 0, _TIME_BASE
    colors.push(palette)
    colors.push(None)
    file = _File(output)
    with file.named_failures(), av.open(file, "w", format="gif", options={"loop": "0"}) as container:
        stream = container.add_stream("gif", rate=Fraction(100))
        stream.height, stream.width = first.pixels.shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = "pal8", _TIME_BASE
        for picture in chain([first], pictures):
            source.push(_frame(*picture))
            _pull(sink, container, stream)
        source.push(None)
        _pull(sink, container, stream)
        container.mux(stream.encode(None))


class _File:
    """What FFmpeg writes to."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Append bytes."""
        try:
            self._output.write(bytes(data))
        except OSError as error:
            self._failure = self._failure or error
            raise
        return len(data)

    @contextmanager
    def named_failures(self) -> Iterator[None]:
        """Raise what the file raised: PyAV says of some of it only that a callback failed."""
        try:
            yield
        except FFmpegError:
            if self._failure is None:
                raise
            raise self._failure from None


def _buffer(graph: Any, shape: tuple[int, ...]) -> Any:
    return graph.add_buffer(width=shape[1], height=shape[0], format=av.VideoFormat("rgb24"), time_base=_TIME_BASE)


def _frame(pixels: Any, ticks: int) -> Any:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    frame.pts, frame.time_base = ticks, _TIME_BASE
    return frame


def _pull(sink: Any, container: Any, stream: Any) -> None:
    """Write what comes out of a graph."""
    with suppress(av.error.EOFError, av.error.BlockingIOError):
        while True:
            made = sink.pull()
            made.time_base = _TIME_BASE
            container.mux(stream.encode(made))
