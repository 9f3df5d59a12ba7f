"""Pixels as a detector wants them: numbers, scaled and shifted; ``CudaTransformer`` has the twin."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from picasso.errors import GeometryError, ShapeError, SpecError, SurfaceError
from picasso.surface import SurfaceView
from picasso.transform.fitting import Interpolation
from picasso.transform.placement import Placement

Channels = tuple[float, float, float]
Layout = Literal["NCHW", "NHWC"]
LAYOUTS: Final = ("NCHW", "NHWC")
DTYPES: Final = ("float16", "float32", "uint8")
_ORDERS: Final = {"rgb": "RGB", "bgr": "BGR", "gray": "GREY"}
CACHE_LINE: Final = 64
"""Bytes: where new tensors start."""
CACHES_BYTES: Final = 4 << 20
"""Larger tensors are written past the caches, which saves reading them first: 0.5 ms a picture of 640², not 0.7."""
_LARGEST: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Normalization:
    """``number = channel * scale + bias``, the channel 0..255; product and sum are rounded once, to float32.

    Raises:
        SpecError: ``order`` is unknown, or there are not three finite factors and offsets.
    """

    scale: Channels = (1 / 255, 1 / 255, 1 / 255)
    """Of the tensor's first, second and third plane; one number stands for three."""
    bias: Channels = (0.0, 0.0, 0.0)
    """Of the tensor's first, second and third plane; one number stands for three."""
    order: str = "rgb"
    """Which colours the planes are: ``rgb``, ``bgr``, or ``gray``, one plane: the full-range luma of BT.601."""

    def __post_init__(self) -> None:
        if self.order not in _ORDERS:
            raise SpecError(f"Normalization.order = {self.order!r}: expected one of {', '.join(_ORDERS)}")
        for name in ("scale", "bias"):
            given = getattr(self, name)
            values = tuple(float(value) + 0.0 for value in ([given] * 3 if isinstance(given, int | float) else given))
            if len(values) != 3 or not all(abs(value) <= _LARGEST for value in values):
                raise SpecError(f"Normalization.{name} = {values}: expected three finite numbers")
            object.__setattr__(self, name, values)  # without -0.0, which equals 0.0 and gives other bits

    @property
    def channels(self) -> int:
        """How many planes a picture has: 3, of grey 1."""
        return 1 if self.order == "gray" else 3

    @classmethod
    def from_mean_std(cls, mean: Channels, std: Channels, *, order: str = "rgb", unit: float = 255.0) -> Normalization:
        """Return ``(channel / unit - mean) / std``, as training code writes it.

        Args:
            mean: Of each plane, in units: ``(0.485, 0.456, 0.406)`` for ImageNet.
            std: Of each plane, in units, not 0.
            order: Which colours the planes are.
            unit: What one stands for: 255 where means are 0..1, 1 where they are 0..255.

        Raises:
            SpecError: A value is 0 that divides, or not finite.

        >>> Normalization.from_mean_std((0.0, 0.5, 1.0), (1.0, 0.5, 0.25), unit=1.0)
        Normalization(scale=(1.0, 2.0, 4.0), bias=(0.0, -1.0, -4.0), order='rgb')
        """
        if not unit or not all(std):
            raise SpecError(f"Normalization: std = {std}, unit = {unit}: expected no 0")
        first, second, third = (1 / (unit * deviation) for deviation in std)
        offsets = tuple(-value / deviation for value, deviation in zip(mean, std, strict=True))
        return cls((first, second, third), offsets, order)  # type: ignore[arg-type]  # as many as mean and std

    def tables(self, dtype: str) -> npt.NDArray[Any]:
        """Return what each plane holds for each value of a channel: ``(3, 256)`` of ``dtype``, a NumPy name."""
        from picasso_kernels.maths.numbers import level_numbers

        return level_numbers(self.scale, self.bias, dtype)


