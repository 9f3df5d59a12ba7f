"""On a machine with two GPUs: what is on one of them is used on the other, and each does its own work."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from cases import SOURCES, random_surface
from engine_run import DeviceSink, make_frame

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.surface import BufferGenerator, MemType, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement, TransformConfig
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda
SIZE_WH, TARGET_WH = (96, 64), (64, 48)


@pytest.fixture(scope="module")
def streams() -> Any:
    """Give a stream of each of two GPUs."""
    from picasso.errors import DeviceError
    from picasso.surface.cuda_memory import open_device
    from picasso_kernels.cuda.driver import Stream

    try:
        return Stream(open_device(0)), Stream(open_device(1))
    except DeviceError as error:
        pytest.skip(f"needs two GPUs: {error}")


def on(stream: Any, surface: SurfaceView) -> SurfaceView:
    """Upload, as a source does whose pixels are made there."""
    from picasso.surface.cuda_memory import Uploader

    return Uploader(stream).upload(surface)


def moved(source: SurfaceView, stream: Any) -> SurfaceView:
    from picasso.surface.cuda_memory import Uploader

    return Uploader(stream).bring(source)


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
