"""NVENC and NVDEC as this machine has them: the real library, and the way around what the card lacks."""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cases import random_surface

from picasso.encode import Codec, EncoderConfig, factory, open_encoder
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.errors import EncoderError
from picasso.media import VideoReader
from picasso.primitives import VideoFrame
from picasso.surface import MemType, SurfaceView, VideoFormat
from picasso.surface.cuda_memory import Uploader, open_device
from picasso.transform import Placement, TransformConfig
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda
VIDEO = [Codec.H264, Codec.HEVC, Codec.AV1]
every_codec = pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.name())


@pytest.fixture(scope="module")
def library() -> Any:
    """Give the real library."""
    open_device(0)
    return pytest.importorskip("PyNvVideoCodec")


def has_session(library: Any) -> bool:
    """Whether the card opens a session, asked without ``picasso``."""
    try:
        library.CreateEncoder(640, 480, "NV12", False, codec="h264")
    except Exception:  # noqa: BLE001  # its reason is what the tests look at
        return False
    return True


def recorded() -> dict[str, str]:
    """The signatures that the double is held to."""
    home = Path(__file__).parents[1] / "encode"
    sys.path.insert(0, str(home))
    try:
        spec = importlib.util.spec_from_file_location("recorded_nvenc", home / "test_nvenc.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(home))
    return dict(module.SIGNATURES)


def test_the_double_is_held_to_what_the_docstrings_of_the_library_say(library: Any) -> None:
    for path, signature in recorded().items():
        owner, name = path.split(".")
        text = getattr(getattr(library, owner), name).__doc__.replace("_PyNvVideoCodec.", "")
        wanted = signature.replace("(self", f"(self: {owner}", 1)
        assert f"{name}{wanted}" in text, text


def test_the_flags_and_modes_of_the_double_are_those_of_the_library(library: Any) -> None:
    from picasso.testing import nvenc as double

    for name in ("NV_ENC_PIC_FLAGS", "NV_ENC_PARAMS_RC_MODE"):
        for member in getattr(double, name):
            assert getattr(getattr(library, name), member.name).value == member.value
    for name in ("NV_ENC_PIC_PARAMS", "structEncodeReconfigureParams"):
        assert not {*vars(getattr(double, name)())} - {*dir(getattr(library, name))}


@every_codec
def test_a_card_without_nvenc_says_so_and_the_cpu_encodes(
    codec: Codec, library: Any, caplog: pytest.LogCaptureFixture
) -> None:
    if has_session(library):
        pytest.skip("this card has NVENC")
    from picasso.encode.nvenc import open_nvenc

    config = EncoderConfig(codec, 640, 480).mem_type(MemType.CUDA_DEVICE)
    with pytest.raises(EncoderError, match=r"NVENC cannot open EncoderConfig.*nvEncOpenEncodeSessionEx"):
        open_nvenc(config)
    factory._say_once.forget()
    with caplog.at_level(logging.WARNING):
        encoder = open_encoder(config)
    assert encoder.name in {"libx264", "libx265", "libsvtav1"}
    assert "nvEncOpenEncodeSessionEx" in caplog.text
    encoder.close()


@every_codec
def test_a_card_with_nvenc_makes_streams_that_decode(codec: Codec, library: Any) -> None:
    if not has_session(library):
        pytest.skip("this card has no NVENC")
    encoder = open_encoder(EncoderConfig(codec, 640, 480).mem_type(MemType.CUDA_DEVICE))
    assert encoder.name.startswith("nvenc")
    surface = SurfaceView.allocate(VideoFormat.NV12, (640, 480), encoder.color)
    units = []
    for number in range(40):
        surface.memset(4 * number)
        units += encoder.encode(surface, number * 33_000_000, None, force_keyframe=number == 10)
    units += encoder.flush()
    encoder.close()
    assert [unit.pts_ns for unit in units] == [number * 33_000_000 for number in range(40)]
    assert [number for number, unit in enumerate(units) if unit.keyframe][:2] == [0, 10]
    context = av.CodecContext.create({Codec.AV1: "libdav1d"}.get(codec, codec.name()), "r")
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))] + context.decode(None)
    assert len(frames) == 40
    for number, frame in enumerate(frames):
        assert abs(float(frame.to_ndarray()[:480].mean()) - 4 * number) < 8


