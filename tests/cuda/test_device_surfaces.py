"""On a real GPU: arrays of other libraries in and out, pools of device memory, tensors, JPEG, host beside GPU."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import simplejpeg
from cases import CASES, FILTERS, SOURCES, random_surface

from picasso.encode import Codec, EncoderConfig, EncoderProperties, JpegProps, open_encoder
from picasso.errors import AcquireTimeoutError, GeometryError, ShapeError, SurfaceError
from picasso.surface import BufferGenerator, DevicePlane, MemType, SurfaceView, VideoFormat
from picasso.transform import Normalization, Placement, TransformConfig
from picasso.transform.cpu import transform
from picasso.transform.tensor import to_tensor

pytestmark = pytest.mark.cuda
NORMAL = Normalization((1 / 58.4, 0.0171, 1 / 57.1), (-2.12, -2.04, -1.8))


@pytest.fixture(scope="module")
def torch(gpu: Any) -> Any:
    return pytest.importorskip("torch")


def on_device(surface: SurfaceView, gpu: Any) -> SurfaceView:
    from picasso.surface.cuda_memory import Uploader

    return Uploader(gpu.stream).upload(surface)


# Arrays of other libraries


@pytest.mark.parametrize("library", ["torch", "cupy", "jax"])
def test_a_surface_of_ours_is_lent_by_dlpack(library: str, gpu: Any) -> None:
    module = pytest.importorskip(f"{library}.dlpack" if library == "jax" else library)
    source = random_surface(VideoFormat.RGBA, (64, 48), 3)
    for _ in range(20):  # the pool's memory goes round: what comes back too early is written over
        lent = module.from_dlpack(on_device(source, gpu))
        host = lent.cpu().numpy() if library == "torch" else lent.get() if library == "cupy" else np.asarray(lent)
        np.testing.assert_array_equal(host, source.to_numpy())
        del lent


@pytest.mark.parametrize("form", SOURCES)
def test_every_surface_is_a_cupy_array(form: VideoFormat, gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    source = random_surface(form, (64, 48), 3)
    for _ in range(20):  # the pool's memory goes round: what comes back too early is written over
        array = on_device(source, gpu).to_cupy()
        assert (type(array), array.dtype) == (cupy.ndarray, np.uint8)
        np.testing.assert_array_equal(array.get(), source.to_numpy())
    np.testing.assert_array_equal(source.to_cupy().get(), source.to_numpy())  # from the host: a copy


def test_what_is_written_to_a_cupy_array_is_written_to_the_surface(gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    surface = on_device(random_surface(VideoFormat.RGBA, (64, 48), 3), gpu)
    with cupy.cuda.Stream(non_blocking=True) as stream:
        surface.to_cupy()[...] = 7
        stream.synchronize()
    assert (surface.to_numpy() == 7).all()


def test_a_read_only_surface_is_a_cupy_array_too(gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    source = on_device(random_surface(VideoFormat.RGBA, (64, 48), 3), gpu)
    pointer, _ = source.__cuda_array_interface__["data"]

    class ReadOnly:
        __cuda_array_interface__ = source.__cuda_array_interface__ | {"data": (pointer, True)}

    np.testing.assert_array_equal(cupy.asnumpy(SurfaceView.wrap(ReadOnly()).to_cupy()), source.to_numpy())


@pytest.mark.parametrize("on_gpu", [True, False], ids=["into the GPU", "into the host"])
@pytest.mark.parametrize("library", ["cupy", "torch"])
def test_an_array_on_the_gpu_is_uploaded_into_the_corner(library: str, on_gpu: bool, gpu: Any) -> None:
    module = pytest.importorskip(library)
    background = random_surface(VideoFormat.RGBA, (64, 48), 3)
    surface = on_device(background, gpu) if on_gpu else background
    expected = background.to_numpy()
    pixels = random_surface(VideoFormat.RGBA, (20, 30), 4).to_numpy()
    array = module.from_numpy(pixels).cuda() if library == "torch" else module.asarray(pixels)
    for part in (array, array[3:17]):
        surface.upload(part)
        rows = part.shape[0]
        expected[:rows, :20] = pixels if rows == 30 else pixels[3:17]
        np.testing.assert_array_equal(surface.to_numpy(), expected)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_tensor_is_a_cupy_array(dtype: str, gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    source = random_surface(VideoFormat.RGBA, (64, 48), 3)
    tensor = gpu.to_tensor([on_device(source, gpu)], [Placement.identity((64, 48))], NORMAL, dtype=dtype)
    array = tensor.to_cupy()
    assert (type(array), array.shape, str(array.dtype)) == (cupy.ndarray, (1, 3, 48, 64), dtype)
    np.testing.assert_array_equal(array.get(), tensor.to_numpy())


def test_torch_writes_into_a_surface_of_ours(gpu: Any, torch: Any) -> None:
    surface = on_device(random_surface(VideoFormat.RGBA, (64, 48), 3), gpu)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.from_dlpack(surface).fill_(7)
    stream.synchronize()
    assert (surface.to_numpy() == 7).all()


@pytest.mark.parametrize("library", ["torch", "cupy", "jax"])
def test_an_array_without_the_cuda_interface_is_wrapped_by_dlpack(library: str, gpu: Any) -> None:
    module = pytest.importorskip(f"{library}.numpy" if library == "jax" else library)
    pixels = random_surface(VideoFormat.RGBA, (64, 48), 3).to_numpy()
    array = module.from_numpy(pixels).cuda() if library == "torch" else module.asarray(pixels)

    class OnlyDlpack:
        """Hide the other interface."""

        def __dlpack_device__(self) -> Any:
            return array.__dlpack_device__()

        def __dlpack__(self, **options: Any) -> Any:
            return array.__dlpack__(**options)

    view = SurfaceView.wrap(OnlyDlpack())
    assert (view.is_cuda, view.format, view.size_wh) == (True, VideoFormat.RGBA, (64, 48))
    np.testing.assert_array_equal(view.to_numpy(), pixels)


def test_pixels_are_ready_on_the_stream_that_is_asked_for(gpu: Any, torch: Any) -> None:
    """A long queue on the producer's stream: code that does not wait for it reads what was there before."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        pixels = torch.zeros((1080, 1920, 4), dtype=torch.uint8, device="cuda")
        busy = torch.ones((4096, 4096), device="cuda")
        for _ in range(40):
            busy = busy @ busy * 1e-4
        pixels.fill_(200)
        view = SurfaceView.from_dlpack(pixels, cuda_stream=gpu.stream.address)
    from picasso.surface.cuda_memory import allocate_on_device

    target = allocate_on_device(VideoFormat.RGBA, (1920, 1080), gpu.stream)
    gpu.transform(view, Placement.identity((1920, 1080)), target)
    assert (target.to_numpy() == 200).all()


