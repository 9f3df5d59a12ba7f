"""On a machine with two GPUs: what is on one of them is used on the other, and each does its own work."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import SOURCES, random_surface
from drawings import blurs, mosaic, shapes
from engine_run import DeviceSink, make_frame
from two_gpus import moved, on

import picasso as pc
from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.media import VideoReader, read_image
from picasso.surface import BufferGenerator, MemType, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement, TransformConfig
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda
SIZE_WH, TARGET_WH = (96, 64), (64, 48)


@pytest.mark.parametrize("form", SOURCES)
@pytest.mark.parametrize("there", [0, 1])
def test_a_surface_of_one_gpu_comes_to_the_other_byte_for_byte(form: VideoFormat, there: int, streams: Any) -> None:
    source = random_surface(form, SIZE_WH, 3)
    copy = moved(on(streams[there], source), streams[1 - there])
    assert (copy.gpu_id, copy.format, copy.color) == (1 - there, source.format, source.color)
    np.testing.assert_array_equal(copy.to_numpy(), source.to_numpy())


def test_a_surface_that_is_there_already_is_not_copied(streams: Any) -> None:
    source = on(streams[1], random_surface(VideoFormat.RGBA, SIZE_WH, 3))
    assert moved(source, streams[1]) is source


def test_memory_of_the_producer_is_read_before_it_is_written_again(streams: Any) -> None:
    """The pool's memory goes round: a copy that comes too late, or too early, has the bytes of another picture."""
    from picasso.surface.cuda_memory import Uploader

    up, bring = Uploader(streams[1]), Uploader(streams[0])
    pictures = [random_surface(VideoFormat.NV12, (1920, 1080), seed) for seed in range(4)]
    copies = [bring.bring(up.upload(pictures[number % 4])) for number in range(80)]
    for number, copy in enumerate(copies):
        np.testing.assert_array_equal(copy.to_numpy(), pictures[number % 4].to_numpy())


def test_a_padded_array_of_another_library_comes_with_its_rows(streams: Any) -> None:
    torch = pytest.importorskip("torch")
    pixels = torch.arange(64 * 128 * 4, dtype=torch.int32, device="cuda:1").to(torch.uint8).reshape(64, 128, 4)
    torch.cuda.synchronize(1)
    source = SurfaceView.wrap(pixels[:, :96])
    assert source.gpu_id == 1
    np.testing.assert_array_equal(moved(source, streams[0]).to_numpy(), pixels[:, :96].cpu().numpy())


def test_where_the_hardware_has_no_way_the_copy_goes_by_the_host(streams: Any) -> None:
    """Peer access is taken away while it runs, and not asked for again."""
    from picasso_kernels.cuda.driver import driver

    there, here = streams[1].device, streams[0].device
    source = random_surface(VideoFormat.NV12, (1920, 1080), 3)
    moved(on(streams[1], source), streams[0])  # opens the way, if there is one
    access = driver.CUmemAccessDesc()
    access.location.type = driver.CUmemLocationType.CU_MEM_LOCATION_TYPE_DEVICE
    access.location.id = here.index
    try:
        with here.current():
            driver.cuCtxDisablePeerAccess(there.context)
            access.flags = driver.CUmemAccess_flags.CU_MEM_ACCESS_FLAGS_PROT_NONE
            driver.cuMemPoolSetAccess(there.pool, [access], 1)
        here._reached[there.index] = False
        for _ in range(3):
            np.testing.assert_array_equal(moved(on(streams[1], source), streams[0]).to_numpy(), source.to_numpy())
    finally:
        here._reached.clear()
    np.testing.assert_array_equal(moved(on(streams[1], source), streams[0]).to_numpy(), source.to_numpy())


