"""The buffer pool: how many, when they come back, what they carry."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from picasso.errors import (
    AcquireTimeoutError,
    ConsumedError,
    DeviceError,
    MissingDependencyError,
    SpecError,
    SurfaceError,
)
from picasso.surface import (
    BufferGenerator,
    MemType,
    SavantIdMetaKind,
    SharedBuffer,
    SurfaceView,
    VideoFormat,
    get_nvbufsurface_info,
    get_savant_id_meta,
)


@pytest.fixture
def pool() -> BufferGenerator:
    return BufferGenerator(VideoFormat.RGBA, 8, 4, pool_size=2)


def is_empty(pool: BufferGenerator) -> bool:
    try:
        pool.acquire(timeout_s=0)
    except AcquireTimeoutError:
        return True
    return False


def test_what_a_pool_says_of_itself() -> None:
    pool = BufferGenerator("NV12", 640, 480, 25, 2)
    assert (pool.format, pool.width, pool.height) == (VideoFormat.NV12, 640, 480)
    assert pool.nvmm_caps_str() == "video/x-raw(memory:NVMM), format=NV12, width=640, height=480, framerate=25/2"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"format": "nv12"}, ValueError, "VideoFormat: 'nv12'"),
        ({"width": 0}, SurfaceError, "width and height must be in 1..16384, got 0x480"),
        ({"width": 641}, SurfaceError, "NV12 needs an even width and height"),
        ({"width": 10**9, "height": 10**9}, SurfaceError, "width and height must be in 1..16384"),
        ({"pool_size": 0}, SpecError, "pool_size must be at least 1, got 0"),
        ({"fps_num": 0}, SpecError, "fps_num must be at least 1, got 0"),
        ({"fps_den": -1}, SpecError, "fps_den must be at least 1, got -1"),
        ({"mem_type": MemType.HANDLE}, SurfaceError, "mem_type handle: no memory of pools; one of default, system,"),
        ({"mem_type": MemType.CUDA_UNIFIED}, SurfaceError, "mem_type cuda_unified: no memory of pools"),
    ],
)
def test_pools_that_cannot_be(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        BufferGenerator(**({"format": VideoFormat.NV12, "width": 640, "height": 480} | arguments))
    assert message in str(caught.value)


@pytest.mark.parametrize("mem_type", [MemType.CUDA_DEVICE, MemType.CUDA_PINNED])
def test_a_pool_for_a_gpu_that_is_not_there_says_so(mem_type: MemType) -> None:
    """GPU 99 is nowhere; without CUDA's bindings the error names what to install."""
    with pytest.raises((MissingDependencyError, DeviceError), match=r"cuda13|NVIDIA's driver|GPU 99 cannot be used"):
        BufferGenerator("NV12", 64, 48, gpu_id=99, mem_type=mem_type)


@pytest.mark.parametrize("mem_type", [None, MemType.DEFAULT, MemType.SYSTEM])
def test_host_memory_has_three_names(mem_type: MemType | None) -> None:
    assert BufferGenerator("RGBA", 4, 4, mem_type=mem_type).acquire()


def test_there_are_never_more_buffers_than_the_pool_holds(pool: BufferGenerator) -> None:
    first, second = pool.acquire(), pool.acquire()
    with pytest.raises(AcquireTimeoutError, match=r"no buffer came back to the pool within 0.0 s"):
        pool.acquire(timeout_s=0.0)
    addresses = {get_nvbufsurface_info(buffer)[0] for buffer in (first, second)}
    del first
    third = pool.acquire(timeout_s=0)
    assert get_nvbufsurface_info(third)[0] in addresses
    assert is_empty(pool)
    del second, third
    assert not is_empty(pool)


def test_acquire_waits_for_the_last_reference(pool: BufferGenerator) -> None:
    held = [pool.acquire(), pool.acquire()]
    got: list[SharedBuffer] = []
    waiting = threading.Thread(target=lambda: got.append(pool.acquire()))
    waiting.start()
    assert not got
    held.pop()
    waiting.join(timeout=30)
    assert len(got) == 1


