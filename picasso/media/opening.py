"""How a place is opened: by FFmpeg's own file reading, through bytes of ours, or on a thread of its own.

Regular files are FFmpeg's; it may open nothing but them. Pipes, devices, http and plain TCP are read through a
``ByteSource``. Everything that may wait for a network is read on a thread, so that ``stop`` need not wait for it.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
from av.error import ArgumentError, ExitError, FFmpegError, InvalidDataError

from picasso.errors import MediaError, ReadTimeoutError, UnreadableError
from picasso.media.byte_source import ByteSource, DescriptorSource, Fault, SocketSource
from picasso.media.http import HttpSource
from picasso.media.location import Kind, Place, Trust, input_place
from picasso.media.policy import (
    ADVICE,
    EVERYTHING,
    LIST_BYTES,
    NETWORK,
    URL_SCHEMES,
    Folder,
    Host,
    Origin,
    check_concat,
    check_playlist,
    head_of,
    list_format,
    name_of,
    plain_formats,
    read_list,
)
from picasso.media.stopping import StopSignal

if TYPE_CHECKING:
    from av.container import InputContainer

_HEAD_BYTES: Final = 512
_BUFFER_BYTES: Final = 1 << 16
_ANY: Final = {
    "protocol_whitelist": EVERYTHING,
    "safe": "0",
    "allowed_extensions": "ALL",
    "allowed_segment_extensions": "ALL",
    "extension_picky": "0",
}
"""FFmpeg's options that open everything."""
_HLS: Final = {"http_persistent": "0", "http_multiple": "0"}
"""FFmpeg keeps connections only where they are its own."""
_LOOKS_LIKE_PROTOCOL: Final = re.compile(rf"({'|'.join(EVERYTHING.split(','))}|lavfi)[:,]")
_OPENS_MORE: Final = frozenset({"enable_drefs", "use_absolute_path"})
"""Options of demuxers that open what their file names."""
_HTTP: Final = frozenset({"http", "https"})


