"""Pictures, or objects of pictures, as the tensor that a model reads: one pass, whole batches."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from picasso.errors import ModelError, ShapeError, SpecError
from picasso.infer.session import TensorInfo
from picasso.surface import DeviceTensor, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Normalization, Padding, Placement, Rect, TransformConfig
from picasso.transform.placement import RectLTWH, SizeWH
from picasso.transform.tensor import (
    CACHE_LINE,
    DTYPES,
    LAYOUTS,
    Layout,
    fill_tensor,
    new_tensor,
    pack_pad,
    tensor_shape,
)

if TYPE_CHECKING:
    from picasso.transform.cuda import CudaTransformer

Tensor = npt.NDArray[Any] | DeviceTensor
ImageHook = Callable[[SurfaceView], Any]
"""Takes one crop, RGBA and writable, where the picture is; returns it, or another picture that stands for it."""


LEVELS: Final = Normalization((1.0, 1.0, 1.0))
"""Channels as they are."""
_UNIT: Final = Normalization()


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model wants to read: sizes, colours, types, and how a picture is fitted.

    Raises:
        SpecError: A size is not positive, or ``dtype``, ``layout`` or ``pad`` is unknown.
    """

    size_wh: SizeWH
    """Width and height of the tensor's pictures, in pixels."""
    normalization: Normalization = _UNIT
    """What happens to a channel, and the order of colours."""
    dtype: str = "float32"
    """``float32``, ``float16`` or ``uint8``."""
    layout: Layout = "NCHW"
    """``NCHW`` or ``NHWC``."""
    padding: Padding = Padding.SYMMETRIC
    """What happens to the aspect ratio: ``NONE`` stretches, the others letterbox."""
    pad: int | tuple[int, ...] = 0
    """What the bars are before the scaling, 0..255: one number, or one a channel. YOLO models learned 114."""
    interpolation: Interpolation = Interpolation.BILINEAR
    """The filter that scales the picture."""
    min_object_wh: SizeWH = (1, 1)
    """Objects that are smaller on either side, in pixels of their picture, are left out."""
    max_object_wh: tuple[int | None, int | None] = (None, None)
    """Objects that are larger on either side are left out; None for no limit."""

    def __post_init__(self) -> None:
        width, height = self.size_wh
        if width < 1 or height < 1:
            raise SpecError(f"InputSpec.size_wh = {self.size_wh}: expected two sides of 1 pixel or more")
        for name, choices in (("dtype", DTYPES), ("layout", LAYOUTS)):
            if getattr(self, name) not in choices:
                raise SpecError(f"InputSpec.{name} = {getattr(self, name)!r}: expected one of {', '.join(choices)}")
        pack_pad(self.pad, self.normalization.channels)

    @classmethod
    def of_graph(cls, info: TensorInfo, size_wh: SizeWH | None = None, **fields: Any) -> InputSpec:
        """Return what an input of a graph asks for: its size, layout, type and number of channels.

        Args:
            info: An input of four axes, ``(N, C, H, W)`` or ``(N, H, W, C)`` with C = 1 or 3.
            size_wh: Width and height in pixels, of a graph that leaves them open.
            fields: Other fields; ``normalization`` must have as many channels as the graph. By default channels
                become 0..1, those of an input of ``uint8`` stay as they are.

        Raises:
            ModelError: The input has other axes, channels or types, or leaves its size open and ``size_wh`` is not
                given, or fixes another one.
        """
        if info.dtype not in DTYPES or len(info.shape) != 4:
            raise ModelError(f"input {info}: expected four axes of {', '.join(DTYPES)}")
        normalization = fields.pop("normalization", None) or (LEVELS if info.dtype == "uint8" else _UNIT)
        channels_of = {"NCHW": info.shape[1], "NHWC": info.shape[3]}
        layout = next((name for name, side in channels_of.items() if side in {1, 3}), None)
        if layout is None and channels_of["NCHW"] is None and (channels_of["NHWC"] or 0) not in range(1, 5):
            layout, channels_of["NCHW"] = "NCHW", normalization.channels  # as exporters of open graphs have it
        if layout is None:
            raise ModelError(f"input {info}: neither (N, C, H, W) nor (N, H, W, C) with 1 or 3 channels")
        sides = info.shape[2:] if layout == "NCHW" else info.shape[1:3]
        height, width = (
            _one_side(info, name, fixed, given)
            for name, fixed, given in zip(("height", "width"), sides, (size_wh or (None, None))[::-1], strict=True)
        )
        if channels_of[layout] == 1 and normalization.order != "gray":
            normalization = replace(normalization, order="gray")
        if channels_of[layout] != normalization.channels:
            raise ModelError(f"input {info}: colours {normalization.order!r} are {normalization.channels} channels")
        return cls((width, height), normalization, info.dtype, layout, **fields)  # type: ignore[arg-type]

    @property
    def fitting(self) -> TransformConfig:
        """How a picture is fitted."""
        return TransformConfig(padding=self.padding, interpolation=self.interpolation)

    @property
    def fits_gpu(self) -> bool:
        """Whether a GPU makes such tensors; if not, pictures on a GPU are copied to the host first."""
        return self.layout == "NCHW" and self.dtype != "uint8" and self.normalization.order != "gray"

    def place(
        self, source_wh: SizeWH, crop_ltwh: RectLTWH | None = None, *, sample_aspect_ratio: Fraction | int = 1
    ) -> Placement:
        """Return where a picture, or a crop of it, lands in the tensor.

        Args:
            source_wh: Width and height of the picture in pixels.
            crop_ltwh: Left, top, width and height in pixels; by default all of it.
            sample_aspect_ratio: Width of a pixel of the picture over its height.

        Raises:
            GeometryError: The crop leaves the picture.
        """
        rect = crop_ltwh and Rect(top=crop_ltwh[1], left=crop_ltwh[0], width=crop_ltwh[2], height=crop_ltwh[3])
        return Placement.compute(
            source_wh, self.size_wh, self.fitting, rect or None, sample_aspect_ratio=sample_aspect_ratio
        )

    def admits(self, size_wh: tuple[float, float]) -> bool:
        """Whether an object of this width and height, in pixels, is within the limits."""
        return all(
            least <= side and (most is None or side <= most)
            for side, least, most in zip(size_wh, self.min_object_wh, self.max_object_wh, strict=True)
        )