@pytest.mark.parametrize("memory", [MemType.CUDA_DEVICE, MemType.DEFAULT], ids=lambda memory: memory.name())
def test_the_engine_encodes_device_frames_with_what_there_is(memory: MemType) -> None:
    from picasso_kernels.cuda.driver import Stream

    stream = Stream(open_device(0))
    outputs, errors, done = [], [], threading.Event()

    def on_encoded(output: Any) -> None:
        if output.is_eos:
            done.set()
        else:
            outputs.append(output.as_video_frame())

    callbacks = Callbacks(on_encoded_frame=on_encoded, on_error=lambda *details: errors.append(details))
    config = EncoderConfig(Codec.H264, 640, 360).mem_type(memory)
    with PicassoEngine(GeneralSpec(), callbacks) as engine:
        engine.set_source_spec("camera", SourceSpec(CodecSpec.encode(TransformConfig(), config)))
        for number in range(10):
            picture = SurfaceView.allocate(VideoFormat.RGBA, (1280, 720))
            picture.memset(20 * number)
            frame = VideoFrame("camera", "30/1", 1280, 720, time_base=(1, 10**9), pts=number * 33_000_000)
            engine.send_frame("camera", frame, Uploader(stream).upload(picture))
        engine.send_eos("camera")
        assert done.wait(60)
    assert not errors
    context = av.CodecContext.create("h264", "r")
    frames = [f for frame in outputs for f in context.decode(av.Packet(frame.content.get_data()))]
    frames += context.decode(None)
    assert len(frames) == 10
    for number, decoded in enumerate(frames):
        expected = 16 + 20 * number * 219 / 255
        assert abs(float(decoded.to_ndarray()[:360].mean()) - expected) < 4


