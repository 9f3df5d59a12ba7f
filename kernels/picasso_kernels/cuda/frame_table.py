"""The frame descriptor: everything a CUDA kernel knows of one frame, as one row of 64-bit and 32-bit numbers.

One frame is launched with its row as the kernel's arguments, which the device keeps in constant memory; a batch with a
table of rows, one a frame, so that frames of one launch may differ in everything. Both have the bytes of ``FRAME``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso_kernels.cuda.instructions import Plane

BLEND_BITS: Final = 12
"""An axis entry is ``index << 12 | weight``: 14 bits say which sample, 12 which share of 2048 the next one has."""
BLEND_MASK: Final = (1 << BLEND_BITS) - 1
INDEX_MASK: Final = 0x7FFF
OUTSIDE: Final = -(1 << 31)
"""Axis entry of a column or row in a bar; its index is 0, so that reading there is harmless."""
SELECTORS: Final = (0x5140, 0x7362)
"""``red_green`` and ``blue_alpha`` of pixels in the order red, green, blue, alpha; of two pairs of chroma, U first."""
BLUE_FIRST: Final = (0x5162, 0x7340)
V_FIRST: Final = (0x4051, 0x6273)
PAIRS: Final = (0x3120, 0x2031)
"""``red_green`` of two pairs of chroma, each of its own kind together: U first, V first."""
AS_THEY_ARE: Final = (0x3210, 0x2301)
"""The same, the pairs left as they are: U first, V first."""


class FrameRow(NamedTuple):
    """One frame: where its planes and axis tables are, and the numbers between them.

    Convention: pitches, steps and offsets are bytes; sources may have any, negative ones too. Rows of a target
    run downwards; its luma has a step of 1, its pixels of 4.
    """

    source: Plane
    """First byte of the first pixel of the source, or of its luma."""
    source_u: Plane
    source_v: Plane
    target: Plane
    """First pixel of the target, its luma, or its red plane."""
    target_u: Plane
    """Chroma, or the green plane of a tensor."""
    target_v: Plane
    """Chroma, or the blue plane of a tensor."""
    columns: Plane
    """Axis table of the target's columns in the source's pixels or luma."""
    rows: Plane
    chroma_columns: Plane
    """Axis table in the source's chroma samples: of the target's pixels, or of its chroma from plane to plane."""
    chroma_rows: Plane
    column_weights: Plane
    """``column_taps`` weights a column, of filters that have taps."""
    row_weights: Plane
    chroma_column_weights: Plane
    chroma_row_weights: Plane

    width: int
    """Of the target, in pixels. Numbers that kernels read together lie in pairs, which are one access."""
    height: int
    pitch: int
    """Source."""
    next_row: int
    """To the sample below that a bilinear sample is blended with: the pitch, or 0 where the crop has one row."""
    chroma_pitch: int
    chroma_next_row: int
    red_green: int
    """Selector of ``pick_bytes`` that takes red and green of two words, those of the first and the second in turns."""
    blue_alpha: int
    target_pitch: int
    chroma_target_pitch: int
    step: int
    luma: int
    """``color.ToRgb``; not in pairs from here on, as sums of them are made before use."""
    rgb_floor: int
    red_v: int
    green_u: int
    green_v: int
    blue_u: int
    next_column: int
    chroma_step: int
    chroma_next_column: int
    red: int
    """Offset of the channel in a pixel that is read byte by byte."""
    green: int
    blue: int
    alpha: int
    """Negative where pixels are opaque."""
    chroma_target_step: int
    """2 where U and V take turns, U first; else 1."""
    wide_stores: int
    """1 where rows of the target are aligned for stores of two pixels."""
    column_taps: int
    row_taps: int
    chroma_column_taps: int
    chroma_row_taps: int
    left: int
    """Of the picture in the target."""
    top: int
    right: int
    bottom: int
    luma_black: int
    luma_floor: int
    """``color.ToYuv``, from here on."""
    y_red: int
    y_green: int
    y_blue: int
    u_red: int
    u_green: int
    u_blue: int
    v_red: int
    v_green: int
    v_blue: int
    scale_red: int
    """Bits of float32: a tensor holds ``value * scale + bias``."""
    bias_red: int
    scale_green: int
    bias_green: int
    scale_blue: int
    bias_blue: int
    pad: int
    """What the bars of a tensor are before the scaling: red in the lowest byte, green, blue."""


ADDRESSES: Final = 14
"""How many of the fields are addresses; they come first."""
NUMBERS: Final = len(FrameRow._fields) - ADDRESSES

FRAME: Final = np.dtype(
    {
        "names": list(FrameRow._fields),
        "formats": [np.uint64] * ADDRESSES + [np.int32] * NUMBERS,
        "itemsize": -(-(8 * ADDRESSES + 4 * NUMBERS) // 16) * 16,
    },
    align=False,
)
"""A row in memory: 64-bit addresses, then 32-bit numbers, without gaps, padded to a multiple of 16 bytes."""

BATCH_FRAMES: Final = 32
"""Rows of a table; their bytes are a kernel's arguments, of which a driver since CUDA 12.1 takes 32,764."""
BLOCK_THREADS: Final = 128
"""Threads of a block."""


class Place(NamedTuple):
    """A plane's address: ``planes[plane] + shift`` bytes."""

    plane: int
    shift: int


@dataclass(frozen=True, slots=True)
class FramePlan:
    """All of a frame's descriptor but addresses."""

    kernel: str
    """A key of ``cuda.kernels.KERNELS``."""
    row: npt.NDArray[Any]
    """One ``FRAME``, its addresses 0, except those of axis tables, which count bytes from the start of ``tables``."""
    tables: npt.NDArray[np.int32]
    sources: tuple[Place, Place, Place]
    targets: tuple[Place, Place, Place]
    blocks: tuple[int, int]
    """Columns and rows of threads: of 2x2 target pixels, of 4x2 or 8x2."""
