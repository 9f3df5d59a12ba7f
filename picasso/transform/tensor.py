"""Pixels as a detector wants them: planes of numbers, scaled and shifted; ``CudaTransformer`` has the twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso.errors import GeometryError, ShapeError, SpecError
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.tensor import check_dtype
from picasso.transform.fitting import Interpolation
from picasso.transform.placement import Placement

Channels = tuple[float, float, float]
_ORDERS: Final = ("rgb", "bgr")
_LARGEST: Final = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Normalization:
    """``number = channel * scale + bias``, the channel 0..255; product and sum are rounded once, to float32.

    Raises:
        SpecError: ``order`` is unknown, or there are not three finite factors and offsets.
    """

    scale: Channels = (1 / 255, 1 / 255, 1 / 255)
    """Of the tensor's first, second and third plane."""
    bias: Channels = (0.0, 0.0, 0.0)
    """Of the tensor's first, second and third plane."""
    order: str = "rgb"
    """Which colours the planes are: ``rgb`` or ``bgr``."""

    def __post_init__(self) -> None:
        if self.order not in _ORDERS:
            raise SpecError(f"Normalization.order = {self.order!r}: expected one of {', '.join(_ORDERS)}")
        for name in ("scale", "bias"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != 3 or not all(abs(value) <= _LARGEST for value in values):
                raise SpecError(f"Normalization.{name} = {values}: expected three finite numbers")
            object.__setattr__(self, name, values)

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
        Normalization(scale=(1.0, 2.0, 4.0), bias=(-0.0, -1.0, -4.0), order='rgb')
        """
        if not unit or not all(std):
            raise SpecError(f"Normalization: std = {std}, unit = {unit}: expected no 0")
        first, second, third = (1 / (unit * deviation) for deviation in std)
        offsets = tuple(-value / deviation for value, deviation in zip(mean, std, strict=True))
        return cls((first, second, third), offsets, order)  # type: ignore[arg-type]  # as many as mean and std

    def tables(self, dtype: str) -> npt.NDArray[Any]:
        """Return what each plane holds for each value of a channel: ``(3, 256)`` of ``dtype``, a NumPy name."""
        factors, offsets = (np.array(values, np.float32).astype(float)[:, None] for values in (self.scale, self.bias))
        made: npt.NDArray[Any] = (np.arange(256) * factors + offsets).astype(np.float32).astype(dtype)
        return made


def to_tensor(
    sources: Sequence[SurfaceView],
    placements: Placement | Sequence[Placement],
    normalization: Normalization = Normalization(),
    *,
    dtype: str = "float32",
    out: npt.NDArray[Any] | None = None,
    interpolation: Interpolation = Interpolation.BILINEAR,
) -> npt.NDArray[Any]:
    """Crop, scale and letterbox pictures into planes of numbers, ``(N, 3, H, W)``; bars are black before the scaling.

    The same numbers as ``CudaTransformer.to_tensor``.

    Args:
        sources: N pictures in host memory, of any sizes and formats.
        placements: One for all, or one each; all of one target size.
        normalization: What happens to a channel.
        dtype: ``float16`` or ``float32``.
        out: Where to write, an array ``(N, 3, H, W)`` of that dtype; by default a new one.
        interpolation: The filter.

    Raises:
        SurfaceError: A surface is in GPU memory, or an unknown ``dtype``.
        GeometryError: A source has another size than its placement says, or targets differ in size.
        ShapeError: ``out`` has another shape or dtype.
    """
    from picasso.transform.cpu import transform

    check_dtype(dtype)
    each, (width, height) = one_each(sources, placements)
    shape = (len(sources), 3, height, width)
    tensor = np.empty(shape, dtype) if out is None else out
    if tensor.shape != shape or tensor.dtype != dtype:
        raise ShapeError(f"expected out of shape {shape} and {dtype}, got {tensor.shape} and {tensor.dtype}")
    form = VideoFormat.RGBA if normalization.order == "rgb" else VideoFormat.BGRA
    pixels, tables = SurfaceView.allocate(form, (width, height)), normalization.tables(dtype)
    for image, source, placement in zip(tensor, sources, each, strict=True):
        transform(source, placement, pixels, interpolation)
        for channel, table in enumerate(tables):
            image[channel] = table[pixels.planes[0][..., channel]]
    return tensor


def one_each(
    sources: Sequence[SurfaceView], placements: Placement | Sequence[Placement]
) -> tuple[list[Placement], tuple[int, int]]:
    """Return a placement for each source, and the size of their targets.

    Raises:
        ShapeError: There is no source, or not as many placements.
        GeometryError: Targets differ in size.
    """
    each = [placements] * len(sources) if isinstance(placements, Placement) else list(placements)
    if not sources or len(each) != len(sources):
        raise ShapeError(f"expected a placement for each source, got {len(each)} for {len(sources)}")
    sizes = {placement.target_wh for placement in each}
    if len(sizes) > 1:
        raise GeometryError(f"the pictures of a tensor are of one size, got {sorted(sizes)}")
    return each, sizes.pop()
