"""A model that is loaded, and the maker of its inputs: pictures in, raw outputs out, with where each picture was."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from picasso.errors import ShapeError
from picasso.infer.heads import extra_feeds
from picasso.infer.inputs import ImageHook, InputMaker, Inputs, InputSpec
from picasso.infer.session import Session
from picasso.surface import SurfaceView
from picasso.transform import Placement
from picasso.transform.tensor import tensor_shape


class Part(NamedTuple):
    """What one call of the model said."""

    placements: list[Placement]
    """For each picture of the call, where it lies in the tensor."""
    kept: npt.NDArray[np.intp]
    """``(N,)``: which of the pictures or objects that were given."""
    outputs: Mapping[str, npt.NDArray[Any]]
    """By name; the first axis of each is the batch, unless the graph says otherwise."""
    model_ns: int
    """How long the model took, in nanoseconds."""

    @property
    def scales_xy(self) -> list[tuple[float, float]]:
        """For each picture the source pixels of one pixel of the tensor."""
        return [(1 / placement.scale_xy[0], 1 / placement.scale_xy[1]) for placement in self.placements]


class Inference:
    """Runs a model on pictures or on objects of pictures, in batches. Safe from any thread.

    Args:
        session: The model.
        spec: What its input wants.
        batch_size: The most pictures a call, of a model that takes any number; None for no limit.
    """

    def __init__(self, session: Session, spec: InputSpec, *, batch_size: int | None = None) -> None:
        self.session: Session = session
        self.spec: InputSpec = spec
        self._at_most = batch_size
        self.maker: InputMaker = InputMaker(spec, session.batch)
        """What makes its tensors."""

    def _extras(self, count: int) -> dict[str, npt.NDArray[Any]]:
        return extra_feeds(self.session.inputs, self.spec.size_wh, count)

    def of_pictures(self, surfaces: Sequence[SurfaceView]) -> Iterator[Part]:
        """Run the model on whole pictures.

        Yields:
            What each call said, in the order of the pictures.

        Raises:
            ShapeError: There is no picture.
            SurfaceError: A picture of a format that cannot be read.
            ModelError: The model fails.
        """
        yield from self._parts(self.maker.of_pictures(surfaces))

    def of_tensor(self, tensor: npt.NDArray[Any], placements: Sequence[Placement]) -> Iterator[Part]:
        """Run the model on a tensor that was made before, as ``spec`` says.

        Args:
            tensor: ``(N, C, H, W)`` or ``(N, H, W, C)`` in host memory.
            placements: N, from pixels of each picture to those of the tensor.

        Yields:
            What each call said, in the order of the pictures.

        Raises:
            ShapeError: The tensor or the number of placements is not what the model reads.
            ModelError: The model fails.
        """
        spec = self.spec
        shape = tensor_shape(len(placements), spec.normalization.channels, spec.size_wh, spec.layout)
        if tensor.shape != shape or str(tensor.dtype) != spec.dtype:
            raise ShapeError(
                f"tensor: expected {spec.dtype} {shape}, got {tensor.dtype} {tensor.shape}; Detector.spec says what "
                "the model reads"
            )
        yield from self._calls(tensor, list(placements), np.arange(len(placements)))

    def of_objects(
        self,
        surfaces: Sequence[SurfaceView],
        picture_of: ArrayLike,
        boxes_xyxy: ArrayLike,
        *,
        prepare_image: ImageHook | None = None,
    ) -> Iterator[Part]:
        """Run the model on objects of pictures; those outside the limits of the spec are left out.

        Args:
            surfaces: The pictures.
            picture_of: ``(N,)``, which picture an object is in.
            boxes_xyxy: ``(N, 4)`` corners in pixels of that picture.
            prepare_image: Changes a crop before it is scaled.

        Yields:
            What each call said, in the order of the objects.

        Raises:
            ShapeError: Arrays of other shapes, or a picture that is not there.
            SurfaceError: A picture of a format that cannot be read.
            ModelError: The model fails.
        """
        inputs = self.maker.of_objects(surfaces, picture_of, boxes_xyxy, prepare_image=prepare_image)
        if inputs is not None:
            yield from self._parts(inputs)

    def _parts(self, inputs: Inputs) -> Iterator[Part]:
        tensor = inputs.tensor
        if not (self.session.on_gpu or isinstance(tensor, np.ndarray)):
            tensor = tensor.to_numpy()  # a model on the CPU, of pictures that were scaled on a GPU
        yield from self._calls(tensor, inputs.placements, inputs.kept)
        self.maker.give_back(inputs)

    def _calls(self, tensor: Any, placements: list[Placement], kept: npt.NDArray[np.intp]) -> Iterator[Part]:
        started = time.monotonic_ns()
        calls = self.session.run_batches(tensor, count=len(placements), at_most=self._at_most, extras=self._extras)
        for which, outputs in calls:
            taken_ns = time.monotonic_ns() - started
            yield Part(placements[which], kept[which], outputs, taken_ns)
            started = time.monotonic_ns()
