"""What a location may make FFmpeg open besides itself.

A playlist names further files and servers, and anybody may have written it. So, unless the caller trusts it with
``trust="any"``, a local file reads regular files of its own folder and those below it, and a remote one reads from its
own host and port over http and https.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urljoin, urlsplit

from picasso.errors import MediaError
from picasso.media.location import Kind, input_place, shown

ADVICE: Final = 'trust="any" (on the command line --trust any) allows it'
"""What an error says of the option that opens everything."""

NETWORK: Final = (
    "tcp,tls,dtls,udp,udplite,rtp,srtp,http,https,httpproxy,rtmp,rtmps,rtmpt,rtmpts,rtmpe,rtmpte,ffrtmphttp,"
    "ffrtmpcrypt,mmsh,mmst,ftp,sftp,srt,rist,sctp,amqp,zmq"
)
"""FFmpeg's protocols that lead to a server and cannot read a file."""
URL_SCHEMES: Final = frozenset(NETWORK.split(",")) | {"rtsp", "rtsps", "mms", "sap"}
"""What a caller may ask for by a URL."""
_LOCAL: Final = "async,cache,concat,concatf,crypto,data,fd,file,gopher,gophers,ipfs,ipns,pipe,subfile,unix"
EVERYTHING: Final = f"{NETWORK},{_LOCAL}"
"""All of FFmpeg's protocols."""
_PROTOCOLS: Final = frozenset(EVERYTHING.split(","))
LIST_FORMATS: Final = frozenset(
    {"concat", "dash", "hds", "hls", "image2", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "vobsub"}
)
"""Demuxers that open what their input names."""
_CONCAT_LINE: Final = re.compile(
    r"ffconcat version 1\.0|[ ]*file ('[^'\"\\]*'|[^\s'\"\\]+)[ ]*|(duration|inpoint|outpoint) [\d.:]+|\s*"
)
_PROTOCOL: Final = re.compile(r"([a-z0-9]+)[:,]")
_PORTS: Final = {"http": 80, "https": 443}
LIST_BYTES: Final = 8 << 20
"""Longest list that is read."""


@functools.cache
def plain_formats(*more: str) -> str:
    """Return FFmpeg's option that allows the formats that open nothing else, and ``more``."""
    from av.format import formats_available

    names = {name for names in formats_available for name in names.split(",")}
    return ",".join(sorted((names - LIST_FORMATS) | set(more)))


def list_format(head: bytes) -> str | None:
    """Return FFmpeg's name of the kind of list that a file with this beginning is; None for other files."""
    if head.startswith(b"#EXTM3U"):
        return "hls"
    if head.startswith(b"ffconcat version"):
        return "concat"
    if head.startswith(b"v=0") and b"\nm=" in head:
        return "sdp"
    if b"<MPD" in head or b"urn:mpeg:dash" in head:
        return "dash"
    return None


@dataclass(frozen=True, slots=True)
class Folder:
    """Lets a local list read regular files of its own folder and below."""

    place: str
    """The list, for messages."""
    path: Path

    def check(self, name: str) -> str:
        """Return the path of a file that the list names.

        Raises:
            MediaError: It is not a regular file of this folder.
        """
        folder = self.path.absolute().parent
        plain = name if name.startswith("file://") else name.removeprefix("file:")
        place = input_place(plain) if plain else None
        if place is None or place.path is None or place.kind is Kind.STREAM or self._is_protocol(plain, folder):
            self._refuse(name)
        path = folder / place.path
        if not path.resolve().is_relative_to(folder.resolve()):
            self._refuse(name)
        return str(path)

    @staticmethod
    def _is_protocol(name: str, folder: Path) -> bool:
        """Whether FFmpeg takes the name for a protocol's; where there is such a file, it is that file."""
        match = None if name.startswith("file://") else _PROTOCOL.match(name)
        return match is not None and match[1] in _PROTOCOLS and not (folder / name).exists()

    def _refuse(self, name: str) -> NoReturn:
        raise MediaError(
            f"{self.place}: names {shown(name)}; a local list reads files of its own folder only; {ADVICE}"
        )


@dataclass(frozen=True, slots=True)
class Host:
    """Lets what a server sends name further addresses of the same server, over http and https."""

    place: str
    """The address, for messages."""
    url: str

    def check(self, name: str) -> str:
        """Return the URL that a name means.

        Raises:
            MediaError: It leads to another host or port, or away from http.
        """
        try:
            match = _PROTOCOL.match(name)
            url = urljoin(self.url, name)
            if match is not None and match[1] in _PROTOCOLS - set(_PORTS):
                self._refuse(name)
            if _server(url) != _server(self.url) and not self._is_upgrade(url):
                self._refuse(name)
        except ValueError:
            self._refuse(name)
        return url

    def _is_upgrade(self, url: str) -> bool:
        """Whether it is the same host by https, where both have their usual ports."""
        now, then = _server(self.url), _server(url)
        return now[0] == then[0] and (now[1], then[1]) == (80, 443)

    def _refuse(self, name: str) -> NoReturn:
        raise MediaError(
            f"{self.place}: names {shown(name)}; what a server sends may name its own host and port only, "
            f"by http or https; {ADVICE}"
        )


Origin = Folder | Host


def _server(url: str) -> tuple[str, int]:
    """Return host and port of an http address.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(url)
    return parts.hostname.rstrip("."), parts.port or _PORTS[parts.scheme]


def check_playlist(text: bytes, origin: Origin) -> None:
    """Look at everything that an HLS playlist names before any of it is opened.

    Raises:
        MediaError: It names something that does not have its own origin.
    """
    for raw in text.splitlines():
        line = raw.decode("utf-8", "surrogateescape").strip()
        names = re.findall(r'URI="([^"]*)"', line) if line.startswith("#") else [line] if line else []
        for name in names:
            origin.check(name)


def check_concat(path: Path, place: str) -> bool:
    """Look at everything that a local ffconcat script names before any of it is opened.

    Returns:
        Whether each line is of a form that leaves no doubt about what it names, so that FFmpeg's own, narrower rule of
        safe names need not hold.

    Raises:
        MediaError: It names something outside of its folder, or something else than a regular file of pictures.
    """
    folder = Folder(place, path)
    is_plain = True
    for line in read_list(path).decode("utf-8", "surrogateescape").splitlines():
        keyword, *rest = line.split(maxsplit=1) or ["#"]
        if keyword == "option":
            raise MediaError(f"{place}: sets options of FFmpeg; {ADVICE}")
        is_plain &= keyword.startswith("#") or _CONCAT_LINE.fullmatch(line) is not None
        if keyword == "file" and rest:
            bare = re.sub(r"['\"\\]", "", rest[0]).strip()
            for name in {bare, *bare.split()}:  # whichever FFmpeg takes for the name
                checked = Path(folder.check(name))
                if input_place(checked).kind is not Kind.FILE or list_format(head_of(checked)):
                    raise MediaError(f"{place}: names {shown(name)}, which is not a file of pictures; {ADVICE}")
    return is_plain


def head_of(path: Path) -> bytes:
    """Return the beginning of a regular file; nothing of what cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def read_list(path: Path) -> bytes:
    """Return a playlist, or the beginning of one that is absurdly long."""
    with path.open("rb") as file:
        return file.read(LIST_BYTES)


def name_of(path: str) -> str:
    """Return a path as FFmpeg is told of it."""
    return f"file:{os.path.abspath(path)}"
