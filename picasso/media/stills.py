"""Still pictures: one file, one surface, in host memory or on a GPU."""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from picasso.errors import MediaError, MissingDependencyError
from picasso.media.nvdec import gpu_of
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.media.nvjpeg_decoder import JpegDecoder
    from picasso.surface.cuda_memory import Uploader

ImageSource: TypeAlias = str | os.PathLike[str] | bytes
"""A path, or the bytes of a whole file."""

_log = logging.getLogger(__name__)
_START: Final = b"\xff\xd8\xff"
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = 1


class _Held(threading.local):
    """What one thread reads pictures with, by GPU: it goes back with the thread."""

    def __init__(self) -> None:
        self.decoders: dict[int, JpegDecoder] = {}
        self.uploaders: dict[int, Uploader] = {}


_held = _Held()


def read_image(source: ImageSource, *, device: str = "cpu") -> SurfaceView:
    """Read a picture: JPEG, PNG, WebP, or any other kind that FFmpeg knows.

    It stands upright: the orientation that a camera wrote into the file is applied.

    Args:
        source: A path, or the bytes of the file.
        device: Where the pixels are to be: ``cpu``, ``cuda`` or ``cuda:N``. On a GPU, nvJPEG decodes JPEG; what it
            cannot decode, and every other kind of file, is decoded on the CPU and uploaded.

    Returns:
        RGB, 8 bits a channel, ``(H, W, 3)`` as an array.

    Raises:
        MediaError: There is no such file, it is no picture, or it is damaged.
        DeviceError: There is no such GPU.
        MissingDependencyError: What a GPU needs is not installed.
        ValueError: ``device`` is something else.
    """
    gpu_id = gpu_of(device)
    if gpu_id is None:
        return _decode_on_cpu(source)
    data = source if isinstance(source, bytes) else _bytes_of(source)
    return _decode_on_gpu(data, gpu_id) or _upload(_decode_on_cpu(source), gpu_id)


def read_images(sources: Iterable[ImageSource], *, device: str = "cpu") -> list[SurfaceView]:
    """Read many pictures, each as ``read_image`` does, in their order.

    ::

        found = detector(read_images(sorted(Path("stills").glob("*.jpg")), device="cuda"))
    """
    return [read_image(source, device=device) for source in sources]


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MediaError(f"{os.fspath(path)}: {error.strerror}") from None


def _decode_on_cpu(source: ImageSource) -> SurfaceView:
    from picasso.media.reader import VideoReader

    if isinstance(source, bytes):
        return _decode_bytes(source)
    with VideoReader(source, pixel_format="rgb") as reader:
        for _, surface in reader.frames():
            return surface
    raise MediaError(f"{os.fspath(source)!r} holds no picture")


def _decode_bytes(data: bytes) -> SurfaceView:
    """FFmpeg tells a picture by its name as well, and reads files again to look into them: it gets one."""
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=_suffix_of(data)) as file:
        file.write(data)
        file.flush()
        return _decode_on_cpu(file.name)


def _suffix_of(data: bytes) -> str:
    starts = {b"\x89PNG": ".png", _START: ".jpg", b"BM": ".bmp", b"GIF8": ".gif", b"II*\0": ".tif", b"MM\0*": ".tif"}
    found = [suffix for start, suffix in starts.items() if data.startswith(start)]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found.append(".webp")
    return found[0] if found else ""


def _decode_on_gpu(data: bytes, gpu_id: int) -> SurfaceView | None:
    """Decode an upright JPEG file by nvJPEG, or return None where that cannot be."""
    if not data.startswith(_START) or orientation_of(data) != _UPRIGHT:
        return None
    try:
        return _decoder(gpu_id).decode(data)
    except MediaError as error:
        _log.info("a JPEG file is decoded on the CPU: %s", str(error))
    except MissingDependencyError as error:
        _log.info("JPEG is decoded on the CPU: %s", str(error))
    return None


def _decoder(gpu_id: int) -> JpegDecoder:
    """Return the thread's decoder for a GPU; it lives as long as the thread."""
    from picasso.media.nvjpeg_decoder import JpegDecoder

    if gpu_id not in _held.decoders:
        _held.decoders[gpu_id] = JpegDecoder(gpu_id)
    return _held.decoders[gpu_id]


def _upload(surface: SurfaceView, gpu_id: int) -> SurfaceView:
    """Copy to a GPU by the thread's own uploader; pixels are ready for what waits for the surface's stream."""
    from picasso.surface.cuda_memory import Uploader, new_stream

    if gpu_id not in _held.uploaders:
        _held.uploaders[gpu_id] = Uploader(new_stream(gpu_id))
    return _held.uploaders[gpu_id].upload(surface)


def orientation_of(data: bytes) -> int:
    """Return the orientation that Exif gives a JPEG file, 1..8; 1 is upright, also where it says nothing.

    Exif 2.32, 4.6.4: tag 0x0112 of the first directory of the TIFF header in segment APP1.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in {0xDA, 0xD9}:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return _orientation_in(data[at + 10 : at + 2 + length])
        at += 2 + length
    return _UPRIGHT


def _orientation_in(tiff: bytes) -> int:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return _UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass  # Exif that ends too early says nothing
    return _UPRIGHT