def test_planes_and_formats_of_torch_tensors(gpu: Any, torch: Any) -> None:
    source = random_surface(VideoFormat.NV12, (64, 48), 3)
    luma, chroma = (torch.from_numpy(plane.copy()).cuda() for plane in source.planes)
    whole = torch.from_numpy(source.to_numpy()).cuda()
    for view in (
        SurfaceView.from_planes([luma, chroma], VideoFormat.NV12, (64, 48)),
        SurfaceView.wrap(whole, VideoFormat.NV12),
    ):
        np.testing.assert_array_equal(view.to_numpy(), source.to_numpy())
    rgb = torch.from_numpy(random_surface(VideoFormat.RGB, (64, 48), 3).to_numpy()).cuda()
    np.testing.assert_array_equal(SurfaceView.wrap(rgb).to_numpy(), rgb.cpu().numpy())


def test_a_host_address_that_calls_itself_a_gpus_is_refused_and_the_gpu_goes_on(gpu: Any) -> None:
    host = np.zeros((48, 64, 4), np.uint8)
    plane = DevicePlane(host.ctypes.data, host.shape, host.strides, read_only=False, stream=None, owner=host)
    liar = SurfaceView((plane,), VideoFormat.RGBA, (64, 48), None)
    fine = on_device(random_surface(VideoFormat.RGBA, (64, 48), 3), gpu)
    for source, target, what in ((liar, fine, "source"), (fine, liar, "target")):
        with pytest.raises(SurfaceError, match=f"the {what} is at 0x.*, which is not memory of GPU 0"):
            gpu.transform(source, Placement.identity((64, 48)), target)
    gpu.transform(fine, Placement.identity((64, 48)), on_device(fine_host(), gpu))
    gpu.wait()


