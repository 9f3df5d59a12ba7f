"""What threads hold to read pictures on a GPU: over doubles where there is none, each thread's own and gone with it."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import simplejpeg

from picasso.encode.nvjpeg_library import DECODER_SIGNATURES, SIGNATURES
from picasso.errors import MediaError
from picasso.media import nvjpeg_decoder, read_image, stills
from picasso.media.nvjpeg_decoder import JpegDecoder
from picasso.surface import SurfaceView, VideoFormat, cuda_memory
from picasso.surface.cuda import DevicePlane

REFUSES = 6
"""NVJPEG_STATUS_EXECUTION_FAILED."""
THREADS = 50


class Library:
    """The functions of nvJPEG that decode, over host memory, with simplejpeg; it counts what is made and open."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse, self.made, self.open = refuse, 0, 0
        self.lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        known = SIGNATURES | DECODER_SIGNATURES
        if name not in known:
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            assert len(arguments) == len(known[name])
            if name == self.refuse:
                return REFUSES
            getattr(self, "do_" + name.removeprefix("nvjpeg"))(*arguments)
            return 0

        return call

    def do_CreateSimple(self, out: Any) -> None:  # noqa: N802  # the library's names
        with self.lock:
            self.made += 1
            self.open += 1
            out._obj.value = self.made

    def do_JpegStateCreate(self, handle: Any, out: Any) -> None:  # noqa: N802
        assert handle.value
        self.do_CreateSimple(out)

    def do_Destroy(self, held: Any) -> None:  # noqa: N802
        assert held.value
        with self.lock:
            self.open -= 1

    do_JpegStateDestroy = do_Destroy  # noqa: N815

    def do_GetImageInfo(  # noqa: N802
        self, handle: Any, data: bytes, length: int, components: Any, css: Any, widths: Any, heights: Any
    ) -> None:
        heights[0], widths[0], *_ = simplejpeg.decode_jpeg_header(data)

    def do_Decode(  # noqa: N802
        self, handle: Any, state: Any, data: bytes, length: int, form: int, image: Any, stream: int
    ) -> None:
        pixels = simplejpeg.decode_jpeg(data, "RGB")
        pitch = image._obj.pitch[0]
        memory = (ctypes.c_uint8 * (pitch * len(pixels))).from_address(image._obj.channel[0])
        rows = np.frombuffer(memory, np.uint8).reshape(len(pixels), pitch)
        rows[:, : pixels.shape[1] * 3] = pixels.reshape(len(pixels), -1)


class HostStream:
    """A stream of a GPU whose memory is the host's; it counts those that are open."""

    address = 7
    device = SimpleNamespace(index=0, current=nullcontext)
    made = alive = 0

    def __init__(self) -> None:
        type(self).made += 1
        type(self).alive += 1

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        yield

    def __del__(self) -> None:
        type(self).alive -= 1


def allocated(form: VideoFormat, size_wh: tuple[int, int], _stream: HostStream) -> SurfaceView:
    """Give host memory that calls itself a GPU's."""
    (plane,) = SurfaceView.allocate(form, size_wh).planes
    there = DevicePlane(plane.ctypes.data, plane.shape, plane.strides, read_only=False, stream=None, owner=plane)
    return SurfaceView((there,), form, size_wh, None)


class HostUploader:
    """Copies nothing, and tells on which stream."""

    used: list[int]

    def __init__(self, stream: HostStream) -> None:
        self.stream = stream

    def upload(self, surface: SurfaceView) -> SurfaceView:
        self.used.append(id(self.stream))
        return surface


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Put doubles instead of nvJPEG, of streams and of memory."""
    made = Library()
    HostStream.made = HostStream.alive = 0
    HostUploader.used = []
    monkeypatch.setattr(nvjpeg_decoder, "load_nvjpeg", lambda: made)
    monkeypatch.setattr(nvjpeg_decoder, "allocate_on_device", allocated)
    monkeypatch.setattr(nvjpeg_decoder, "new_stream", lambda _gpu_id: HostStream())
    monkeypatch.setattr(cuda_memory, "new_stream", lambda _gpu_id: HostStream())
    monkeypatch.setattr(cuda_memory, "Uploader", HostUploader)
    monkeypatch.setattr(stills, "_held", stills._Held())
    return made


def jpeg(level: int) -> bytes:
    across, down = np.meshgrid(np.arange(64), np.arange(48))
    return simplejpeg.encode_jpeg(np.stack([across + level, down, across], axis=2).astype(np.uint8), quality=90)


def pixels_of(surface: SurfaceView) -> Any:
    plane = surface.device_plane
    memory = (ctypes.c_uint8 * (plane.strides[0] * plane.shape[0])).from_address(plane.ptr)
    rows = np.frombuffer(memory, np.uint8).reshape(plane.shape[0], plane.strides[0])
    return rows[:, : plane.shape[1] * 3].reshape(plane.shape)


def in_threads(count: int, work: Any) -> list[Any]:
    """Run the same work in threads that all live at once, and return what it gave, when they have ended."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        made = work(number)
        barrier.wait(30)
        results[number] = made

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_threads_that_end_give_back_the_handles_and_streams_that_they_made(library: Library) -> None:
    def work(number: int) -> list[SurfaceView]:
        return [read_image(jpeg(number + more), device="cuda") for more in (0, 60)]

    made = in_threads(THREADS, work)
    assert (library.made, HostStream.made) == (2 * THREADS, THREADS)
    assert (library.open, HostStream.alive) == (0, 0)
    for number, surfaces in enumerate(made):
        for surface, more in zip(surfaces, (0, 60), strict=True):
            expected = simplejpeg.decode_jpeg(jpeg(number + more), "RGB")
            np.testing.assert_array_equal(pixels_of(surface), expected)


def test_a_thread_uploads_all_its_pictures_on_one_stream(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    library.refuse = "nvjpegDecode"

    def work(number: int) -> list[SurfaceView]:
        return [read_image(jpeg(number), device="cuda") for _ in range(3)]

    with caplog.at_level(logging.INFO, "picasso.media.stills"):
        made = in_threads(4, work)
    assert "decoded on the CPU: nvjpegDecode: NVJPEG_STATUS_EXECUTION_FAILED" in caplog.text
    assert len(HostUploader.used) == 12
    assert len(set(HostUploader.used)) == 4
    assert (HostStream.made, HostStream.alive, library.open) == (8, 0, 0)  # of a decoder and an uploader each
    assert all(np.asarray(surface).shape == (48, 64, 3) for surfaces in made for surface in surfaces)


def test_a_decoder_that_is_dropped_gives_back_what_it_holds(library: Library) -> None:
    decoder = JpegDecoder()
    assert (library.open, HostStream.alive) == (2, 1)
    del decoder
    assert (library.open, HostStream.alive) == (0, 0)


def test_a_decoder_that_is_closed_says_so(library: Library) -> None:
    with JpegDecoder() as decoder:
        assert decoder.size_of(jpeg(0)) == (64, 48)
    decoder.close()
    assert library.open == 0
    for use in (decoder.decode, decoder.size_of):
        with pytest.raises(MediaError, match="the decoder is closed"):
            use(jpeg(0))


@pytest.mark.parametrize("name", ["nvjpegCreateSimple", "nvjpegJpegStateCreate"])
def test_a_decoder_that_cannot_be_opened_leaves_nothing(name: str, library: Library) -> None:
    library.refuse = name
    with pytest.raises(MediaError, match=f"{name}: NVJPEG_STATUS_EXECUTION_FAILED"):
        JpegDecoder()
    assert (library.open, HostStream.alive) == (0, 0)
