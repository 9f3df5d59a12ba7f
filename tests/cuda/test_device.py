"""On a real GPU: every bit is that of the CPU, streams are kept apart, steady state allocates nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from cases import CASES, FILTERS, SOURCES, TARGETS, Case, random_surface
from drawings import annotated, blurs, mosaic, shapes
from engine_run import drawing, make_frame, run_engine

from picasso.draw.cpu import CpuPainter
from picasso.errors import ConsumedError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import transform

pytestmark = pytest.mark.cuda
COMMON = [
    case
    for case in product(SOURCES, CASES, FILTERS)
    if case[1] is CASES[1] or case[0] in {SOURCES[0], SOURCES[3], SOURCES[6], SOURCES[8]}
]


def on_device(surface: SurfaceView, gpu: Any) -> SurfaceView:
    """Copy a host surface to the GPU."""
    from picasso.surface.cuda_memory import Uploader

    return Uploader(gpu.stream).upload(surface)


def device_target(like: SurfaceView, gpu: Any) -> SurfaceView:
    """Return a poisoned surface on the GPU."""
    from picasso.surface.cuda_memory import allocate_on_device

    target = allocate_on_device(like.format, like.size_wh, gpu.stream, like.color)
    target.memset(0xA5)
    return target


@pytest.mark.parametrize(
    ("form", "case", "name"),
    COMMON,
    ids=lambda value: (
        getattr(value, "name", str)() if callable(getattr(value, "name", None)) else str(getattr(value, "name", value))
    ),
)
def test_a_transform_has_the_bits_of_the_cpu(form: VideoFormat, case: Case, name: Interpolation, gpu: Any) -> None:
    source = random_surface(form, case.placement.source_wh, 3)
    there = on_device(source, gpu)
    for target_format in TARGETS:
        expected = random_surface(target_format, case.placement.target_wh, 7)
        transform(source, case.placement, expected, name)
        target = device_target(expected, gpu)
        gpu.transform(there, case.placement, target, name)
        np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


def test_a_batch_of_frames_that_have_nothing_in_common_has_the_bits_of_the_cpu(gpu: Any) -> None:
    from picasso.transform.cuda import Job

    jobs, expectations = [], []
    for seed, (form, case, target_format) in enumerate(product(SOURCES, CASES, TARGETS)):
        source, expected = (
            random_surface(form, case.placement.source_wh, seed),
            random_surface(target_format, case.placement.target_wh, 7),
        )
        transform(source, case.placement, expected)
        jobs.append(Job(on_device(source, gpu), case.placement, device_target(expected, gpu)))
        expectations.append(expected)
    gpu.transform_batch(jobs)
    for job, expected in zip(jobs, expectations, strict=True):
        np.testing.assert_array_equal(job.target.to_numpy(), expected.to_numpy())


@pytest.mark.parametrize("binds", [False, True])
def test_batches_that_look_alike_have_the_bits_of_their_own_pictures(binds: bool, gpu: Any) -> None:
    """Three rounds of batches that differ in length, kernels, placements and memory: each finds its own plans."""
    from picasso.transform.cuda import Job

    seed = 0
    for _ in range(3):
        for count in (1, 5, 11):
            for cases in (CASES[:1], CASES[3:6]):
                jobs, expectations, targets = [], [], []
                for number in range(count):
                    seed += 1
                    form, placement = SOURCES[(number * 3) % len(SOURCES)], cases[number % len(cases)].placement
                    source = random_surface(form, placement.source_wh, seed)
                    expected = random_surface(TARGETS[number % len(TARGETS)], placement.target_wh, seed)
                    transform(source, placement, expected)
                    targets.append(device_target(expected, gpu))
                    into = gpu.bind(targets[-1]) if binds else targets[-1]
                    jobs.append(Job(on_device(source, gpu), placement, into))
                    expectations.append(expected)
                gpu.transform_batch(jobs)
                for target, expected in zip(targets, expectations, strict=True):
                    np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


def test_a_batch_refuses_what_was_handed_over_or_is_read_only(gpu: Any) -> None:
    """Also one that looks like the batch before it, into targets that are bound."""
    from picasso.transform.cuda import Job

    case = CASES[0].placement
    source = on_device(random_surface(VideoFormat.RGBA, case.source_wh, 1), gpu)
    target = device_target(random_surface(VideoFormat.RGBA, case.target_wh, 2), gpu)
    plane = replace(target.device_plane, read_only=True)
    read_only = SurfaceView((plane,), VideoFormat.RGBA, case.target_wh, None, cuda_stream=gpu.stream.address)
    bound = gpu.bind(target)
    for into in (target, bound, bound):
        gpu.transform_batch([Job(source, case, into)])
    for refused in (read_only, gpu.bind(read_only)):
        with pytest.raises(SurfaceError, match="read-only"):
            gpu.transform_batch([Job(source, case, refused)])
        with pytest.raises(SurfaceError, match="read-only"):
            gpu.transform(source, case, refused)
    target.take()
    for gone in (target, bound):
        with pytest.raises(ConsumedError):
            gpu.transform_batch([Job(source, case, gone)])


def test_a_batch_holds_no_surface_once_it_is_done(gpu: Any) -> None:
    from picasso.transform.cuda import Job

    case = CASES[0].placement
    source = on_device(random_surface(VideoFormat.RGBA, case.source_wh, 1), gpu)
    target = device_target(random_surface(VideoFormat.NV12, case.target_wh, 2), gpu)
    memory = [surface.device_plane.owner for surface in (source, target)]
    gpu.transform_batch([Job(source, case, target)])
    gpu.wait()
    before = [sys.getrefcount(block) for block in memory]
    del source, target
    assert [sys.getrefcount(block) for block in memory] == [3, 3] < before  # the list, the loop, the call


@pytest.mark.parametrize("form", TARGETS, ids=lambda form: form.name())
def test_a_painting_is_that_of_the_cpu(form: VideoFormat, gpu: Any) -> None:
    from picasso.draw.cuda import CudaPainter

    painter = CudaPainter(gpu.stream)
    for made in (shapes(), annotated((24, 20)), blurs()[0], mosaic(5)[0]):
        picture = random_surface(form, (24, 20), 5)
        there = on_device(picture, gpu)
        CpuPainter().paint(picture, made)
        painter.paint(there, made)
        np.testing.assert_array_equal(there.to_numpy(), picture.to_numpy())


@pytest.mark.parametrize("boxes", [1, 20, 400])
@pytest.mark.parametrize("form", [VideoFormat.RGBA, VideoFormat.NV12], ids=["rgba", "nv12"])
def test_labelled_boxes_of_frames_are_those_of_the_cpu(form: VideoFormat, boxes: int, gpu: Any) -> None:
    """Their lists are made by one native call and copied as they lie, those of 400 boxes in parts."""
    from picasso.draw import Painter
    from picasso_kernels.cpu.compile import prepare
    from picasso_kernels.paint.compose import compose
    from picasso_kernels.paint.compose_frame import compose_frame

    prepare(compose, compose_frame)
    painters = [Painter(), Painter()]
    for painter in painters:
        painter.set_specs(drawing())
    for number in range(3):  # the first frames need letters and looks that are not known yet
        frame, picture = make_frame("camera", number, boxes, (1280, 720)), random_surface(form, (1280, 720), number)
        there = on_device(picture, gpu)
        for painter, surface in zip(painters, (picture, there), strict=True):
            painter.paint(surface, frame, {})
        np.testing.assert_array_equal(there.to_numpy(), picture.to_numpy())
    assert painters[1].drawing(frame, {}, (1280, 720)).address


def test_a_large_frame_with_random_placements(gpu: Any) -> None:
    generator = np.random.default_rng(11)
    source = random_surface(VideoFormat.RGBA, (1922, 1082), 1)
    there = on_device(source, gpu)
    for _ in range(20):
        left, top = (int(value) for value in generator.integers(0, 900, 2))
        width, height = (int(value) for value in generator.integers(1, 180, 2))
        inner = (*(int(v) for v in generator.integers(0, 300, 2)), *(int(v) for v in generator.integers(1, 340, 2)))
        placement = Placement((1922, 1082), (left, top, width, height), (640, 640), inner)
        expected = random_surface(VideoFormat.NV12, (640, 640), 7)
        transform(source, placement, expected)
        target = device_target(expected, gpu)
        gpu.transform(there, placement, target)
        np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


def test_a_torch_tensor_is_wrapped_without_a_copy(gpu: Any) -> None:
    torch = pytest.importorskip("torch")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        pixels = torch.randint(0, 256, (720, 1280, 4), dtype=torch.uint8, device="cuda")
    view = SurfaceView.from_cuda_array(pixels, cuda_stream=stream.cuda_stream)
    assert view.data_ptr == pixels.data_ptr()
    placement = Placement.compute((1280, 720), (640, 640))
    host = SurfaceView.wrap(pixels.cpu().numpy())
    expected = SurfaceView.allocate(VideoFormat.NV12, (640, 640))
    transform(host, placement, expected)
    target = device_target(expected, gpu)
    gpu.transform(view, placement, target)
    np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


def test_a_surface_of_ours_is_a_cupy_array(gpu: Any) -> None:
    cupy = pytest.importorskip("cupy")
    source = random_surface(VideoFormat.RGBA, (64, 48), 3)
    array = cupy.asarray(on_device(source, gpu))
    np.testing.assert_array_equal(cupy.asnumpy(array), source.to_numpy())


def test_a_source_of_another_stream_may_be_dropped_at_once(gpu: Any) -> None:
    """Its memory goes back in the order of that stream, which waits until it has been read. Two streams take turns."""
    from picasso.surface.cuda_memory import Uploader, allocate_on_device
    from picasso_kernels.cuda.driver import Stream

    producers = [Uploader(Stream(gpu.device)) for _ in range(2)]
    size_wh, whole = (1280, 720), Placement.identity((8192, 8192))
    pictures = [random_surface(VideoFormat.RGBA, size_wh, seed) for seed in range(6)]
    large = [allocate_on_device(VideoFormat.RGBA, (8192, 8192), gpu.stream) for _ in range(2)]
    made = []
    for number, picture in enumerate(pictures):
        for _ in range(20):
            gpu.transform(large[0], whole, large[1])  # keeps the stream busy
        made.append(allocate_on_device(VideoFormat.RGBA, size_wh, gpu.stream))
        gpu.transform(producers[number // 2 % 2].upload(picture), Placement.identity(size_wh), made[-1])
    for picture, copy in zip(pictures, made, strict=True):
        np.testing.assert_array_equal(copy.to_numpy(), picture.to_numpy())


def test_steady_state_allocates_nothing(gpu: Any) -> None:
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso_kernels.cuda.driver import pool_bytes

    placement = Placement.compute((1920, 1080), (1280, 720))
    source = on_device(random_surface(VideoFormat.RGBA, (1920, 1080), 3), gpu)
    reserved = []
    for round_ in range(300):
        gpu.transform(source, placement, allocate_on_device(VideoFormat.NV12, (1280, 720), gpu.stream))
        if round_ in {100, 299}:
            reserved.append(pool_bytes(gpu.device))
    gpu.wait()
    assert reserved[0] == reserved[1]


@pytest.mark.parametrize("drawn", [False, True], ids=["plain", "drawn"])
def test_the_engine_encodes_device_frames(drawn: bool) -> None:
    result = run_engine(sources=2, frames=5, boxes=3 if drawn else 0)
    assert result.frames == 10
    assert not result.errors