def to_tensor(
    sources: Sequence[SurfaceView],
    placements: Placement | Sequence[Placement],
    normalization: Normalization = Normalization(),
    *,
    dtype: str = "float32",
    layout: Layout = "NCHW",
    pad: int | Sequence[int] = 0,
    out: npt.NDArray[Any] | None = None,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> npt.NDArray[Any]:
    """Crop, scale and letterbox pictures into numbers, ``(N, C, H, W)`` or ``(N, H, W, C)``, in one pass.

    The same numbers as ``CudaTransformer.to_tensor``. One call of machine code a picture, during which the GIL is free.

    Args:
        sources: N pictures in host memory, of any sizes and formats.
        placements: One for all, or one each; all of one target size.
        normalization: What happens to a channel. Of grey C is 1, else 3.
        dtype: ``float32``, ``float16``, or ``uint8``, which rounds numbers and holds them in 0..255.
        layout: ``NCHW`` or ``NHWC``.
        pad: What bars are before the scaling, 0..255: one number, or one for each of C channels.
        out: Where to write, an array of that shape and dtype with any strides; by default a new one.
        interpolation: The filter.

    Raises:
        SurfaceError: A surface is in GPU memory, or an unknown ``dtype``.
        GeometryError: A source has another size than its placement says, or targets differ in size.
        ShapeError: ``out`` has another shape or dtype or is read-only, or an unknown ``layout``.
        SpecError: ``pad`` is not in 0..255.
    """
    if dtype not in DTYPES:
        raise SurfaceError(f"dtype {dtype!r}: expected one of {', '.join(DTYPES)}")
    each, size_wh = one_each(sources, placements)
    shape = tensor_shape(len(sources), normalization.channels, size_wh, layout)
    tensor = new_tensor(shape, dtype) if out is None else out
    if tensor.shape != shape or tensor.dtype != dtype or not tensor.flags.writeable:
        access = "" if tensor.flags.writeable else ", read-only"
        raise ShapeError(f"expected out of shape {shape} and {dtype}, got {tensor.shape} and {tensor.dtype}{access}")
    fill_tensor(sources, each, normalization, tensor, layout=layout, pad=pad, interpolation=interpolation)
    return tensor


def fill_tensor(
    sources: Sequence[SurfaceView],
    placements: Sequence[Placement],
    normalization: Normalization,
    tensor: npt.NDArray[Any],
    *,
    layout: Layout = "NCHW",
    pad: int | Sequence[int] = 0,
    interpolation: Interpolation = Interpolation.BILINEAR,
    by_reference: bool = False,
) -> None:
    """Do the work of ``to_tensor``, whose errors these are; ``by_reference`` has the interpreter do it."""
    from picasso.transform.cpu import transform_to_numbers
    from picasso_kernels.frame.pixel_formats import Picture, Plane

    name, packed = f"{_ORDERS[normalization.order]}-{tensor.dtype}", pack_pad(pad, normalization.channels)
    numbers = _numbers(normalization, str(tensor.dtype))
    stream = tensor.nbytes > CACHES_BYTES
    planes = tensor if layout == "NCHW" else np.moveaxis(tensor, -1, 1)
    for image, source, placement in zip(planes, sources, placements, strict=True):
        memory, base = _memory_of(image)
        lane_step = image.strides[0] if len(image) > 1 else 0
        target = Picture(name, (Plane(base, image.strides[1], image.strides[2], lane_step),))
        transform_to_numbers(
            source, placement, target, memory, numbers, packed, interpolation, stream=stream, by_reference=by_reference
        )


def tensor_shape(count: int, channels: int, size_wh: tuple[int, int], layout: str) -> tuple[int, int, int, int]:
    """Return the shape of a tensor of ``count`` pictures.

    Raises:
        ShapeError: An unknown layout.
    """
    width, height = size_wh
    if layout not in LAYOUTS:
        raise ShapeError(f"layout {layout!r}: expected one of {', '.join(LAYOUTS)}")
    return (count, channels, height, width) if layout == "NCHW" else (count, height, width, channels)


def new_tensor(shape: tuple[int, ...], dtype: str) -> npt.NDArray[Any]:
    """Return an array without gaps that starts on a cache line; what it holds means nothing."""
    from picasso_kernels.frame.plan import aligned

    return aligned(math.prod(shape) * np.dtype(dtype).itemsize).view(dtype).reshape(shape)


def pack_pad(pad: int | Sequence[int], channels: int) -> int:
    """Return the pixel of the bars, the first channel in the lowest bits, opaque.

    Raises:
        SpecError: Not one number or one a channel, or not in 0..255.
    """
    if type(pad) is int and 0 <= pad <= 255:
        return 0x010101 * pad | 255 << 24
    values: list[Any] = list(pad) if isinstance(pad, Sequence) else [pad] * channels
    whole = [value for value in values if isinstance(value, int | np.integer) and 0 <= value <= 255]
    if len(values) != channels or len(whole) != channels:
        raise SpecError(f"pad = {pad!r}: expected an integer in 0..255, or one for each of {channels} channels")
    first, second, third = (int(value) for value in whole * (3 // channels))
    return first | second << 8 | third << 16 | 255 << 24


@functools.lru_cache(maxsize=64)
def _numbers(normalization: Normalization, dtype: str) -> npt.NDArray[np.uint8]:
    """Return what the kernel looks up."""
    from picasso_kernels.maths.numbers import table_of

    scale, bias = normalization.scale, normalization.bias
    if normalization.order == "gray":
        scale, bias = (scale[0],) * 3, (bias[0],) * 3
    return table_of(scale, bias, dtype)


def _memory_of(image: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the bytes that an array spans, and where among them its first number is."""
    if image.flags.c_contiguous:
        return image.reshape(-1).view(np.uint8), 0
    low, high = np.lib.array_utils.byte_bounds(image)
    return np.asarray(_Span(image, low, high - low)), image.ctypes.data - low


class _Span:
    """The bytes that an array spans; NumPy keeps it, and with it the array, alive."""

    __slots__ = ("__array_interface__", "_array")

    def __init__(self, array: npt.NDArray[Any], start: int, size: int) -> None:
        self._array = array
        self.__array_interface__ = {"version": 3, "shape": (size,), "typestr": "|u1", "data": (start, False)}


def one_each(
    sources: Sequence[SurfaceView], placements: Placement | Sequence[Placement]
) -> tuple[list[Placement], tuple[int, int]]:
    """Return a placement for each source, and the size of their targets.

    Raises:
        ShapeError: There is no source, or not as many placements.
        GeometryError: Targets differ in size.
    """
    if isinstance(placements, Placement) and sources:
        return [placements] * len(sources), placements.target_wh
    each = [] if isinstance(placements, Placement) else list(placements)
    if not sources or len(each) != len(sources):
        raise ShapeError(f"expected a placement for each source, got {len(each)} for {len(sources)}")
    sizes = {placement.target_wh for placement in each}
    if len(sizes) > 1:
        raise GeometryError(f"the pictures of a tensor are of one size, got {sorted(sizes)}")
    return each, sizes.pop()
