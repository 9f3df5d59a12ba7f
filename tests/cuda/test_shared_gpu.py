"""On a real GPU, beside other libraries: streams of theirs, memory that they take back, the device that is theirs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import random_surface
from drawings import shapes

import picasso as pc
from picasso.draw import Painter
from picasso.draw.cpu import CpuPainter
from picasso.errors import DeviceError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement

pytestmark = pytest.mark.cuda
SIZE_WH = (1920, 1080)
WHOLE = Placement.identity(SIZE_WH)


@pytest.fixture
def gpu() -> Any:
    """Give a transformer, closed at the end."""
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer()
    yield transformer
    transformer.close()


def busy(gpu: Any) -> None:
    """Give a transformer's stream some milliseconds of work, so that what follows there is late."""
    from picasso.surface.cuda_memory import allocate_on_device

    large = [allocate_on_device(VideoFormat.RGBA, (8192, 8192), gpu.stream) for _ in range(2)]
    for _ in range(30):
        gpu.transform(large[0], Placement.identity((8192, 8192)), large[1])


def empty(gpu: Any) -> SurfaceView:
    from picasso.surface.cuda_memory import allocate_on_device

    return allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream)


def test_pixels_of_a_threads_default_stream_are_waited_for_on_another_thread(gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    targets = []
    with cupy.cuda.Stream.ptds:
        work = cupy.ones((4096, 4096), np.float32)
        pixels = cupy.zeros((1080, 1920, 4), np.uint8)
        for _ in range(40):
            work = work @ work * np.float32(1e-4)
        pixels.fill(200)
        view = SurfaceView.wrap(pixels)
        assert view.cuda_stream == 1

        def transform() -> None:
            busy(gpu)
            targets.append(empty(gpu))
            gpu.transform(view, WHOLE, targets[0])

        thread = threading.Thread(target=transform)
        thread.start()
        thread.join()
        pixels.fill(7)  # after they have been read
        cupy.cuda.Stream.ptds.synchronize()
    assert (targets[0].to_numpy() == 200).all()
    assert (view.to_numpy() == 7).all()


@pytest.mark.parametrize("own_stream", [False, True], ids=["default stream", "own stream"])
def test_a_tensor_that_torch_is_still_making_is_waited_for_and_written_to_again_after(
    own_stream: bool, gpu: Any
) -> None:
    torch = pytest.importorskip("torch")
    with torch.cuda.stream(torch.cuda.Stream() if own_stream else torch.cuda.default_stream()):
        work = torch.ones((4096, 4096), device="cuda")
        pixels = torch.zeros((1080, 1920, 4), dtype=torch.uint8, device="cuda")
        for _ in range(40):
            work = work @ work * 1e-4
        pixels.fill_(200)
        view, target = SurfaceView.wrap(pixels), empty(gpu)
        busy(gpu)
        gpu.transform(view, WHOLE, target)
        if not own_stream:
            pixels.fill_(7)
        torch.cuda.synchronize()
    assert (target.to_numpy() == 200).all()


def test_memory_of_a_source_is_not_taken_back_before_it_is_read(gpu: Any) -> None:
    """The transformer is dropped while its stream is busy; torch gives the next tensor the memory of the last one."""
    torch = pytest.importorskip("torch")
    from picasso.transform.cuda import CudaTransformer

    other = CudaTransformer(0, gpu.stream)
    pixels = torch.full((1080, 1920, 4), 200, dtype=torch.uint8, device="cuda")
    torch.cuda.synchronize()
    address, target = pixels.data_ptr(), empty(gpu)
    busy(gpu)
    other.transform(SurfaceView.wrap(pixels), WHOLE, target)
    del other, pixels
    again = torch.zeros((1080, 1920, 4), dtype=torch.uint8, device="cuda")
    assert again.data_ptr() == address
    assert (target.to_numpy() == 200).all()


def test_what_was_uploaded_is_what_the_next_kernel_reads(gpu: Any) -> None:
    surface, target = empty(gpu), empty(gpu)
    for number in range(20):
        surface.upload(np.full((1080, 1920, 4), number, np.uint8))
        gpu.transform(surface, WHOLE, target)
        assert (target.to_numpy() == number).all()


def test_a_picture_that_does_not_fit_is_refused_and_the_next_one_made(gpu: Any) -> None:
    from picasso.surface.cuda_memory import DeviceBlock

    with pytest.raises(DeviceError, match=r"GPU 0 gives no memory: \d+ bytes were asked for, \d+ of \d+ are free"):
        DeviceBlock(1 << 46, gpu.stream)
    source = random_surface(VideoFormat.RGBA, (64, 48), 3)
    from picasso.surface.cuda_memory import Uploader

    np.testing.assert_array_equal(Uploader(gpu.stream).upload(source).to_numpy(), source.to_numpy())


def test_a_pool_gives_back_what_no_one_uses(gpu: Any) -> None:
    from picasso.surface.cuda_memory import DeviceBlock
    from picasso_kernels.cuda.driver import pool_bytes

    block = DeviceBlock(1 << 28, gpu.stream)
    del block
    assert pool_bytes(gpu.device) >= 1 << 28
    before = pool_bytes(gpu.device)
    gpu.device.trim()
    assert pool_bytes(gpu.device) <= before - (1 << 28)


def test_what_is_painted_on_a_tensor_is_there_at_once(gpu: Any) -> None:
    torch = pytest.importorskip("torch")
    drawing = shapes()
    picture = random_surface(VideoFormat.RGBA, (24, 20), 5)
    for _ in range(20):
        pixels = torch.from_numpy(picture.to_numpy()).cuda()
        Painter().paint_list(SurfaceView.wrap(pixels), drawing)
        expected = SurfaceView.wrap(picture.to_numpy())
        CpuPainter().paint(expected, drawing)
        np.testing.assert_array_equal(pixels.cpu().numpy(), expected.to_numpy())


def test_a_program_may_write_to_one_array_for_all_pictures_of_a_video(tmp_path: Path) -> None:
    cupy = pytest.importorskip("cupy")
    pixels = cupy.zeros((240, 320, 4), np.uint8)

    def pictures() -> Iterator[Any]:
        for number in range(30):
            pixels.fill(8 * number)
            yield pixels

    assert pc.write_video(tmp_path / "a.mp4", pictures(), codec="h264", crf=10) == 30
    with pc.VideoReader(tmp_path / "a.mp4") as reader:
        levels = [float(surface.to_rgb().mean()) for _, surface in reader.frames()]
    np.testing.assert_allclose(levels, [8 * number for number in range(30)], atol=3)


@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.GRAY8], ids=lambda form: form.name())
def test_parts_of_foreign_arrays_are_read_wherever_they_begin(form: VideoFormat, gpu: Any) -> None:
    """Odd addresses, rows left out, rows far apart."""
    torch = pytest.importorskip("torch")
    channels = form.channels
    whole = torch.randint(0, 256, (300, 3001 * channels), dtype=torch.uint8, device="cuda")
    torch.cuda.synchronize()
    for left, step in ((0, 1), (1, 1), (3, 2), (7, 3)):
        part = whole[step::step, left : left + 65 * channels]
        pixels = part.as_strided((90, 65, channels), (part.stride(0), channels, 1), part.storage_offset())
        source = SurfaceView.wrap(pixels if channels > 1 else pixels[..., 0])
        target = SurfaceView.allocate(VideoFormat.RGBA, (31, 40))
        expected = SurfaceView.allocate(VideoFormat.RGBA, (31, 40))
        from picasso.surface.cuda_memory import Uploader
        from picasso.transform.cpu import transform

        placement = Placement.compute((65, 90), (31, 40))
        there = Uploader(gpu.stream).upload(target)
        gpu.transform(source, placement, there)
        transform(SurfaceView.wrap(source.to_numpy()), placement, expected)
        np.testing.assert_array_equal(there.to_numpy(), expected.to_numpy())


