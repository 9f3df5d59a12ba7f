"""Whether a file is as long as its own structure says: a copy that was broken off is not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

COUNT_SLOTS: Final = frozenset({"avi"})
"""Containers that count slots of which some may be empty, in the order of decoding."""
_MOST_BOXES: Final = 100_000
"""Boxes of a file that are looked at."""
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"


def is_short(
    container: str, path: Path | None, packets: int, expected: int, end_s: Fraction, said_end_s: Fraction | None
) -> bool:
    """Tell whether packets are missing at the end of a file.

    The frames that a header counts may never have been there: AVI counts slots that were left empty, and an edit list
    leaves frames out. So a file is not short if the end is reached that its header tells, or if it is AVI and whole.

    Args:
        container: FFmpeg's name of the container.
        path: Where the file is, None for what is not a file.
        packets: Packets that were read.
        expected: Packets that there are by the header, 0 where it does not tell.
        end_s: Where the last packet ends, in seconds, with half a frame of tolerance.
        said_end_s: Where the stream ends by the header, in seconds, None where it does not tell.
    """
    if packets >= expected > 0 or (said_end_s is not None and end_s >= said_end_s):
        return False
    cut = None if path is None else is_cut(path)
    if not expected:
        return cut is True and said_end_s is not None
    return cut is not False or container not in COUNT_SLOTS


def is_cut(path: Path) -> bool | None:
    """Tell whether a file ends before its structure does: of AVI, MP4 and its like, Matroska and WebM.

    None where that cannot be known: other containers, files that were never finished, files that cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(12)
            end = _end_of(head)
            return None if end is None or (ends_at := end(file, size)) is None else ends_at > size
    except OSError:
        return None


def breaks_at(path: Path) -> int | None:
    """Return the byte from which on the boxes of an MP4 or MOV file cannot be followed; None if they all can.

    None as well for other containers, and for zeros up to the end, which is padding.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if _end_of(file.read(12)) is not _end_of_boxes:
                return None
            *_, (at, length) = _boxes(file, size)
            if length is not None:
                return None
            file.seek(at)
            while chunk := file.read(1 << 20):
                if any(chunk):
                    return at
    except OSError:
        pass
    return None


def _end_of(head: bytes) -> Callable[[BinaryIO, int], int | None] | None:
    if head[:4] == b"RIFF":
        return _end_of_riff
    if head[:4] == _EBML:
        return _end_of_matroska
    return _end_of_boxes if head[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"} else None


def _end_of_riff(file: BinaryIO, size: int) -> int | None:
    """Follow the chunks of an AVI file, of which large ones have several; one of length 0 was never finished."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF":
            break
        if length in {0, 0xFFFFFFFF}:
            return None
        at += 8 + length
        if at > size:
            break
        at += length & 1
    return at


def _end_of_boxes(file: BinaryIO, size: int) -> int | None:
    """Follow the boxes of an MP4 or MOV file."""
    *_, (at, length) = _boxes(file, size)
    return at + (length or 0)


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[int, int | None]]:
    """Yield where each box begins and how long it is; the length None ends the walk where there is none.

    The last box may have the size 0, which is all that is left.
    """
    at = 0
    yield at, 0
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0 and any(kind):
            length = size - at
        if length < 8 or not kind.isascii() or not kind.strip(b"\0"):
            yield at, None
            return
        yield at, length
        at += length


def _end_of_matroska(file: BinaryIO, _size: int) -> int | None:
    """Read the length of the segment; one of unknown length is still being written, or was never finished."""
    file.seek(4)
    header = _element_size(file)
    if header is None:
        return None
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return None
    length = _element_size(file)
    return None if length is None else file.tell() + length


def _element_size(file: BinaryIO) -> int | None:
    """Read a number whose leading zeros say how many bytes it has; None if all its bits are set, or none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    count = 8 - first[0].bit_length()
    bits = 7 * (count + 1)
    value = int.from_bytes(first + file.read(count), "big") & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value