@dataclass(slots=True)
class Opened:
    """An open container, and the bytes below it where they are ours."""

    container: InputContainer
    source: ByteSource | None = None
    more: list[ByteSource] = field(default_factory=list)
    """Further sources that the container opened."""

    @property
    def has_index_behind(self) -> bool:
        """Whether it is an MP4 or MOV that is read in order; its samples are gone when their index comes last."""
        is_in_order = self.source is not None and not self.source.seekable()
        return is_in_order and self.container.format.name.startswith("mov,")

    def begin(self) -> None:
        """Begin an operation, which may take as long as the time-out says."""
        for source in (self.source, *self.more):
            if source is not None:
                source.begin()

    def close(self) -> None:
        """Close all of it. May be called again."""
        self.container.close()
        for source in (self.source, *self.more):
            if source is not None:
                source.close()
        self.more.clear()


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens one place, once or again for each loop."""

    place: Place
    timeout_s: float | None
    options: Mapping[str, str]
    trust: Trust
    stop: StopSignal
    packets: int = 64
    """Packets that wait between a thread that reads a network and the decoder, at most; 0 for no limit."""
    packet_bytes: int = 8 << 20
    """Their bytes, at most, except 8 packets that always may; 0 for no limit."""

    @property
    def is_remote(self) -> bool:
        """Whether it is a server's."""
        return self.place.kind is Kind.URL

    @property
    def may_wait(self) -> bool:
        """Whether reading may wait inside of FFmpeg, where a stop signal does not reach."""
        if self.is_remote or self.place.is_camera or "enable_drefs" in self.options:
            return True
        kind = list_format(head_of(self.place.path)) if self.place.kind is Kind.FILE and self.place.path else None
        return kind == "hls" or (kind is not None and self.trust == "any")

    def open(self) -> Opened:
        """Open the place; blocks for at most ``timeout_s``, seconds.

        Raises:
            MediaError: It cannot be opened, or is refused.
        """
        place = self.place
        if self.trust != "any" and (more := _OPENS_MORE & set(self.options)):
            raise MediaError(f"{place.shown}: the option {min(more)} lets a file open others; {ADVICE}")
        if place.is_camera:
            return Opened(self._av(str(place.path), {}, format="v4l2"))
        if place.kind in {Kind.SPECIAL, Kind.STREAM}:
            return self._open_bytes()
        if place.path is not None:
            return self._open_path(place.path)
        if self.trust == "any":
            graph = place.for_ffmpeg.removeprefix("lavfi:")
            return Opened(self._av(graph, _ANY, format="lavfi" if place.scheme == "lavfi" else None))
        return self._open_url(place.url or "", place.scheme)

    def _open_path(self, path: Path) -> Opened:
        name = self.place.for_ffmpeg
        sequence = {"protocol_whitelist": "file", "format_whitelist": plain_formats("image2")}
        if self.place.kind is Kind.SEQUENCE:
            return Opened(self._av(name, sequence, format="image2"))
        if "%" in path.name:
            return Opened(self._av(name, {**sequence, "pattern_type": "none"}))
        if self.trust == "any":
            return Opened(self._av(name, _ANY))
        try:
            return Opened(self._av(name, {"protocol_whitelist": "file", "format_whitelist": plain_formats()}))
        except FileNotFoundError:
            if _LOOKS_LIKE_PROTOCOL.match(self.place.shown) is None:
                raise
            raise MediaError(
                f"{self.place.shown}: No such file or directory; if FFmpeg's protocol is meant, {ADVICE}"
            ) from None
        except (ArgumentError, InvalidDataError):
            if path.is_file() and not path.stat().st_size:
                raise UnreadableError(f"{self.place.shown}: the file is empty") from None
            kind = list_format(head_of(path))
            if kind is None:  # FFmpeg takes one picture for a sequence, by the end of its name: .jpg, .tga, .dpx
                return Opened(self._av(name, {**sequence, "pattern_type": "none"}))
            return self._open_list(path, kind)

    def _open_list(self, path: Path, kind: str) -> Opened:
        """Open a file that names other files."""
        place = self.place.shown
        if kind == "concat":
            options = {"protocol_whitelist": "file", "format_whitelist": plain_formats("concat")}
            options["safe"] = "0" if check_concat(path, place) else "1"
            try:
                return Opened(self._av(self.place.for_ffmpeg, options, format="concat"))
            except PermissionError:
                raise MediaError(
                    f"{place}: has a line that is not plain, e.g. with quotes in quotes; {ADVICE}"
                ) from None
        if kind != "hls":
            raise MediaError(f"{place}: is a description of streams elsewhere ({kind}); {ADVICE}")
        body, origin = read_list(path), Folder(place, path)
        check_playlist(body, origin)
        if path.suffix.lower() not in {".m3u8", ".m3u"}:
            raise MediaError(f"{place}: is an HLS playlist, but its name does not end in .m3u8; {ADVICE}")
        return self._open_hls(body, name_of(str(path)), origin)

    def _open_url(self, url: str, scheme: str) -> Opened:
        if scheme not in {*URL_SCHEMES, *EVERYTHING.split(",")}:
            raise MediaError(f"{self.place.shown}: Protocol not found")
        if scheme not in URL_SCHEMES:
            raise MediaError(f"{self.place.shown}: FFmpeg's protocol {scheme!r} is refused; {ADVICE}")
        if scheme in _HTTP:
            source: ByteSource = HttpSource(url, self.place.shown, self.timeout_s, self.stop, options=self.options)
        elif scheme == "tcp" and "?" not in url:
            source = SocketSource(url, self.place.shown, self.timeout_s, self.stop)
        else:
            formats = plain_formats(scheme.removesuffix("s") if scheme.startswith("rtsp") else scheme)
            return Opened(self._av(url, {"protocol_whitelist": NETWORK, "format_whitelist": formats}))
        return self._open_source(source, Host(self.place.shown, source.name) if scheme in _HTTP else None)

    def _open_bytes(self) -> Opened:
        """Open a pipe or a device."""
        path = self.place.descriptor if self.place.path is None else str(self.place.path)
        source = DescriptorSource(path or 0, self.place.shown, self.timeout_s, self.stop)
        return self._open_source(source, None)

    def _open_source(self, source: ByteSource, origin: Origin | None) -> Opened:
        with ExitStack() as cleanup:
            cleanup.callback(source.close)
            source.defers = True
            kind = list_format(source.head(_HEAD_BYTES))
            if kind == "hls" and origin is not None:
                body = _read_all(source)
                if source.failure is not None:
                    raise source.failure
                check_playlist(body, origin)
                return self._open_hls(body, source.name, origin)
            if kind is not None:
                raise MediaError(f"{self.place.shown}: is a list of other addresses ({kind}); {ADVICE}")
            try:
                container = self._av(source, {"protocol_whitelist": "none", "format_whitelist": plain_formats()})
            except FFmpegError:
                if source.failure is not None:
                    raise source.failure from None
                raise
            cleanup.pop_all()
            return Opened(container, source)

    def _open_hls(self, body: bytes, name: str, origin: Origin) -> Opened:
        """Open a playlist that was read; all that it names, now or later, is checked and opened by us."""
        more: list[ByteSource] = []
        fault = Fault()

        def open_more(url: str, _flags: int, options: Mapping[str, str]) -> Any:
            if fault.error is not None:
                return io.BytesIO()
            try:
                return open_checked(origin.check(url), options)
            except Exception as error:
                fault.error = error
                raise

        def open_checked(checked: str, options: Mapping[str, str]) -> Any:
            if isinstance(origin, Host):
                source: ByteSource = HttpSource(
                    checked,
                    self.place.shown,
                    self.timeout_s,
                    self.stop,
                    options=self.options,
                    first=int(options.get("offset", 0)),
                    end=int(options["end_offset"]) if "end_offset" in options else None,
                )
            elif input_place(Path(checked)).kind is Kind.FILE:
                return open(checked, "rb")  # FFmpeg closes it
            else:
                source = DescriptorSource(checked, self.place.shown, self.timeout_s, self.stop)
            source.fault = fault
            more[:] = [*(each for each in more if not each.closed), source]
            return source

        listing = io.BytesIO(body)
        listing.name = name  # what PyAV takes for the address
        options = {**_HLS, "protocol_whitelist": "file,http,https", "format_whitelist": plain_formats("hls")}
        return Opened(self._av(listing, options, format="hls", io_open=open_more), more=more)

    def _av(
        self,
        what: str | Any,
        options: Mapping[str, str],
        *,
        format: str | None = None,  # PyAV's name
        io_open: Callable[..., Any] | None = None,
    ) -> InputContainer:
        """Open what FFmpeg is told; the caller's own options win over ours."""
        began_s = time.monotonic()
        try:
            return av.open(
                what,
                "r",
                format=format,
                options={**options, **self.options},
                timeout=self.timeout_s,
                buffer_size=_BUFFER_BYTES,
                io_open=io_open,
            )
        except FFmpegError as error:
            is_late = self.timeout_s is not None and time.monotonic() >= began_s + self.timeout_s
            if isinstance(error, ExitError) or is_late:  # some demuxers have words of their own for a time-out
                raise ReadTimeoutError(f"{self.place.shown}: no answer in time, within {self.timeout_s:g} s") from None
            raise


def _read_all(source: ByteSource) -> bytes:
    """Read a playlist to its end."""
    body = b""
    while len(body) < LIST_BYTES and (data := source.read(_BUFFER_BYTES)):
        body += data
    return body