def fine_host() -> SurfaceView:
    return random_surface(VideoFormat.RGBA, (64, 48), 4)


# Pools


@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.NV12, VideoFormat.I420], ids=lambda form: form.name())
def test_a_pool_of_device_memory(form: VideoFormat, gpu: Any) -> None:
    pool = BufferGenerator(form, 64, 48, mem_type=MemType.CUDA_DEVICE, pool_size=2)
    first, second = pool.acquire(), pool.acquire()
    with pytest.raises(AcquireTimeoutError):
        pool.acquire(timeout_s=0)
    view = SurfaceView.from_buffer(first)
    assert (view.is_cuda, view.mem_type, view.pitch % 64 == 0 or form is VideoFormat.I420) == (
        True,
        MemType.CUDA_DEVICE,
        True,
    )
    assert view.cuda_stream == second.view_slot().cuda_stream != 0
    assert first.strong_count == 2
    address = view.data_ptr
    del first
    with pytest.raises(AcquireTimeoutError):
        pool.acquire(timeout_s=0)  # the view holds it
    del view
    assert pool.acquire(timeout_s=0).view_slot().data_ptr == address


def test_a_slot_stays_in_use_until_the_gpu_has_read_it(gpu: Any) -> None:
    """Buffers go round faster than the GPU works; each transform sees the pixels that were put in for it."""
    from picasso.surface.cuda_memory import Uploader, allocate_on_device
    from picasso_kernels.cuda.driver import Stream

    stream = Stream(gpu.device)
    uploader = Uploader(stream)
    pool = BufferGenerator("RGBA", 640, 480, mem_type=MemType.CUDA_DEVICE, pool_size=3)
    targets = []
    for number in range(30):
        picture = SurfaceView.allocate(VideoFormat.RGBA, (640, 480))
        picture.memset(number)
        buffer = pool.transform(uploader.upload(picture), TransformConfig())
        target = allocate_on_device(VideoFormat.RGBA, (640, 480), gpu.stream)
        gpu.transform(buffer.take(), Placement.identity((640, 480)), target)
        targets.append(target)
        if number % 3 == 2:
            gpu.wait()
    for number, target in enumerate(targets):
        assert (target.to_numpy() == number).all()


def test_a_pool_of_pinned_memory_is_in_host_memory(gpu: Any) -> None:
    pool = BufferGenerator("NV12", 64, 48, mem_type=MemType.CUDA_PINNED)
    source = random_surface(VideoFormat.NV12, (64, 48), 3)
    view = pool.transform(source, TransformConfig()).view_slot()
    assert not view.is_cuda
    np.testing.assert_array_equal(view.to_numpy(), source.to_numpy())


# One rule between host and GPU


@pytest.mark.parametrize(("source_there", "target_there"), list(product([False, True], repeat=2)))
def test_the_side_of_the_target_works(source_there: bool, target_there: bool, gpu: Any) -> None:
    host = random_surface(VideoFormat.RGBA, (64, 48), 3)
    expected = SurfaceView.allocate(VideoFormat.NV12, (32, 32))
    TransformConfig().apply(host, expected)
    target = SurfaceView.allocate(VideoFormat.NV12, (32, 32))
    if target_there:
        target = on_device(target, gpu)
    TransformConfig().apply(on_device(host, gpu) if source_there else host, target)
    np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


# Tensors


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_tensors_have_the_numbers_of_the_cpu(dtype: str, order: str, gpu: Any) -> None:
    """Of all sources, filters and bars at once, to the last bit."""
    normalization = Normalization(NORMAL.scale, NORMAL.bias, order)
    for name in FILTERS:
        sources = [random_surface(form, CASES[1].placement.source_wh, seed) for seed, form in enumerate(SOURCES)]
        placement = CASES[1].placement
        expected = to_tensor(sources, placement, normalization, dtype=dtype, pad=(114, 7, 200), interpolation=name)
        there = [on_device(source, gpu) for source in sources]
        made = gpu.to_tensor(there, placement, normalization, dtype=dtype, pad=(114, 7, 200), interpolation=name)
        assert (made.shape, made.dtype) == (expected.shape, dtype)
        np.testing.assert_array_equal(made.to_numpy(), expected)