@pytest.mark.parametrize("there", [0, 1])
def test_a_producers_default_stream_waits_until_the_other_gpu_has_read(there: int, streams: Any) -> None:
    """The reader is late: who writes to the same memory on the default stream would be first."""
    cupy = pytest.importorskip("cupy")
    from picasso.surface.cuda_memory import Uploader, allocate_on_device
    from picasso.transform.cuda import CudaTransformer

    gpu = CudaTransformer(1 - there, streams[1 - there])
    large = [allocate_on_device(VideoFormat.RGBA, (8192, 8192), gpu.stream) for _ in range(2)]
    with cupy.cuda.Device(there):
        pixels = cupy.full((1080, 1920, 4), 200, np.uint8)
        source = SurfaceView.wrap(pixels)
        assert source.cuda_stream == 1
        for _ in range(30):
            gpu.transform(large[0], Placement.identity((8192, 8192)), large[1])
        uploader = Uploader(gpu.stream)
        copy = uploader.bring(source)
        pixels.fill(7)
        assert (copy.to_numpy() == 200).all()
        assert (source.to_numpy() == 7).all()


@pytest.mark.parametrize("theirs", [0, 1])
def test_the_device_of_another_library_stays_current(theirs: int, streams: Any) -> None:
    torch = pytest.importorskip("torch")
    from picasso.transform.cuda import CudaTransformer

    source = random_surface(VideoFormat.RGBA, SIZE_WH, 3)
    seen: list[int] = []

    def work() -> None:
        torch.cuda.set_device(theirs)
        for ours in (0, 1):
            gpu = CudaTransformer(ours)
            there = on(gpu.stream, source)
            tensor = gpu.to_tensor([there], Placement.identity(SIZE_WH))
            lent = torch.from_dlpack(tensor)
            moved(there, streams[1 - ours]).to_numpy()
            del lent, tensor
            gpu.close()
            seen.extend([torch.cuda.current_device(), torch.zeros(1, device="cuda").device.index])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [theirs] * 4


@pytest.mark.parametrize("first", [0, 1])
def test_pictures_of_both_gpus_and_of_the_host_are_one_tensor(first: int, streams: Any) -> None:
    pictures = [random_surface(VideoFormat.RGBA, SIZE_WH, seed) for seed in range(6)]
    expected, places = pc.to_tensor(pictures, (40, 40), dtype="float32", pad=114)
    mixed = [
        [on(streams[first], picture), on(streams[1 - first], picture), picture][number % 3]
        for number, picture in enumerate(pictures)
    ]
    made, placements = pc.to_tensor(mixed, (40, 40), dtype="float32", pad=114)
    assert (made.gpu_id, placements) == (first, places)
    np.testing.assert_array_equal(made.to_numpy(), expected)
    on_host, _ = pc.to_tensor([mixed[2], *mixed], (40, 40), dtype="float32", pad=114)
    np.testing.assert_array_equal(on_host[1:], expected)


@pytest.mark.parametrize("there", [0, 1])
def test_a_painter_paints_on_its_gpu(there: int, streams: Any) -> None:
    from picasso.draw.cpu import CpuPainter
    from picasso.draw.cuda import CudaPainter

    for form in (VideoFormat.RGBA, VideoFormat.NV12):
        picture = random_surface(form, (24, 20), 5)
        for drawing in (shapes(), blurs()[0], mosaic(5)[0]):
            surface = on(streams[there], picture)
            with streams[1 - there].device.current():  # as after work of another library
                CudaPainter(streams[there]).paint(surface, drawing)
            expected = SurfaceView.allocate(form, (24, 20))
            for plane, given in zip(expected.planes, picture.planes, strict=True):
                plane[...] = given
            CpuPainter().paint(expected, drawing)
            np.testing.assert_array_equal(surface.to_numpy(), expected.to_numpy())


@pytest.mark.parametrize("there", [0, 1])
def test_files_are_decoded_on_the_gpu_that_is_named(there: int, streams: Any, tmp_path: Path) -> None:
    pytest.importorskip("PyNvVideoCodec")
    from test_hardware_codecs import write_clip

    path = write_clip(tmp_path / "clip.mp4", "libx264")
    for rgba in (False, True):
        asked: dict[str, Any] = {"pixel_format": "rgba"} if rgba else {}
        with VideoReader(path) as host, VideoReader(path, device=f"cuda:{there}", **asked) as gpu:
            assert gpu.device == f"cuda:{there}"
            for (_, surface), (_, picture) in zip(gpu.frames(), host.frames(), strict=True):
                assert (surface.is_cuda, surface.gpu_id) == (True, there)
                if rgba:
                    made = SurfaceView.allocate(VideoFormat.RGBA, picture.size_wh)
                    transform(picture, Placement.identity(picture.size_wh), made)
                    np.testing.assert_array_equal(surface.to_numpy(), made.to_numpy())
                else:
                    np.testing.assert_array_equal(surface.to_numpy()[:240], picture.planes[0])


