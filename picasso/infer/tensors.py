"""``picasso.to_tensor``: pictures of any kind as the tensor of a model, and where each one lies in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.errors import ShapeError, SpecError
from picasso.infer.inputs import LEVELS, InputSpec, Tensor
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Normalization, Padding, Placement
from picasso.transform.tensor import Layout
from picasso.transform.tensor import to_tensor as to_host_tensor

if TYPE_CHECKING:
    from picasso.surface.cuda_memory import Uploader
    from picasso.transform.cuda import CudaTransformer

_UNIT: Final = Normalization()
_ARRAYS: Final = {"rgb": VideoFormat.RGB, "bgr": VideoFormat.BGR, "gray": VideoFormat.GRAY8}


def to_tensor(
    pictures: Any,
    size: int | tuple[int, int] | None = None,
    *,
    dtype: Any = None,
    normalization: Normalization | None = None,
    layout: Layout = "NCHW",
    padding: Padding = Padding.SYMMETRIC,
    pad: int | Sequence[int] = 0,
    pixel_format: str | None = None,
    interpolation: Interpolation = Interpolation.BILINEAR,
    out: Any = None,
) -> tuple[Tensor, list[Placement]]:
    """Make one tensor of pictures of any sizes and formats, in one pass: crop, scale, letterbox, colours, numbers.

    Args:
        pictures: A surface, or an array ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)`` of uint8; a list or generator of
            them; an array ``(N, H, W, C)``; or what ``VideoReader`` gives, ``reader[::10]``. The tensor is where the
            first of them is, in host memory or on its GPU; those that are elsewhere are copied there.
        size: Width and height of the tensor's pictures in pixels, one number for both; by default that of the
            pictures, which are then of one size.
        dtype: ``float32``, ``float16`` or ``uint8``, by name or as NumPy's or torch's type; by default that of
            ``out``, else ``float32``.
        normalization: What happens to a channel, 0..255, and the order of colours; by default RGB of 0..1, of
            ``uint8`` RGB as it is.
        layout: ``NCHW`` or ``NHWC``.
        padding: What happens to the aspect ratio; by default it is kept, with bars on both sides.
        pad: What the bars are before the scaling, 0..255: one number, or one a channel.
        pixel_format: What arrays are: ``rgb``, ``bgr`` or ``gray``; by default as ``SurfaceView.wrap`` says.
        interpolation: The filter.
        out: Where to write: an array of that shape and type, or a torch tensor in host memory, pinned or not; on a GPU
            an array of any library there.

    Returns:
        The tensor, ``(N, C, H, W)`` or ``(N, H, W, C)``, an array or a ``DeviceTensor``; ``out`` if that was given.
        And for each picture its placement: ``unplace(boxes, placement)`` brings boxes back to pixels of the picture.

    Raises:
        ShapeError: No picture, pictures of several sizes without ``size``, or ``out`` does not fit.
        SurfaceError: What holds no pixels of uint8.
        SpecError: An argument is not one of its choices.

    >>> batch, placements = to_tensor(np.zeros((720, 1280, 3), np.uint8), 640, dtype=np.float16, pad=114)
    >>> batch.shape, placements[0].pads_ltrb
    ((1, 3, 640, 640), (0, 140, 0, 140))
    """
    surfaces = as_surfaces(pictures, pixel_format)
    type_name = _dtype_name(dtype, out)
    normalization = normalization or (LEVELS if type_name == "uint8" else _UNIT)
    spec = InputSpec(
        _size_of(surfaces, size),
        normalization,
        type_name,
        layout,
        padding,
        tuple(pad) if isinstance(pad, Sequence) else pad,
        interpolation,
    )
    placements = [spec.place(surface.size_wh, sample_aspect_ratio=surface.sample_aspect_ratio) for surface in surfaces]
    if surfaces[0].is_cuda:
        return _on_gpu(surfaces, placements, spec, out), placements
    made = to_host_tensor(
        [on_host(surface) for surface in surfaces],
        placements,
        normalization,
        dtype=spec.dtype,
        layout=layout,
        pad=spec.pad,
        out=None if out is None else np.asarray(out),
        interpolation=interpolation,
    )
    return (made if out is None else out), placements


def as_surfaces(pictures: Any, pixel_format: str | None = None) -> list[SurfaceView]:
    """Return surfaces of a surface, an array, a batch of arrays, or a list of any of these.

    Raises:
        ShapeError: There is no picture.
        SurfaceError: What holds no pixels.
        SpecError: An unknown ``pixel_format``.
    """
    if pixel_format is not None and pixel_format not in _ARRAYS:
        raise SpecError(f"pixel_format = {pixel_format!r}: expected one of {', '.join(_ARRAYS)}")
    pictures = gathered(pictures)
    each = list(pictures) if is_several(pictures) else [pictures]
    if not each:
        raise ShapeError("expected one picture or more, got none")
    form = None if pixel_format is None else _ARRAYS[pixel_format]
    return [one if isinstance(one, SurfaceView) else SurfaceView.wrap(one, form) for one in each]


def gathered(pictures: Any) -> Any:
    """Return several pictures, such as those of a generator, as a list, and one as it is; pixels stand for their frame.

    What a ``VideoReader`` gives is a frame and its pixels, of which a model reads the pixels.
    """
    if isinstance(pictures, Iterator | Sequence) and not isinstance(pictures, str | bytes) and not _is_pair(pictures):
        return [one[1] if _is_pair(one) else one for one in pictures]
    return pictures[1] if _is_pair(pictures) else pictures


def _is_pair(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], VideoFrame)


def is_several(pictures: Any) -> bool:
    """Tell a list, or an array of four axes, from one picture."""
    return isinstance(pictures, list | tuple) or len(getattr(pictures, "shape", ())) == 4


def _size_of(surfaces: Sequence[SurfaceView], size: int | tuple[int, int] | None) -> tuple[int, int]:
    if isinstance(size, int | np.integer):
        return int(size), int(size)
    if size is not None:
        width, height = size
        return int(width), int(height)
    sizes = {surface.size_wh for surface in surfaces}
    if len(sizes) > 1:
        raise ShapeError(f"the pictures are of several sizes, {sorted(sizes)}; say size")
    return sizes.pop()


def _dtype_name(dtype: Any, out: Any) -> str:
    """Return NumPy's name of a type that may be NumPy's, torch's or a name."""
    if dtype is None:
        dtype = "float32" if out is None else out.dtype
    if isinstance(dtype, type):
        dtype = np.dtype(dtype)
    return str(dtype).removeprefix("torch.")


def _on_gpu(surfaces: Sequence[SurfaceView], placements: Sequence[Placement], spec: InputSpec, out: Any) -> Any:
    if not spec.fits_gpu:
        raise SpecError("on a GPU a tensor is NCHW, float16 or float32, rgb or bgr")
    transformer, uploader, turn = _workshop(surfaces[0].gpu_id)
    with turn:
        made = transformer.to_tensor(
            [uploader.bring(surface) for surface in surfaces],
            placements,
            spec.normalization,
            dtype=spec.dtype,
            pad=spec.pad,
            out=out,
            interpolation=spec.interpolation,
        )
        if out is None:
            return made
        transformer.wait()
        return out


@cache
def _workshop(gpu_id: int) -> tuple[CudaTransformer, Uploader, threading.Lock]:
    """Return the one transformer of a GPU for all callers, who take turns."""
    from picasso.surface.cuda_memory import Uploader
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer(gpu_id)
    return transformer, Uploader(transformer.stream), threading.Lock()


def on_host(surface: SurfaceView) -> SurfaceView:
    """Return a surface in host memory: the same one, or a copy of one on a GPU."""
    if not surface.is_cuda:
        return surface
    from picasso.surface.cuda_memory import download

    return download(surface)
