"""Moving a frame from one size to another: its boxes, its size and its chain of transformations together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from picasso.errors import TransformationChainError
from picasso.primitives.frame_objects import FrameObjects
from picasso.primitives.geometry import PairXY, scale_shift_columns
from picasso.primitives.object_shapes import Shapes, put_shapes, shapes_in, turn_shapes
from picasso.primitives.orientation import UPRIGHT, Orientation
from picasso.primitives.transformation import ChainAffine, ChainStep, Move, VideoFrameTransformation, moves_of
from picasso.primitives.video_object import VideoObjectBBoxTransformation

_INITIAL_SIZE: Final = ChainStep.INITIAL_SIZE
_AS_IT_IS: Final = ((1.0, 1.0), (0.0, 0.0))
"""A factor and an offset that change nothing."""


class FrameGeometry(NamedTuple):
    """Where everything in a frame was when ``save_geometry`` was called."""

    width: int
    height: int
    transformations: tuple[VideoFrameTransformation, ...]
    ids: NDArray[np.int64]
    """``(N,)``."""
    boxes: NDArray[np.float32]
    """``(2, 5, C)``: detection and track boxes, field, object; the first N are those of ``ids``."""
    shapes: Shapes
    """Masks, polygons and keypoints by object."""


class MovableFrame(FrameObjects):
    """A frame whose boxes follow its pixels."""

    __slots__ = ()

    @property
    def transformations(self) -> list[VideoFrameTransformation]:
        """What was done to the pixels, in order; a copy. A new frame has one ``initial_size``."""
        return self._transformations.copy()

    def add_transformation(self, transformation: VideoFrameTransformation) -> None:
        """Append a step to the chain; boxes and size stay as they are."""
        if not isinstance(transformation, VideoFrameTransformation):
            raise TypeError(f"expected VideoFrameTransformation, got {type(transformation).__name__}")
        self._transformations.append(transformation)

    def clear_transformations(self) -> None:
        """Empty the chain; not even an ``initial_size`` is left."""
        self._transformations.clear()

    def check_pristine(self) -> None:
        """Make sure that nothing was done to the pixels, but that a reader may have turned them.

        Raises:
            TransformationChainError: The chain is not exactly one ``initial_size`` of the frame's size, nor one and an
                ``orientation`` that makes that size of it.
        """
        self.pristine_wh()

    def pristine_wh(self) -> tuple[int, int]:
        """Return width and height, pixels, after ``check_pristine``.

        Raises:
            TransformationChainError: As there.
        """
        chain, size_wh = self._transformations, (self._width, self._height)
        if len(chain) == 1 and (first := chain[0]).values == size_wh and first.step is _INITIAL_SIZE:
            return size_wh  # as nearly always
        if not self._is_turned():
            expected = [VideoFrameTransformation.initial_size(self._width, self._height)]
            raise TransformationChainError(f"Invalid transformation chain: expected {expected}, got {chain}")
        return size_wh

    def transform_forward(self) -> None:
        """Move all boxes from initial to current coordinates; size and chain become those of the current size.

        Raises:
            TransformationChainError: The chain has no ``initial_size``, or leaves no pixels; nothing is changed.
        """
        if self._is_pristine():
            return
        moves = moves_of(self._transformations)
        current_wh = moves[-1].current_wh
        if min(current_wh) <= 0:
            raise TransformationChainError(
                f"Transformation chain has no computable current size: {self._transformations} leaves {{}}x{{}}".format(
                    *current_wh
                )
            )
        self._apply(moves)

    def transform_backward(self) -> None:
        """Move all boxes from current to initial coordinates; size and chain become those of the initial size.

        Raises:
            TransformationChainError: The chain has no ``initial_size``, or scales to nothing; nothing is changed.
        """
        if not self._is_pristine():
            self._apply([move.inverted() for move in reversed(moves_of(self._transformations))])

    def move_boxes(self, scale_xy: PairXY, offset_xy: PairXY) -> None:
        """Scale detection and track boxes about the origin, then shift them by ``offset_xy`` pixels.

        Size and chain stay as they are.

        A rotated box under unequal scales follows the rule of ``geometry.scale_shift_columns``.
        """
        store = self._objects
        if not store.count or (scale_xy, offset_xy) == _AS_IT_IS:
            return
        scale_shift_columns(store.boxes, scale_xy, offset_xy)  # blank rows are NaN, and stay it
        if scale_xy[0] < 0 or scale_xy[1] < 0:
            is_half_turn = scale_xy[1] < 0
            turn_shapes(store, Orientation(180 if is_half_turn else 0, is_half_turn != (scale_xy[0] < 0)))

    def transform_geometry(
        self,
        ops: Iterable[VideoObjectBBoxTransformation],
        no_gil: bool = True,  # noqa: ARG002 - the reference's
    ) -> None:
        """Apply steps to the detection and track boxes of all objects, in order; size and chain stay as they are.

        Args:
            ops: The steps.
            no_gil: Has no effect; existing code gives it.
        """
        for op in ops:
            scale_xy, offset_xy = (op.xy, (0.0, 0.0)) if op.is_scale else ((1.0, 1.0), op.xy)
            self.move_boxes(scale_xy, offset_xy)

    def set_geometry(self, width: SupportsIndex, height: SupportsIndex) -> None:
        """Set the size, and the chain to one ``initial_size`` of it; boxes stay as they are."""
        self.begin_at(VideoFrameTransformation.initial_size(width, height))

    def begin_at(self, start: VideoFrameTransformation) -> None:
        """Set the size to that of ``start``, an ``initial_size``, and the chain to this one step; boxes stay."""
        self._width, self._height = start.values
        self._transformations = [start]

    def save_geometry(self) -> FrameGeometry:
        """Note size, chain, boxes and what is inside them for ``restore_geometry``."""
        store = self._objects
        return FrameGeometry(
            self._width,
            self._height,
            tuple(self._transformations),
            store.ids[: store.count].copy(),
            store.boxes.copy(),
            shapes_in(store) if store.attributes else {},
        )

    def restore_geometry(self, saved: FrameGeometry) -> None:
        """Put size, chain, boxes and what is inside them back, exactly; objects that came since stay where they are."""
        self._width, self._height = saved.width, saved.height
        self._transformations = list(saved.transformations)
        store = self._objects
        put_shapes(store, saved.shapes)
        if np.array_equal(self.object_ids(), saved.ids):
            store.boxes[:, :, : store.count] = saved.boxes[:, :, : store.count]
            return
        for column, object_id in enumerate(saved.ids.tolist()):
            row = store.rows.get(object_id)
            if row is not None:
                store.boxes[:, :, row] = saved.boxes[:, :, column]

    def _is_pristine(self) -> bool:
        """Say whether initial and current coordinates are one and the same: no step but the first, of this size."""
        chain = self._transformations
        return len(chain) == 1 and chain[0].values == (self._width, self._height) and chain[0].is_initial_size

    @property
    def orientation(self) -> Orientation:
        """How a reader turned the picture that was coded; upright also where something else was done to the pixels."""
        return (self._transformations[1].as_orientation if self._is_turned() else None) or UPRIGHT

    def _is_turned(self) -> bool:
        """Say whether the picture was turned, and nothing else was done to it."""
        if len(self._transformations) != 2:
            return False
        size_wh, orientation = self._transformations[0].as_initial_size, self._transformations[1].as_orientation
        if size_wh is None or orientation is None:
            return False
        return orientation.size(size_wh) == (self._width, self._height)

    def turn(self, orientation: Orientation) -> None:
        """Turn boxes and size with the picture, as ``orientation`` says, and note it in the chain.

        Raises:
            ValueError: Not a turn by quarters.
        """
        step = VideoFrameTransformation.orientation(orientation)
        store = self._objects
        if store.count:
            orientation.move_boxes(store.boxes, (self._width, self._height))
            turn_shapes(store, orientation)
        self._width, self._height = orientation.size((self._width, self._height))
        self._transformations.append(step)

    def _apply(self, moves: Sequence[Move]) -> None:
        store = self._objects
        for move in moves:
            if isinstance(move, ChainAffine):
                self.move_boxes(move.scale_xy, move.offset_xy)
            elif store.count:
                move.orientation.move_boxes(store.boxes, move.initial_wh)
                turn_shapes(store, move.orientation)
        self.set_geometry(*moves[-1].current_wh)