def test_a_batch_of_32_is_a_torch_tensor(gpu: Any, torch: Any) -> None:
    sources = [random_surface(VideoFormat.RGBA, (192, 108), seed) for seed in range(32)]
    placement = Placement.compute((192, 108), (64, 64))
    there = [on_device(source, gpu) for source in sources]
    expected = to_tensor(sources, placement, NORMAL, dtype="float16")
    made = torch.from_dlpack(gpu.to_tensor(there, placement, NORMAL))
    assert (tuple(made.shape), made.dtype, made.device.index) == ((32, 3, 64, 64), torch.float16, 0)
    np.testing.assert_array_equal(made.cpu().numpy(), expected)
    by_interface = torch.as_tensor(gpu.to_tensor(there, placement, NORMAL), device="cuda")
    np.testing.assert_array_equal(by_interface.cpu().numpy(), made.cpu().numpy())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_tensor_is_written_into_torchs_own(dtype: str, gpu: Any, torch: Any) -> None:
    """One whose rows are odd, and lie apart."""
    source = random_surface(VideoFormat.NV12, (64, 48), 3)
    placement = Placement.compute((64, 48), (31, 33))
    expected = to_tensor([source], placement, NORMAL, dtype=dtype)
    whole = torch.zeros((1, 3, 33, 41), dtype=getattr(torch, dtype), device="cuda")
    torch.cuda.synchronize()
    gpu.to_tensor([on_device(source, gpu)], placement, NORMAL, out=whole[..., 3:34])
    gpu.wait()
    np.testing.assert_array_equal(whole[..., 3:34].cpu().numpy(), expected)
    assert not whole[..., :3].any()
    assert not whole[..., 34:].any()


def test_what_makes_no_tensor_on_a_gpu(gpu: Any, torch: Any) -> None:
    host = random_surface(VideoFormat.RGBA, (64, 48), 3)
    there, placement = on_device(host, gpu), Placement.compute((64, 48), (32, 32))
    for arguments, error, message in (
        (([], placement), ShapeError, "expected a placement for each source"),
        (([host], placement), SurfaceError, "the source is in host memory, the transform works on GPU 0"),
        (([there], Placement.identity((8, 8))), GeometryError, "the source is 64x48, the placement says 8x8"),
    ):
        with pytest.raises(error, match=message):
            gpu.to_tensor(*arguments)
    with pytest.raises(SurfaceError, match=r"expected out of shape \(1, 3, 32, 32\) on GPU 0, got \(1, 3, 32, 31\)"):
        gpu.to_tensor([there], placement, out=torch.zeros((3, 32, 31), device="cuda"))


def test_steady_tensors_allocate_nothing(gpu: Any) -> None:
    from picasso_kernels.cuda.driver import pool_bytes

    placement = Placement.compute((640, 480), (320, 320))
    sources = [on_device(random_surface(VideoFormat.RGBA, (640, 480), 3), gpu)] * 4
    reserved = []
    for number in range(200):
        gpu.to_tensor(sources, placement)
        if number in {100, 199}:
            gpu.wait()
            reserved.append(pool_bytes(gpu.device))
    assert reserved[0] == reserved[1]


# JPEG


def jpeg(width: int, height: int, quality: int, memory: MemType) -> Any:
    props = EncoderProperties.jpeg(JpegProps(quality))
    return open_encoder(EncoderConfig(Codec.JPEG, width, height).mem_type(memory).properties(props))


def smooth(size_wh: tuple[int, int]) -> SurfaceView:
    """Return a picture that JPEG keeps well."""
    width, height = size_wh
    x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 4, height))
    waves = [127 + 120 * np.sin(x * (1 + channel) + y) for channel in range(3)]
    return SurfaceView.wrap(np.stack([*waves, np.full_like(x, 255)], -1).astype(np.uint8))


