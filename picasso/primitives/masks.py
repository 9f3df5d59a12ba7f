"""Masks of many objects: each keeps the pixels around it, not the whole picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.conversions.rle import decode_rle, encode_rle, fill_rings, rings_of

BoolArray = NDArray[np.bool_]

_NOTHING = np.zeros((0, 0), bool)


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Which pixels of a picture belong to each object.

    A mask is a cut of the picture: what lies outside the cut is not of the object. So a hundred masks of a large
    picture take what their objects cover.

    Convention: ``masks[2]`` is one mask of the whole picture, ``(height, width)`` of bool; a slice, a list of rows or
    an array of bool gives ``Masks``. ``for mask in masks`` gives whole pictures, one at a time.

    Raises:
        ShapeError: A cut is not inside the picture, or there is not one corner for each cut.
    """

    size_wh: tuple[int, int]
    """Width and height of the picture, in pixels."""
    corners_xy: NDArray[np.int64]
    """``(N, 2)`` left and top of each cut, in pixels."""
    cuts: tuple[BoolArray, ...]
    """N arrays ``(height, width)``; true where the object is; of no pixels for an empty mask."""

    def __post_init__(self) -> None:
        corners = np.asarray(self.corners_xy, np.int64).reshape(-1, 2)
        object.__setattr__(self, "corners_xy", corners)
        object.__setattr__(self, "cuts", tuple(self.cuts))
        if len(corners) != len(self.cuts):
            raise ShapeError(f"cuts: expected {len(corners)}, one for each corner, got {len(self.cuts)}")
        width, height = self.size_wh
        for row, ((left, top), cut) in enumerate(zip(corners.tolist(), self.cuts, strict=True)):
            if cut.ndim != 2 or cut.dtype != np.bool_:
                raise ShapeError(f"cuts[{row}]: expected (height, width) of bool, got {cut.shape} of {cut.dtype}")
            if left < 0 or top < 0 or left + cut.shape[1] > width or top + cut.shape[0] > height:
                raise ShapeError(f"cuts[{row}]: {cut.shape[1]}x{cut.shape[0]} at {left}, {top} leaves {width}x{height}")

    @classmethod
    def from_dense(cls, masks: ArrayLike) -> Masks:
        """Make masks of whole pictures ``(N, height, width)``; what is not 0 is of the object.

        Raises:
            ShapeError: There are not three axes.

        >>> Masks.from_dense([[[0, 0, 0], [0, 1, 1]]]).corners_xy.tolist()
        [[1, 1]]
        """
        dense = np.asarray(masks)
        if dense.ndim != 3:
            raise ShapeError(f"masks: expected (N, height, width), got {dense.shape}")
        return cls._trimmed((dense.shape[2], dense.shape[1]), ((0, 0, mask) for mask in dense.astype(bool)))

    @classmethod
    def empty(cls, size_wh: tuple[int, int], count: int = 0) -> Masks:
        """Return ``count`` masks without a pixel, of a picture of ``size_wh``."""
        return cls(size_wh, np.zeros((count, 2), np.int64), (_NOTHING,) * count)

    @classmethod
    def _trimmed(cls, size_wh: tuple[int, int], cuts: Iterable[tuple[int, int, BoolArray]]) -> Masks:
        kept = [trim(left, top, cut) for left, top, cut in cuts]
        return cls(size_wh, np.array([cut[:2] for cut in kept], np.int64).reshape(-1, 2), tuple(c[2] for c in kept))

    @classmethod
    def from_rle(cls, codes: Sequence[Any]) -> Masks:
        """Make masks of COCO's run-length codes: ``size`` [height, width] and ``counts``, numbers or text.

        Raises:
            MetadataError: One is none.
            ShapeError: There is none, or they are of pictures of different sizes.
        """
        dense = [decode_rle(code) for code in codes]
        sizes = sorted({mask.shape[::-1] for mask in dense})
        if len(sizes) != 1:
            raise ShapeError(
                f"rle: expected codes of one size, got {', '.join(f'{w}x{h}' for w, h in sizes) or 'none'}"
            )
        return cls._trimmed(sizes[0], ((0, 0, mask) for mask in dense))

    @classmethod
    def from_polygons(cls, polygons: Iterable[Iterable[ArrayLike]], size_wh: tuple[int, int]) -> Masks:
        """Make masks of polygons: pixels whose centres lie inside, by the even-odd rule.

        Args:
            polygons: N lists of rings, each ``(M, 2)`` of x and y in pixels.
            size_wh: Width and height of the picture in pixels; what lies outside is lost.

        Raises:
            ShapeError: A ring has another shape, or a corner is not finite.
        """
        filled = (fill_rings([np.asarray(ring) for ring in rings], size_wh) for rings in polygons)
        return cls._trimmed(size_wh, filled)

    def to_rle(self) -> list[dict[str, Any]]:
        """Return COCO's run-length code of each: ``size`` [height, width] and ``counts``, compressed text.

        >>> Masks.from_dense([[[0, 1], [0, 1]]]).to_rle()
        [{'size': [2, 2], 'counts': '22'}]
        """
        return [encode_rle(left, top, cut, self.size_wh) for left, top, cut in self._cuts()]

    def to_polygons(self) -> tuple[tuple[NDArray[np.float64], ...], ...]:
        """Return the outlines of each, along the edges of pixels: rings ``(M, 2)`` of x and y, holes among them.

        ``from_polygons`` makes the same masks of them.
        """
        return tuple(
            tuple(ring + np.array((left, top), np.float64) for ring in rings_of(cut)) for left, top, cut in self._cuts()
        )

    def to_dense(self) -> BoolArray:
        """Return whole pictures, ``(N, height, width)`` of bool."""
        width, height = self.size_wh
        dense = np.zeros((len(self), height, width), bool)
        for mask, (left, top), cut in zip(dense, self.corners_xy.tolist(), self.cuts, strict=True):
            mask[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
        return dense

    @property
    def areas(self) -> NDArray[np.int64]:
        """``(N,)`` pixels of each object."""
        return np.array([np.count_nonzero(cut) for cut in self.cuts], np.int64)

    @property
    def xyxy(self) -> NDArray[np.float32]:
        """``(N, 4)`` corners of the smallest box around each object, in pixels; zeros for an empty mask."""
        boxes = np.zeros((len(self), 4), np.float32)
        for row, (left, top, cut) in enumerate(self._cuts()):
            boxes[row] = (left, top, left + cut.shape[1], top + cut.shape[0])
        return boxes

    @staticmethod
    def concatenate(parts: Sequence[Masks]) -> Masks:
        """Join masks of one picture.

        Raises:
            ShapeError: There are none, or they are of pictures of different sizes.
        """
        sizes = sorted({part.size_wh for part in parts})
        if len(sizes) != 1:
            raise ShapeError(
                f"masks: expected those of one size, got {', '.join(f'{w}x{h}' for w, h in sizes) or 'none'}"
            )
        corners = np.concatenate([part.corners_xy for part in parts])
        return Masks(sizes[0], corners, tuple(cut for part in parts for cut in part.cuts))

    def __len__(self) -> int:
        return len(self.cuts)

    def __iter__(self) -> Iterator[BoolArray]:
        return (self._whole(row) for row in range(len(self)))

    def __getitem__(self, rows: int | slice | ArrayLike) -> BoolArray | Masks:
        if isinstance(rows, int | np.integer):
            return self._whole(range(len(self))[int(rows)])
        return self.take(rows)

    def _whole(self, row: int) -> BoolArray:
        """Return one mask of the whole picture."""
        found: BoolArray = self.take([row]).to_dense()[0]
        return found

    def take(self, rows: slice | ArrayLike) -> Masks:
        """Return the masks of ``rows``: a slice, numbers of rows, or ``(N,)`` of bool."""
        picked = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows)]
        return Masks(self.size_wh, self.corners_xy[picked], tuple(self.cuts[row] for row in picked))

    def __eq__(self, other: object) -> bool:
        """Say whether the pixels are the same, wherever the cuts are."""
        if not isinstance(other, Masks):
            return NotImplemented
        if self.size_wh != other.size_wh or len(self) != len(other):
            return False
        return all(_same(one, two) for one, two in zip(self._cuts(), other._cuts(), strict=True))

    def _cuts(self) -> Iterator[tuple[int, int, BoolArray]]:
        """Yield left, top and pixels of each, without empty edges."""
        for (left, top), cut in zip(self.corners_xy.tolist(), self.cuts, strict=True):
            yield trim(left, top, cut)

    __hash__: ClassVar[None] = None  # type: ignore[assignment] # arrays may change

    def __repr__(self) -> str:
        return f"Masks({len(self)} of {self.size_wh[0]}x{self.size_wh[1]})"


def trim(left: int, top: int, cut: BoolArray) -> tuple[int, int, BoolArray]:
    """Return left, top and the cut without rows and columns at its edges that hold nothing."""
    rows, columns = np.flatnonzero(cut.any(axis=1)), np.flatnonzero(cut.any(axis=0))
    if not rows.size:
        return 0, 0, _NOTHING
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    return left + int(x0), top + int(y0), np.ascontiguousarray(cut[y0:y1, x0:x1])


def _same(one: tuple[int, int, BoolArray], two: tuple[int, int, BoolArray]) -> bool:
    return one[:2] == two[:2] and np.array_equal(one[2], two[2])