def test_an_array_in_descending_order_is_refused(gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    pixels = cupy.zeros((48, 64, 4), np.uint8)
    for turned in (pixels[::-1], pixels[:, ::-1], pixels[..., ::-1]):
        with pytest.raises(SurfaceError, match=r"pitch -256 is less than a row|only rows may be padded"):
            SurfaceView.wrap(turned)


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 700), (16384, 2), (8192, 8192), (16384, 16384)], ids=str)
def test_pictures_of_every_size_are_those_of_the_host(size_wh: tuple[int, int], gpu: Any) -> None:
    """Up to a gigabyte a picture; compared where they are sampled, and at the last pixel."""
    torch = pytest.importorskip("torch")
    width, height = size_wh
    if torch.cuda.mem_get_info()[0] < 16 * width * height:
        pytest.skip("the GPU has no room for it")
    rows = torch.arange(height, device="cuda").to(torch.uint8)[:, None]
    columns = torch.arange(width, device="cuda").to(torch.uint8)[None, :]
    pixels = torch.empty((height, width, 4), dtype=torch.uint8, device="cuda")
    for channel, value in enumerate((rows * 3 + columns, rows ^ columns, rows, columns)):
        pixels[..., channel] = value
    source = SurfaceView.wrap(pixels)
    torch.cuda.synchronize()
    from picasso.surface.cuda_memory import allocate_on_device

    target = allocate_on_device(VideoFormat.RGBA, size_wh, gpu.stream)
    gpu.transform(source, Placement.identity(size_wh), target)
    gpu.wait()
    assert bool((torch.from_dlpack(target) == torch.from_dlpack(source)).all())


def test_errors_of_one_frame_are_not_those_of_the_next(gpu: Any) -> None:
    source = random_surface(VideoFormat.RGBA, (64, 48), 3)
    from picasso.surface.cuda_memory import Uploader

    there = Uploader(gpu.stream).upload(source)
    far = SurfaceView.wrap(source.to_numpy())
    from picasso.transform.cuda import Job

    small = Placement.identity((64, 48))
    target = Uploader(gpu.stream).upload(far)
    for _ in range(3):
        with pytest.raises(SurfaceError, match="in host memory"):
            gpu.transform_batch([Job(there, small, target), Job(far, small, target)])
        gpu.transform(there, small, target)
        np.testing.assert_array_equal(target.to_numpy(), source.to_numpy())
