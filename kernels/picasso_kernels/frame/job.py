"""The job table: everything that the transform kernel knows beside the memory itself, as one flat row of integers.

A table instead of arguments: a call passes one array, and a batch on a GPU is a matrix with a job a row.
``plan.py`` writes it, ``transform.py`` reads it. Offsets into scratch and tables count bytes and entries.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Writer(IntEnum):
    """What the kernel writes."""

    PIXELS = 0
    """RGBA or RGB."""
    YUV420 = 1
    """NV12 or I420, by way of RGBA rows."""
    PLANES = 2
    """NV12 or I420 from YUV of the same colour space, plane by plane."""
    TENSOR = 3
    """Numbers of one, two or four bytes, looked up for each channel."""


class Reader(IntEnum):
    """What the rows of the source become before they are written."""

    PIXELS = 0
    GREY = 1
    YUV = 2


class Store(IntEnum):
    """How the target lies beside what the row loops make."""

    DIRECT = 0
    """As pixels come out."""
    PLANAR = 1
    """4:2:0 in three planes without gaps in their rows."""
    PAIRED = 2
    """4:2:0 in a plane of luma and one of pairs, whose first is written as U."""
    SPREAD = 3
    """With other steps, or with channels in another order."""


class Read(IntEnum):
    """How the samples of a source row lie in memory."""

    TIGHT = 0
    """As the kernel wants them."""
    SAMPLES = 1
    """Single samples, some step apart."""
    PIXELS = 2
    """Four channels, some steps apart."""
    OPAQUE = 3
    """Three channels, some steps apart."""


class Filter(IntEnum):
    """How a row of the target is made of rows of the source."""

    NEAREST = 0
    BILINEAR = 1
    TAPS = 2


# One block a component: one or four interleaved channels of the source, resampled to one grid of the target.
BASE: Final = 0
"""Byte of the first sample of the crop."""
PITCH: Final = 1
STEP: Final = 2
LANE_STEP: Final = 3
LANES: Final = 4
READ: Final = 5
COLUMNS: Final = 6
"""Samples a row of the crop."""
FILTER: Final = 7
OUT_COLUMNS: Final = 8
X_INDEX: Final = 9
"""Where the tables for columns start: index and weights of each target sample."""
X_WEIGHT: Final = 10
X_TAPS: Final = 11
Y_INDEX: Final = 12
Y_WEIGHT: Final = 13
Y_TAPS: Final = 14
LAST_ROW: Final = 15
"""Index of the last row of the crop."""
X_COPY: Final = 16
"""1 where columns need no resampling."""
CACHE: Final = 17
"""Scratch offset of the ring of collected rows."""
SLOTS: Final = 18
SLOT_BYTES: Final = 19
TAGS: Final = 20
"""Scratch offset of the numbers of the rows that the ring holds, 4 bytes each."""
WIDE: Final = 21
"""Scratch offset of a wide row."""
PLACES: Final = 22
"""Scratch offset of where the rows of a sum start, 8 bytes each."""
OUT_ROWS: Final = 23
NEAR: Final = 24
"""1 where neighbouring target columns are at most two source columns apart, which vector code may rely on."""
FAR: Final = 25
"""1 where pixels are blended without a wide row, as most columns are not needed."""
HALVES: Final = 26
"""1 where samples are the means of 2x2: both axes shrink by 2, and no weight is other than a half."""
COMPONENT: Final = 27
"""Entries a component."""

COMPONENTS: Final = 3
HEADER: Final = COMPONENTS * COMPONENT

WRITER: Final = HEADER + 0
READER: Final = HEADER + 1
SWAP: Final = HEADER + 2
"""1 where blue comes first in the source."""
OPAQUE: Final = HEADER + 3
"""1 where the fourth channel of the source means nothing."""
DIRECT: Final = HEADER + 4
"""1 where source rows are target rows as they stand."""
TARGET_WIDTH: Final = HEADER + 5
TARGET_HEIGHT: Final = HEADER + 6
LEFT: Final = HEADER + 7
TOP: Final = HEADER + 8
WIDTH: Final = HEADER + 9
HEIGHT: Final = HEADER + 10
LUMA_BLACK: Final = HEADER + 11
ROWS: Final = HEADER + 12
"""Scratch offset of two rows of pixels and a black one, each as wide as ROW_BYTES."""
ROW_BYTES: Final = HEADER + 13
SAMPLE_ROWS: Final = HEADER + 14
"""Scratch offset of three rows of samples."""
SAMPLE_ROW_BYTES: Final = HEADER + 15
STORE: Final = HEADER + 16
OUT_LANES: Final = HEADER + 17
NUMBER_BYTES: Final = HEADER + 18
"""Of a tensor."""
GREY: Final = HEADER + 19
"""1 where a tensor has the luma of its pixels in all channels."""
PAD: Final = HEADER + 20
"""The pixel of a tensor's bars, as ``memory.pixel`` packs it, in the order of the target."""
STREAM: Final = HEADER + 21
"""1 where a tensor is larger than the caches, and vector code writes past them."""
TO_YUV: Final = HEADER + 22
"""The ten coefficients of ``color.ToYuv``."""
TO_RGB: Final = TO_YUV + 10
"""The six coefficients of ``color.ToRgb``."""
OUT: Final = TO_RGB + 6
"""Three target planes of four entries."""
OUT_BASE: Final = 0
OUT_PITCH: Final = 1
OUT_STEP: Final = 2
OUT_LANE_STEP: Final = 3
OUT_PLANE: Final = 4
"""Entries a target plane."""
JOB: Final = OUT + 3 * OUT_PLANE
"""Entries of a job."""
