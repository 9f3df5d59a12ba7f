"""How existing modules reach pixels: what is reached so is encoded; what needs a GPU names the way on the CPU."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import numpy as np
import pytest

from picasso.errors import MissingDependencyError, SpecError, SurfaceError
from picasso.module import Frame
from picasso.module.arrays import (
    as_cupy,
    as_opencv,
    as_pytorch,
    cupy_array_as_opencv_gpu_mat,
    opencv_gpu_mat_as_cupy_array,
    pytorch_tensor_as_opencv_gpu_mat,
)
from picasso.module.elements import Batch
from picasso.module.meta import FramePixels
from picasso.module.pixels import (
    HostMat,
    alpha_comp,
    apply_cuda_filter,
    draw_rect,
    get_nvds_buf_surface,
    nvds_to_gpu_mat,
)
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement, TransformConfig

WIDTH, HEIGHT = 64, 48
Give = Callable[..., AbstractContextManager[Any]]


def has_cuda() -> bool:
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError:
        return False
    return hasattr(cv2, "cuda") and cv2.cuda.getCudaEnabledDeviceCount() > 0


without_cuda = pytest.mark.skipif(has_cuda(), reason="OpenCV has CUDA here")


def batch(number: int = 2) -> Batch:
    """Frames of black I420 pixels."""
    frames = []
    for index in range(number):
        surface = SurfaceView.allocate(VideoFormat.RGB, (WIDTH, HEIGHT))
        surface.memset(0)
        placement = Placement.compute((WIDTH, HEIGHT), (WIDTH, HEIGHT), TransformConfig())
        frames.append(Frame(VideoFrame("cam", "30/1", WIDTH, HEIGHT, pts=index), FramePixels(surface, placement)))
    return Batch(frames)


@pytest.mark.parametrize("give", [get_nvds_buf_surface, nvds_to_gpu_mat], ids=lambda give: give.__name__)
def test_a_frame_whose_pixels_were_reached_is_encoded_from_them(give: Give) -> None:
    frames = batch()
    with give(frames, frames[1]) as pixels:
        assert pixels.shape == (HEIGHT, WIDTH, 4)
        pixels[3, 5] = (1, 2, 3, 255)
    assert [frame.pixels.is_edited for frame in frames] == [False, True]
    assert frames[1].image()[3, 5].tolist() == [1, 2, 3, 255]
    assert frames[1].pixels.surface().format is VideoFormat.RGBA
    with give(frames, frames[0]):
        pass  # looked at or written to, no one can tell
    assert frames[0].pixels.is_edited


def test_a_matrix_is_found_by_its_place_in_the_batch() -> None:
    frames = batch()
    with nvds_to_gpu_mat(frames, batch_id=1) as pixels:
        pixels[:] = 9
    assert (frames[1].image() == 9).all()
    assert not frames[0].pixels.is_converted


@without_cuda
@pytest.mark.parametrize("name", ["upload", "download", "setTo", "copyTo", "cudaPtr", "colRange"])
def test_what_only_a_matrix_on_a_gpu_has_names_the_way_on_the_cpu(name: str) -> None:
    frames = batch()
    with (
        nvds_to_gpu_mat(frames, frames[0]) as pixels,
        pytest.raises(MissingDependencyError, match=rf"^GpuMat\.{name} needs an OpenCV .* with CUDA; .*edit_image"),
    ):
        getattr(pixels, name)


@without_cuda
def test_a_filter_of_the_gpu_names_the_way_on_the_cpu() -> None:
    with pytest.raises(MissingDependencyError, match=r"^apply_cuda_filter needs an OpenCV .*edit_image"):
        apply_cuda_filter(object(), np.zeros((4, 4, 4), np.uint8), (0, 0, 2, 2))


@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_the_border_of_a_rectangle_lies_inside_of_it(thickness: int) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8).view(HostMat)
    assert draw_rect(pixels, (10, 8, 30, 28), (255, 0, 0, 255), thickness) is pixels
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[8:28, 10:30] = True
    expected[8 + thickness : 28 - thickness, 10 + thickness : 30 - thickness] = False
    assert ((pixels[..., 0] == 255) == expected).all()


@pytest.mark.parametrize("thickness", [-1, 10, 50])
def test_a_rectangle_without_an_inside_is_filled(thickness: int) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    draw_rect(pixels, (10, 8, 30, 28), (255, 0, 0, 255), thickness)
    assert int((pixels[..., 0] == 255).sum()) == 400
    assert (pixels[8:28, 10:30, 0] == 255).all()


def test_an_overlay_is_mixed_by_its_own_alpha_or_the_given_one() -> None:
    pixels = np.full((HEIGHT, WIDTH, 4), 100, np.uint8)
    overlay = np.full((4, 4, 4), (200, 200, 200, 51), np.uint8)
    assert alpha_comp(pixels, overlay, (60, -2)) is pixels
    assert (pixels[:2, 60:, :3] == 120).all()
    assert int((pixels[..., 0] != 100).sum()) == 8
    alpha_comp(pixels, overlay, start=(0, 40), alpha=np.full((4, 4), 255, np.uint8))
    assert (pixels[40:44, :4, :3] == 200).all()


GREY = np.zeros((2, 2), np.uint8)
WRONG: dict[str, tuple[Callable[[Any], object], type[Exception], str]] = {
    "overlay of floats": (lambda p: alpha_comp(p, np.zeros((2, 2, 4)), (0, 0)), TypeError, "image: expected an array"),
    "overlay of one channel": (lambda p: alpha_comp(p, GREY, (0, 0)), ValueError, "image: expected shape"),
    "start": (lambda p: alpha_comp(p, np.zeros((2, 2, 4), np.uint8), (1,)), SpecError, "start: expected 2"),
    "rect": (lambda p: draw_rect(p, (1, 2, 3), (0, 0, 0, 0)), SpecError, "rect: expected 4"),
    "colour": (lambda p: draw_rect(p, (1, 2, 3, 4), (0, 0, 999)), SpecError, "color: .*999"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_drawn_is_refused(call: Callable[[Any], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(np.zeros((HEIGHT, WIDTH, 4), np.uint8))


def test_host_pixels_are_not_brought_to_a_gpu_behind_the_back_of_the_frame() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8).view(HostMat)
    for call in (as_cupy, opencv_gpu_mat_as_cupy_array):
        with pytest.raises(SurfaceError, match="in host memory"):
            call(pixels)
    assert as_opencv(pixels) is pixels


def test_pixels_on_the_host_are_a_tensor_that_shares_their_memory() -> None:
    torch: Any = pytest.importorskip("torch")
    pixels = np.zeros((4, 4, 4), np.uint8).view(HostMat)
    tensor = as_pytorch(pixels)
    tensor[1, 2] = torch.tensor([1, 2, 3, 4], dtype=torch.uint8)
    assert pixels[1, 2].tolist() == [1, 2, 3, 4]
    assert pytorch_tensor_as_opencv_gpu_mat(tensor)[1, 2].tolist() == [1, 2, 3, 4]


@without_cuda
def test_a_matrix_of_opencv_needs_its_cuda() -> None:
    class OnGpu:
        __cuda_array_interface__: ClassVar = {"shape": (4, 4, 4), "typestr": "|u1", "data": (1, False), "version": 3}

    with pytest.raises(MissingDependencyError, match=r"^a GpuMat needs an OpenCV that was built with CUDA"):
        cupy_array_as_opencv_gpu_mat(OnGpu())