MOST_RESERVED: Final = 256 << 20
"""Bytes that ``InputMaker.reserve`` gets at most."""


class Inputs(NamedTuple):
    """A tensor, and where each of its pictures came from."""

    tensor: Tensor
    """``(M, C, H, W)`` or ``(M, H, W, C)``: N pictures, then zeros up to a multiple of the batch that was asked for."""
    placements: list[Placement]
    """N, from the pixels of the source picture to those of the tensor; ``unplace`` goes back."""
    kept: npt.NDArray[np.intp]
    """``(N,)``: which of the pictures or objects that were given, those within the limits, in order."""


class InputMaker:
    """Makes the tensors of one model. Any number of threads may use it; pictures on a GPU take turns.

    Args:
        spec: What the model wants.
        batch: The tensor's pictures are a multiple of this, for models of a fixed batch.
    """

    def __init__(self, spec: InputSpec, batch: int | None = None) -> None:
        self.spec: InputSpec = spec
        self._batch = batch or 1
        self._least = 0
        self._spare: list[npt.NDArray[np.uint8]] = []
        self._gpus: dict[int, CudaTransformer] = {}
        self._turn = threading.Lock()

    def of_pictures(self, surfaces: Sequence[SurfaceView]) -> Inputs:
        """Make a tensor of whole pictures where they are: on the GPU if all of them are there, else in host memory.

        Raises:
            ShapeError: There is none.
            SurfaceError: A picture of a format that cannot be read.
        """
        placements = [self._place(surface) for surface in surfaces]
        return Inputs(self._fill(surfaces, placements), placements, np.arange(len(surfaces)))

    def of_objects(
        self,
        surfaces: Sequence[SurfaceView],
        picture_of: ArrayLike,
        boxes_xyxy: ArrayLike,
        *,
        prepare_image: ImageHook | None = None,
    ) -> Inputs | None:
        """Make a tensor of objects of many pictures, each the crop around its box.

        A crop begins and ends at whole pixels, outwards, and ends with the picture.

        Args:
            surfaces: The pictures.
            picture_of: ``(N,)``, which picture an object is in.
            boxes_xyxy: ``(N, 4)`` corners in pixels of that picture.
            prepare_image: Changes a crop before it is scaled. What it returns is stretched over the box.

        Returns:
            None where no object is within the limits.

        Raises:
            ShapeError: Arrays of other shapes, or a picture that is not there.
            SurfaceError: A picture of a format that cannot be read.
        """
        which, boxes = _checked(picture_of, boxes_xyxy, len(surfaces))
        crops = [_crop_of(surfaces[index].size_wh, box) for index, box in zip(which, boxes, strict=True)]
        kept = [
            row
            for row, (crop, box) in enumerate(zip(crops, boxes, strict=True))
            if crop is not None and self.spec.admits((float(box[2] - box[0]), float(box[3] - box[1])))
        ]
        if not kept:
            return None
        sources, placements, back = [], [], []
        for row in kept:
            source, crop = surfaces[which[row]], crops[row]
            placement = self._place(source, crop)
            back.append(placement)
            if prepare_image is not None:
                source = SurfaceView.wrap(prepare_image(self._cut(source, placement.crop_ltwh)))
                placement = self._place(source)
                back[-1] = replace(back[-1], inner_ltwh=placement.inner_ltwh)
            sources.append(source)
            placements.append(placement)
        return Inputs(self._fill(sources, placements), back, np.array(kept, np.intp))

    def reserve(self, pictures: int) -> None:
        """Get memory for tensors of that many pictures now: new pages cost as much as a pass over them.

        Later tensors of fewer pictures lie in as much memory, so that it serves the next ones. Of very many pictures
        it is less: ``MOST_RESERVED`` bytes.
        """
        shape = tensor_shape(1, self.spec.normalization.channels, self.spec.size_wh, self.spec.layout)
        most = MOST_RESERVED // (math.prod(shape) * np.dtype(self.spec.dtype).itemsize)
        self._least = max(min(pictures - pictures % -self._batch, most), 1)
        shape = (self._least, *shape[1:])
        memory = new_tensor(shape, self.spec.dtype)
        memory.fill(0)
        self.give_back(Inputs(memory, [], np.zeros(0, np.intp)))

    def give_back(self, inputs: Inputs) -> None:
        """Let the next call use the tensor of ``inputs``, which nothing reads any more."""
        memory = inputs.tensor.base if isinstance(inputs.tensor, np.ndarray) else None
        if isinstance(memory, np.ndarray):
            self._spare.append(memory)
            del self._spare[:-2]

    def _place(self, surface: SurfaceView, crop: RectLTWH | None = None) -> Placement:
        return self.spec.place(surface.size_wh, crop, sample_aspect_ratio=surface.sample_aspect_ratio)

    def _fill(self, sources: Sequence[SurfaceView], placements: Sequence[Placement]) -> Tensor:
        if not sources:
            raise ShapeError("expected one picture or more, got none")
        missing = -len(sources) % self._batch
        places = {source.gpu_id if source.is_cuda else None for source in sources}
        if len(places) > 1 or (sources[0].is_cuda and not self.spec.fits_gpu):
            from picasso.surface.cuda_memory import download

            sources = [download(source) if source.is_cuda else source for source in sources]
        if sources[0].is_cuda:
            again = [sources[0]] * missing, [placements[0]] * missing
            return self._fill_on_gpu([*sources, *again[0]], [*placements, *again[1]])
        spec = self.spec
        shape = tensor_shape(len(sources) + missing, spec.normalization.channels, spec.size_wh, spec.layout)
        tensor = self._memory(shape)
        fill_tensor(
            sources,
            placements,
            spec.normalization,
            tensor[: len(sources)],
            layout=spec.layout,
            pad=spec.pad,
            interpolation=spec.interpolation,
        )
        tensor[len(sources) :] = 0
        return tensor

    def _memory(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return a tensor in memory that was used before, if that is large enough: new pages cost as much as a pass."""
        size = math.prod(shape) * np.dtype(self.spec.dtype).itemsize
        try:
            spare = self._spare.pop()
        except IndexError:
            return self._new(shape)
        start = -spare.ctypes.data % CACHE_LINE
        if len(spare) < start + size:
            return self._new(shape)
        return spare[start : start + size].view(self.spec.dtype).reshape(shape)

    def _new(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        return new_tensor((max(shape[0], self._least), *shape[1:]), self.spec.dtype)[: shape[0]]

    def _fill_on_gpu(self, sources: Sequence[SurfaceView], placements: Sequence[Placement]) -> DeviceTensor:
        spec, gpu_id = self.spec, sources[0].gpu_id
        with self._turn:
            if gpu_id not in self._gpus:
                from picasso.transform.cuda import CudaTransformer

                self._gpus[gpu_id] = CudaTransformer(gpu_id)
            return self._gpus[gpu_id].to_tensor(
                sources,
                placements,
                spec.normalization,
                dtype=spec.dtype,
                pad=spec.pad,
                interpolation=spec.interpolation,
            )

    def _cut(self, source: SurfaceView, crop: RectLTWH) -> SurfaceView:
        """Return a crop as pixels of its own: RGBA where the picture is."""
        size_wh = crop[2:]
        target = SurfaceView.allocate(VideoFormat.RGBA, size_wh)
        from picasso.transform.anywhere import transform

        transform(source, Placement(source.size_wh, crop, size_wh, (0, 0, *size_wh)), target, self.spec.interpolation)
        return target


def _checked(
    picture_of: ArrayLike, boxes_xyxy: ArrayLike, pictures: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    which, boxes = np.asarray(picture_of, np.intp), np.asarray(boxes_xyxy, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or which.shape != boxes.shape[:1]:
        raise ShapeError(f"expected picture_of (N,) and boxes_xyxy (N, 4), got {which.shape} and {boxes.shape}")
    if len(which) and not 0 <= which.min() <= which.max() < pictures:
        raise ShapeError(f"expected picture_of in 0..{pictures - 1}, got {which.min()}..{which.max()}")
    return which, boxes


def _crop_of(size_wh: SizeWH, box_xyxy: npt.NDArray[np.float64]) -> RectLTWH | None:
    """Return the whole pixels that a box touches, None where it touches none of the picture."""
    if not np.isfinite(box_xyxy).all():
        return None
    left, top = (max(int(np.floor(value)), 0) for value in box_xyxy[:2])
    right, bottom = (min(int(np.ceil(value)), side) for value, side in zip(box_xyxy[2:], size_wh, strict=True))
    return (left, top, right - left, bottom - top) if left < right and top < bottom else None


def _one_side(info: TensorInfo, name: str, fixed: int | None, given: int | None) -> int:
    if fixed is not None and given not in {None, fixed}:
        raise ModelError(f"input {info}: the graph fixes the {name} to {fixed} pixels, got {given}")
    side = fixed if fixed is not None else given
    if side is None:
        raise ModelError(f"input {info}: the graph leaves the {name} open; say size_wh")
    return side