@pytest.fixture
def nvjpeg() -> Any:
    from picasso.encode.nvjpeg_library import load_nvjpeg
    from picasso.errors import MissingDependencyError

    try:
        return load_nvjpeg()
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("quality", [30, 85, 100])
@pytest.mark.parametrize("size_wh", [(640, 360), (162, 98)])
@pytest.mark.parametrize("there", [True, False], ids=["device", "host"])
def test_nvjpeg_makes_the_picture_of_the_cpu(
    size_wh: tuple[int, int], quality: int, there: bool, nvjpeg: Any, gpu: Any
) -> None:
    on_gpu, on_cpu = (jpeg(*size_wh, quality, memory) for memory in (MemType.CUDA_DEVICE, MemType.SYSTEM))
    assert (on_gpu.name, on_cpu.name) == ("nvjpeg", "libjpeg-turbo")
    surface = SurfaceView.allocate(on_cpu.input_format, size_wh, on_cpu.color)
    transform(smooth(size_wh), Placement.identity(size_wh), surface)
    given = on_device(surface, gpu) if there else surface
    (made,), (expected,) = on_gpu.encode(given, 0, None), on_cpu.encode(surface, 0, None)
    pictures = [simplejpeg.decode_jpeg(unit.data, "RGB").astype(int) for unit in (made, expected)]
    assert pictures[0].shape == (size_wh[1], size_wh[0], 3)
    assert np.abs(pictures[0] - pictures[1]).mean() < 1
    assert 0.8 < len(made.data) / len(expected.data) < 1.25
    for encoder in (on_gpu, on_cpu):
        encoder.close()


def test_the_engine_makes_jpeg_of_device_frames(nvjpeg: Any, gpu: Any, caplog: pytest.LogCaptureFixture) -> None:
    import threading

    from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
    from picasso.primitives import VideoFrame

    outputs, errors, done = [], [], threading.Event()

    def on_encoded(output: Any) -> None:
        if output.is_eos:
            done.set()
        else:
            outputs.append(output.as_video_frame().content.get_data())

    callbacks = Callbacks(on_encoded_frame=on_encoded, on_error=lambda *details: errors.append(details))
    spec = SourceSpec(CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.JPEG, 320, 180)))
    with caplog.at_level(logging.WARNING), PicassoEngine(GeneralSpec(), callbacks) as engine:
        engine.set_source_spec("camera", spec)
        for number in range(10):
            picture = SurfaceView.allocate(VideoFormat.RGBA, (640, 360))
            picture.memset(20 * number)
            frame = VideoFrame("camera", "30/1", 640, 360, time_base=(1, 10**9), pts=number * 33_000_000)
            engine.send_frame("camera", frame, on_device(picture, gpu))
        engine.send_eos("camera")
        assert done.wait(60)
    assert not errors
    assert "encoded on the CPU" not in caplog.text
    assert len(outputs) == 10
    for number, data in enumerate(outputs):
        decoded = simplejpeg.decode_jpeg(data, "RGB")
        assert decoded.shape == (180, 320, 3)
        assert abs(float(decoded.mean()) - 20 * number) < 2


def test_tensors_of_batches_that_look_alike_have_their_own_pictures(gpu: Any) -> None:
    placement = CASES[1].placement
    for seed in range(8):
        forms = [SOURCES[number % len(SOURCES)] for number in range(2 + seed % 3)]
        sources = [random_surface(form, placement.source_wh, 50 * seed + number) for number, form in enumerate(forms)]
        dtype, normalization = ("float16", NORMAL) if seed % 2 else ("float32", Normalization(order="bgr"))
        made = gpu.to_tensor([on_device(source, gpu) for source in sources], placement, normalization, dtype=dtype)
        expected = to_tensor(sources, placement, normalization, dtype=dtype)
        np.testing.assert_allclose(made.to_numpy(), expected, rtol=1e-6 if dtype == "float32" else 0)


def test_pictures_of_one_tensor_are_placed_each_on_its_own(gpu: Any) -> None:
    sources = [random_surface(VideoFormat.NV12, case.placement.source_wh, seed) for seed, case in enumerate(CASES)]
    target_wh = tuple(max(sides) for sides in zip(*(case.placement.target_wh for case in CASES), strict=True))
    places = [replace(case.placement, target_wh=target_wh) for case in CASES]
    expected = to_tensor(sources, places, NORMAL, dtype="float32")
    made = gpu.to_tensor([on_device(source, gpu) for source in sources], places, NORMAL, dtype="float32")
    np.testing.assert_array_equal(made.to_numpy(), expected)
