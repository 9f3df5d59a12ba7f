"""Every kernel runs once on a real GPU, alone and in a batch; ``bench/gpu/sanitize.py`` runs these under its tools."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import TARGETS, random_surface
from drawings import annotated, blurs, mosaic, shapes
from every_kernel import Served, kernel_of, served_by

from picasso.draw.cpu import CpuPainter
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Normalization
from picasso.transform.cpu import transform
from picasso.transform.tensor import to_tensor
from picasso_kernels.cuda.kernels import KERNELS

NORMAL = Normalization((1 / 58.4, 0.0171, 1 / 57.1), (-2.12, -2.04, -1.8))
PAD = (114, 7, 200)


def on_device(surface: SurfaceView, gpu: Any) -> SurfaceView:
    """Copy a host surface to the GPU, the bytes between its rows included."""
    from picasso.surface.cuda_memory import Uploader

    return Uploader(gpu.stream).upload(surface)


def test_each_kernel_serves_a_picture_that_is_tested() -> None:
    assert set(served_by()) == set(KERNELS)
    assert {name: kernel_of(served) for name, served in served_by().items()} == {name: name for name in KERNELS}


@pytest.mark.cuda
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_has_the_bits_of_the_cpu_alone_and_in_a_batch(name: str, gpu: Any) -> None:
    served = served_by()[name]
    check = check_numbers if isinstance(served.target, str) else check_pixels
    check(served, gpu)


def check_pixels(served: Served, gpu: Any) -> None:
    """Compare three pictures, one of them also by itself."""
    from picasso.surface.cuda_memory import allocate_on_device
    from picasso.transform.cuda import Job
    from picasso.transform.cuda_surfaces import picture_of

    place, form = served.case.placement, served.target
    assert isinstance(form, VideoFormat)
    sources = [random_surface(served.source, place.source_wh, seed) for seed in range(3)]
    there = [on_device(source, gpu) for source in sources]
    targets = [allocate_on_device(form, place.target_wh, gpu.stream, served.color) for _ in range(4)]
    expected = [SurfaceView.allocate(form, place.target_wh, served.color) for _ in sources]
    for source, made in zip(sources, expected, strict=True):
        transform(source, place, made, served.filter)
    for target in targets:
        target.memset(0xA5)
    assert kernel_of(served, picture_of(there[0])) == kernel_of(served)
    gpu.transform(there[0], place, targets[3], served.filter)
    gpu.transform_batch([Job(a, place, b) for a, b in zip(there, targets[:3], strict=True)], served.filter)
    for target, made in zip(targets, [*expected, expected[0]], strict=True):
        np.testing.assert_array_equal(target.to_numpy(), made.to_numpy())


def check_numbers(served: Served, gpu: Any) -> None:
    """Compare planes of numbers of one picture, and of three."""
    place, dtype = served.case.placement, served.target
    assert isinstance(dtype, str)
    sources = [random_surface(served.source, place.source_wh, seed) for seed in range(3)]
    there = [on_device(source, gpu) for source in sources]
    for count in (1, 3):
        how: dict[str, Any] = {"dtype": dtype, "pad": PAD, "interpolation": served.filter}
        expected = to_tensor(sources[:count], place, NORMAL, **how)
        made = gpu.to_tensor(there[:count], place, NORMAL, **how)
        np.testing.assert_array_equal(made.to_numpy(), expected)


@pytest.mark.cuda
@pytest.mark.parametrize("form", TARGETS, ids=lambda form: form.name())
def test_each_painter_has_the_bits_of_the_cpu(form: VideoFormat, gpu: Any) -> None:
    """Commands of every kind, smooth blurs and mosaics: all kernels that paint."""
    from picasso.draw.cuda import CudaPainter

    painter = CudaPainter(gpu.stream)
    for drawing in (shapes(), annotated((24, 20)), blurs()[0], mosaic(5)[0]):
        expected = random_surface(form, (24, 20), 5)
        there = on_device(expected, gpu)
        CpuPainter().paint(expected, drawing)
        painter.paint(there, drawing)
        np.testing.assert_array_equal(there.to_numpy(), expected.to_numpy())