HOLDERS = {
    "view": lambda view: view,
    "taken view": lambda view: view.take(),
    "plane": lambda view: view.planes[0],
    "slice of a plane": lambda view: view.planes[0][1:, ::2],
    "layout": lambda view: view.plane_layout(),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_whatever_refers_to_the_pixels_keeps_them(hold: Any) -> None:
    pool = BufferGenerator(VideoFormat.RGBA, 8, 4, pool_size=1)
    held = hold(SurfaceView.from_buffer(pool.acquire()))
    assert is_empty(pool)
    del held
    assert not is_empty(pool)


def test_buffers_outlive_their_pool() -> None:
    view = SurfaceView.from_buffer(BufferGenerator(VideoFormat.RGBA, 8, 4).acquire())
    view.memset(5)
    assert view.to_numpy().min() == 5


def test_strong_count_counts_the_buffer_and_its_views(pool: BufferGenerator) -> None:
    buffer = pool.acquire()
    assert buffer.strong_count == 1
    first = SurfaceView.from_buffer(buffer)
    second = buffer.view_slot()
    assert buffer.strong_count == 3
    del first
    assert buffer.strong_count == 2
    del second
    assert buffer.strong_count == 1


def test_views_of_a_buffer_share_its_pixels(pool: BufferGenerator) -> None:
    buffer = pool.acquire()
    SurfaceView.from_buffer(buffer).memset(9)
    view = SurfaceView.from_buffer(buffer, cuda_stream=3)
    assert view.to_numpy().min() == 9
    assert view.cuda_stream == 3
    assert get_nvbufsurface_info(buffer) == (view.data_ptr, view.pitch, 8, 4)


def test_a_buffer_has_one_slot(pool: BufferGenerator) -> None:
    with pytest.raises(SurfaceError, match="slot_index 1: the buffer has 1 slot"):
        SurfaceView.from_buffer(pool.acquire(), 1)


def test_ids_and_timestamps(pool: BufferGenerator) -> None:
    buffer = pool.acquire_with_params(7, None, id=2**128 - 1)
    assert (buffer.pts_ns, buffer.duration_ns) == (7, None)
    assert buffer.savant_ids() == get_savant_id_meta(buffer) == [(SavantIdMetaKind.FRAME, 2**128 - 1)]
    buffer.savant_ids().clear()
    assert buffer.savant_ids()
    buffer.set_savant_ids([(SavantIdMetaKind.BATCH, 1), (SavantIdMetaKind.FRAME, 2)])
    assert [id for _, id in buffer.savant_ids()] == [1, 2]
    buffer.pts_ns, buffer.duration_ns = 10, 20
    assert repr(buffer) == "SharedBuffer(RGBA, 8x4, pts_ns=10)"
    del buffer
    fresh = pool.acquire()
    assert (fresh.savant_ids(), fresh.pts_ns, fresh.duration_ns) == ([], None, None)


@pytest.mark.parametrize("id", [-1, 2**128])
def test_an_id_has_128_bits(pool: BufferGenerator, id: int) -> None:
    with pytest.raises(OverflowError, match="id must fit in 128 bits"):
        pool.acquire(id)
    with pytest.raises(OverflowError, match="id must fit in 128 bits"):
        pool.acquire().set_savant_ids([(SavantIdMetaKind.FRAME, id)])


def test_a_taken_buffer_is_consumed(pool: BufferGenerator) -> None:
    buffer = pool.acquire()
    assert buffer
    view = buffer.take()
    assert view.size_wh == (8, 4)
    assert not buffer
    assert buffer.is_consumed
    assert repr(buffer) == "SharedBuffer(<consumed>)"
    for use in (buffer.take, buffer.view_slot, buffer.savant_ids, lambda: buffer.strong_count):
        with pytest.raises(ConsumedError, match="SharedBuffer has been consumed"):
            use()


class Invert:
    """A transform: the seam that ``TransformConfig`` fills."""

    def apply(self, source: SurfaceView, target: SurfaceView, src_rect: int | None = None, /) -> None:
        np.subtract(src_rect or 255, source.planes[0], out=target.planes[0])


def test_transform_writes_a_new_buffer_and_hands_timestamps_on(pool: BufferGenerator) -> None:
    source = pool.acquire_with_params(3, 4, id=1)
    SurfaceView.from_buffer(source).memset(55)
    target = pool.transform(source, Invert(), 2, 250)
    assert SurfaceView.from_buffer(target).to_numpy().max() == 195
    assert (target.pts_ns, target.duration_ns, target.savant_ids()) == (3, 4, [(SavantIdMetaKind.FRAME, 2)])
    assert source


class Fail:
    def apply(self, source: SurfaceView, target: SurfaceView, src_rect: None = None, /) -> None:
        raise SurfaceError("no")


def test_a_failed_transform_gives_its_buffer_back() -> None:
    pool = BufferGenerator(VideoFormat.RGBA, 8, 4, pool_size=1)
    with pytest.raises(SurfaceError):
        pool.transform(SurfaceView.allocate(VideoFormat.RGBA, (8, 4)), Fail())
    assert not is_empty(pool)
