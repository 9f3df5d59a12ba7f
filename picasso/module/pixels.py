"""How existing modules reach the pixels of a frame; what is reached this way is taken to be written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.draw.sketch import Sketch
from picasso.module.arrays import opencv_cuda
from picasso.module.drawing.arguments import Color, color_of, numbers_of
from picasso.module.drawing.canvas import PixelCanvas, check_graphic
from picasso.module.drawing.canvas import blend as _blend
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.module.elements import Batch
    from picasso.module.meta import Frame

_OF_GPU_MAT: Final = (
    "adjustROI", "assignTo", "channels", "clone", "colRange", "convertTo", "copyTo", "create", "cudaPtr", "depth",
    "download", "elemSize", "elemSize1", "empty", "isContinuous", "locateROI", "release", "row", "rowRange", "setTo",
    "step", "step1", "type", "updateContinuityFlag", "upload",
)  # fmt: skip
"""Members of OpenCV's matrices on a GPU."""


class HostMat(np.ndarray[Any, np.dtype[np.uint8]]):
    """The pixels of a frame in host memory, where existing code expects a matrix on a GPU.

    ``(height, width, 4)`` RGBA; what is written is what is encoded. The artist, ``alpha_comp`` and ``draw_rect`` take
    it. What only a ``GpuMat`` has is one error that names the way on the CPU.
    """

    def __getattr__(self, name: str) -> Any:
        if name in _OF_GPU_MAT:
            opencv_cuda(f"GpuMat.{name}")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@contextmanager
def get_nvds_buf_surface(buffer: Batch, frame_meta: Frame | None = None) -> Iterator[Any]:
    """Give the pixels of ``frame_meta``, a frame of ``buffer``, in host memory: ``(height, width, 4)`` RGBA.

    What is written is what is encoded. Pixels on a GPU are copied to the host, and back at the end of the block.
    """
    frame = _frame_of(buffer, frame_meta, 0)
    with frame.edit_image() as pixels:
        if not isinstance(pixels, SurfaceView):
            yield pixels
            return
        image = pixels.to_numpy()
        yield image
        pixels.upload(image)


@contextmanager
def nvds_to_gpu_mat(buffer: Batch, frame_meta: Frame | None = None, batch_id: int | None = None) -> Iterator[Any]:
    """Give the pixels of a frame for writing; the frame is encoded from them.

    Args:
        buffer: The batch.
        frame_meta: The frame.
        batch_id: Instead of ``frame_meta``: its place in the batch.

    Yields:
        A ``GpuMat`` where the frame is on a GPU and OpenCV has CUDA, the surface where it has none, and for a frame in
        host memory a ``HostMat``.
    """
    with _frame_of(buffer, frame_meta, batch_id or 0).edit_image() as pixels:
        if not isinstance(pixels, SurfaceView):
            yield pixels.view(HostMat)
            return
        try:
            opencv_cuda("a GpuMat")
        except ImportError:
            yield pixels
        else:
            from picasso.module.arrays import as_opencv

            yield as_opencv(pixels)


def alpha_comp(frame: Any, overlay: Any, start: Sequence[int], alpha: Any = None, stream: object = None) -> Any:  # noqa: ARG001
    """Lay a picture over the pixels of a frame, by its alpha; what is outside is left out.

    Args:
        frame: What ``nvds_to_gpu_mat`` gives.
        overlay: ``(height, width, 4)`` RGBA, uint8.
        start: Left and top of the picture on the frame.
        alpha: Instead of the picture's own alpha: ``(height, width)``, uint8.
        stream: Has no effect; existing code gives it.

    Returns:
        ``frame``.
    """
    image = _on_host(overlay)
    check_graphic(image)
    if alpha is not None:
        image = np.dstack([image[..., :3], _on_host(alpha)])
    left, top = numbers_of("start", start, 2)
    _write(frame, lambda pixels: _blend(pixels, image, int(left), int(top)))
    return frame


def draw_rect(
    frame: Any,
    rect: Sequence[int],
    color: Color = (0, 255, 0, 255),
    thickness: int = 1,
    stream: object = None,  # noqa: ARG001
) -> Any:
    """Draw a rectangle on the pixels of a frame.

    Args:
        frame: What ``nvds_to_gpu_mat`` gives.
        rect: Left, top, right and bottom in pixels.
        color: Of the border.
        thickness: Pixels; the border lies inside. A negative number fills the rectangle.
        stream: Has no effect; existing code gives it.

    Returns:
        ``frame``.
    """
    left, top, right, bottom = numbers_of("rect", rect, 4)
    paint = color_of("color", color)

    def draw(pixels: Any) -> None:
        canvas = PixelCanvas(pixels)
        sketch = Sketch(canvas.size_wh)
        center, half_wh = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2)
        inset = thickness / 2
        if thickness < 0 or 2 * thickness >= min(right - left, bottom - top):
            sketch.box(center, half_wh, 0.0, paint)
        elif thickness:
            sketch.box(center, (half_wh[0] - inset, half_wh[1] - inset), 0.0, paint, inset)
        canvas.paint(sketch.finish())

    _write(frame, draw)
    return frame


def apply_cuda_filter(cuda_filter: Any, frame: Any, roi: Sequence[int], stream: Any = None) -> Any:
    """Apply a filter of ``cv2.cuda`` to a part of a frame on a GPU.

    Args:
        cuda_filter: Made by ``cv2.cuda.create…Filter``.
        frame: A ``GpuMat``.
        roi: Left, top, width and height in pixels.
        stream: A ``cv2.cuda.Stream``.

    Returns:
        ``frame``.

    Raises:
        MissingDependencyError: OpenCV has no CUDA; the message names the way on the CPU.
        TypeError: ``frame`` is in host memory.
    """
    cv2 = opencv_cuda("apply_cuda_filter")
    if isinstance(frame, np.ndarray):
        from picasso.module.arrays import HOST_WAY

        raise TypeError(f"apply_cuda_filter: this frame is in host memory; {HOST_WAY}")
    part = cv2.cuda.GpuMat(frame, tuple(int(side) for side in roi))
    cuda_filter.apply(part, part, stream=stream) if stream is not None else cuda_filter.apply(part, part)
    return frame


def _frame_of(buffer: Batch, frame: Frame | None, batch_id: int) -> Frame:
    return buffer[batch_id] if frame is None else frame


def _on_host(picture: Any) -> Any:
    if isinstance(picture, SurfaceView):
        return picture.to_numpy()
    if hasattr(picture, "download") and not isinstance(picture, np.ndarray):
        return picture.download()
    return picture.get() if hasattr(picture, "get") else np.asarray(picture)


def _write(frame: Any, work: Any) -> None:
    """Have ``work`` write to pixels: an array or a surface; a ``GpuMat`` goes to the host and back."""
    if isinstance(frame, np.ndarray | SurfaceView):
        work(frame if isinstance(frame, SurfaceView) else frame.view(np.ndarray))
        return
    image = frame.download()
    work(image)
    frame.upload(image)