@pytest.mark.parametrize("there", [0, 1])
@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_stills_are_decoded_on_the_gpu_that_is_named(kind: str, there: int, streams: Any, tmp_path: Path) -> None:
    """JPEG by nvJPEG where that is installed."""
    across, down = np.meshgrid(np.linspace(0, 250, 64), np.linspace(0, 250, 48))
    pixels = np.stack([across, down, (across + down) / 2], axis=2).astype(np.uint8)
    SurfaceView.wrap(pixels).save(tmp_path / f"still.{kind}")
    with streams[1 - there].device.current():
        surface = read_image(tmp_path / f"still.{kind}", device=f"cuda:{there}")
    assert (surface.is_cuda, surface.gpu_id) == (True, there)
    expected = read_image(tmp_path / f"still.{kind}").to_numpy().astype(int)
    assert np.abs(surface.to_numpy().astype(int) - expected).mean() < 1.5


@pytest.mark.parametrize("there", [0, 1])
def test_a_transform_across_gpus_gives_the_bytes_of_the_host(there: int, streams: Any) -> None:
    source = random_surface(VideoFormat.RGBA, SIZE_WH, 5)
    expected = SurfaceView.allocate(VideoFormat.NV12, TARGET_WH)
    transform(source, Placement.compute(SIZE_WH, TARGET_WH), expected, Interpolation.BILINEAR)
    pool = BufferGenerator("NV12", *TARGET_WH, gpu_id=1 - there, mem_type=MemType.CUDA_DEVICE)
    target = pool.transform(on(streams[there], source), TransformConfig()).view_slot()
    assert target.gpu_id == 1 - there
    np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


def test_sources_on_both_gpus_work_in_one_engine_and_take_pictures_of_either(streams: Any) -> None:
    """Four sources: each GPU works for two, one of which gets the pictures of the other GPU."""
    frames = 60
    source = random_surface(VideoFormat.RGBA, SIZE_WH, 7)
    expected = SurfaceView.allocate(VideoFormat.NV12, TARGET_WH)
    transform(source, Placement.compute(SIZE_WH, TARGET_WH), expected, Interpolation.BILINEAR)
    seen: dict[int, list[np.ndarray[Any, Any]]] = {0: [], 1: []}
    errors: list[Any] = []
    counted, done = [0], threading.Event()

    class Sink(DeviceSink):
        def encode(self, surface: SurfaceView, *args: Any, **options: Any) -> Any:
            seen[surface.gpu_id].append(surface.to_numpy())
            return super().encode(surface, *args, **options)

    def on_encoded(_output: Any) -> None:
        counted[0] += 1
        if counted[0] == 4 * frames:
            done.set()

    def on_error(*details: Any) -> None:
        errors.append(details)
        done.set()

    with PicassoEngine(
        GeneralSpec(), Callbacks(on_encoded_frame=on_encoded, on_error=on_error), encoder_factory=Sink
    ) as engine:
        ways = [(f"from-{made}-on-{works}", made, works) for made in (0, 1) for works in (0, 1)]
        for name, _, works in ways:
            config = EncoderConfig(Codec.H264, *TARGET_WH).mem_type(MemType.CUDA_DEVICE).gpu_id(works)
            engine.set_source_spec(name, SourceSpec(CodecSpec.encode(TransformConfig(), config)))
        for number in range(frames):
            for name, made, _ in ways:
                engine.send_frame(name, make_frame(name, number * 40_000_000, 0, SIZE_WH), on(streams[made], source))
        assert done.wait(60)
    assert errors == []
    assert {gpu_id: len(pictures) for gpu_id, pictures in seen.items()} == {0: 2 * frames, 1: 2 * frames}
    for picture in (*seen[0], *seen[1]):
        np.testing.assert_array_equal(picture, expected.to_numpy())