def write_clip(
    path: Path, library: str, frames: int = 40, *, full_range: bool = False, pixels: str = "yuv420p", gop: int = 250
) -> Path:
    """Write moving noise, with B-frames where the encoder makes them; NVDEC has smallest sizes, 144 for HEVC."""
    base = random_surface(VideoFormat.GRAY8, (320, 240), 3).planes[0]
    smooth = np.kron(base[::8, ::8], np.ones((8, 8), np.uint8))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(library, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 320, 240, pixels, gop
        stream.codec_context.color_range = 2 if full_range else 1
        for number in range(frames):
            block = np.full((360, 320), 128, np.uint8)
            block[:240] = np.roll(smooth, 3 * number, 1)
            block[240:] = 100 + number
            picture = av.VideoFrame.from_ndarray(block, "yuv420p").reformat(format=pixels)
            picture.color_range = 2 if full_range else 1
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("encoder", "codec"), [("libx264", "H264"), ("libx265", "HEVC"), ("libsvtav1", "AV1")], ids=["h264", "hevc", "av1"]
)
def test_nvdec_gives_the_pixels_and_times_of_the_cpu(
    encoder: str, codec: str, library: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_clip(tmp_path / "clip.mp4", encoder)
    if not library.GetDecoderCaps(0, getattr(library.cudaVideoCodec, codec))["supported"]:
        with VideoReader(path, device="cuda") as used:
            assert used.device == "cpu"
            assert len(list(used.frames())) == 40
        assert "Codec not supported on this GPU" in caplog.text
        return
    with VideoReader(path, loops=2) as host, VideoReader(path, device="cuda", loops=2) as gpu:
        assert gpu.device == "cuda"
        held = list(gpu.frames())
        expected = list(host.frames())
    assert len(held) == len(expected) == 80
    for (there, surface), (here, picture) in zip(held, expected, strict=True):
        assert surface.is_cuda
        assert (there.pts, there.duration, there.keyframe) == (here.pts, here.duration, here.keyframe)
        luma, chroma = np.split(surface.to_numpy(), [240])
        np.testing.assert_array_equal(luma, picture.planes[0])
        np.testing.assert_array_equal(chroma.reshape(120, 160, 2)[..., 0], picture.planes[1])
        np.testing.assert_array_equal(chroma.reshape(120, 160, 2)[..., 1], picture.planes[2])


def test_nvdec_lends_its_own_frames_while_they_are_held(library: Any, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", "libx264")
    with VideoReader(path) as host, VideoReader(path, device="cuda") as gpu:
        expected = [picture.planes[0] for _, picture in host.frames()]
        held: deque[tuple[int, SurfaceView]] = deque(maxlen=5)
        places = set()
        for number, (_, surface) in enumerate(gpu.frames()):
            held.append((number, surface))
            places.add(surface.data_ptr)
            for known, kept in held:
                np.testing.assert_array_equal(kept.to_numpy()[:240], expected[known])
        lent = {type(kept.device_plane.owner).__name__ for _, kept in held}
    assert lent == {"_LentFrame"}
    assert len(places) < 20  # of 40 frames: those that no one holds are used again


def test_a_lent_frame_is_written_again_only_after_its_readers(library: Any, tmp_path: Path) -> None:
    """A transformer on its own stream is kept busy, and each frame is dropped as soon as its transform is told."""
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso.transform.cuda import CudaTransformer

    path, placement = write_clip(tmp_path / "clip.mp4", "libx264"), Placement.identity((320, 240))
    gpu = CudaTransformer()
    large = [allocate_on_device(VideoFormat.RGBA, (8192, 8192), gpu.stream) for _ in range(2)]
    whole, made = Placement.identity((8192, 8192)), []
    with VideoReader(path) as host, VideoReader(path, device="cuda") as there:
        expected = [picture for _, picture in host.frames()]
        for _, surface in there.frames():
            for _ in range(20):
                gpu.transform(large[0], whole, large[1])
            made.append(allocate_on_device(VideoFormat.RGBA, (320, 240), gpu.stream))
            gpu.transform(surface, placement, made[-1])
            del surface
    for picture, rgba in zip(expected, made, strict=True):
        wanted = SurfaceView.allocate(VideoFormat.RGBA, (320, 240))
        transform(picture, placement, wanted)
        np.testing.assert_array_equal(rgba.to_numpy(), wanted.to_numpy())


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
def test_rgba_of_nvdec_has_the_bits_of_the_cpus_kernel(full_range: bool, library: Any, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", "libx264", full_range=full_range)
    with VideoReader(path, loops=2) as host, VideoReader(path, device="cuda", pixel_format="rgba", loops=2) as gpu:
        assert gpu.device == "cuda"
        held, expected = list(gpu.frames()), list(host.frames())
    assert len(held) == len(expected) == 80
    for (there, surface), (here, picture) in zip(held, expected, strict=True):
        assert (surface.is_cuda, surface.format, surface.size_wh) == (True, VideoFormat.RGBA, (320, 240))
        assert (there.pts, there.keyframe) == (here.pts, here.keyframe)
        assert picture.color is not None
        assert picture.color.full_range == full_range
        rgba = SurfaceView.allocate(VideoFormat.RGBA, (320, 240))
        transform(picture, Placement.identity((320, 240)), rgba)
        np.testing.assert_array_equal(surface.to_numpy(), rgba.to_numpy())


@pytest.mark.parametrize("form", ["native", "rgba"])
def test_readers_on_threads_do_not_disturb_each_other(form: Any, library: Any, tmp_path: Path) -> None:
    """Frames are copied at each of many keyframes, lent between them, held for a while, and dropped on their thread."""
    paths = [write_clip(tmp_path / f"{gop}.mp4", "libx264", gop=gop) for gop in (5, 7, 12, 40)]
    wrong: list[str] = []

    def read(path: Path) -> None:
        with VideoReader(path, loops=2) as host, VideoReader(path, device="cuda", pixel_format=form, loops=2) as gpu:
            held: deque[tuple[SurfaceView, SurfaceView]] = deque(maxlen=9)
            for number, ((_, picture), (_, surface)) in enumerate(zip(host.frames(), gpu.frames(), strict=True)):
                held.append((picture, surface))
                if number % 9 == 8:
                    wrong.extend(f"{path.name} {number}" for pair in held if not is_same(*pair))

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def is_same(picture: SurfaceView, surface: SurfaceView) -> bool:
    """Whether a surface on the GPU has the pixels of a picture on the host, I420, as they are or as RGBA."""
    expected = SurfaceView.allocate(surface.format, picture.size_wh, surface.color)
    transform(picture, Placement.identity(picture.size_wh), expected)
    return bool(surface.is_cuda and np.array_equal(surface.to_numpy(), expected.to_numpy()))


def test_what_nvdec_does_not_read_is_read_by_the_cpu(library: Any, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", "libx264", 5, pixels="yuv444p")
    with VideoReader(path, device="cuda", pixel_format="rgba") as used:
        assert used.device == "cpu"
        assert [surface.is_cuda for _, surface in used.frames()] == [False] * 5
