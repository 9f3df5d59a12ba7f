"""What the host calls: each entry kernel, what it takes, and how it is compiled. The one place that says so.

Numba's compiler, the C functions in front of machine code and the checks of both read it; the tables of CUDA kernels
have the same types. ``compile.host`` takes an entry's options from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from picasso_kernels.frame import job, transform
from picasso_kernels.maths import axis, calls, overlap, scores
from picasso_kernels.paint import boxes, compose, compose_frame, display_list, masks, painter, raster, rings, target


@dataclass(frozen=True, slots=True)
class Array:
    """A flat C-contiguous array."""

    dtype: str
    """NumPy's name of the type of its entries."""
    written: bool = False
    """Whether the kernel writes to it."""
    scratch: bool = False
    """Whether it is working memory: its contents mean nothing before and after."""
    least: Mapping[str, int] = field(default_factory=dict)
    """How many entries it has at least: a sum of products, each of a factor with the length of the array, or the value
    of the number, that the key names; the key "" stands for 1."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is passed by value."""

    dtype: str = "int64"
    """"int64" or "bool"."""


Argument = Array | Number


@dataclass(frozen=True, slots=True)
class Entry:
    """A kernel that the host calls."""

    kernel: Callable[..., Any]
    """The plain function."""
    arguments: Mapping[str, Argument]
    """By name, in order."""
    returns: Number | None = None
    inline: tuple[str, ...] = ()
    """See ``compile.host``."""
    keep_gil: bool = False
    """See ``compile.host``."""
    has_effects: bool = False
    """Whether a call does more than to write its arrays: then it cannot be made again, nor in another process."""

    @property
    def name(self) -> str:
        """The function's name, which no other entry has."""
        return self.kernel.__name__


JOB: Final = Array("int64", least={"": job.JOB})
BYTES: Final = Array("uint8")
MEMORY: Final = Array("uint8", written=True)
SCRATCH: Final = Array("uint8", written=True, scratch=True)
NUMBERS: Final = Array("int32")
INTEGER: Final = Number()

_FILL: Final[Mapping[str, Argument]] = {
    **{"table": Array("int16", written=True), "at": INTEGER, "count": INTEGER, "first_target": INTEGER},
    **dict.fromkeys(axis.Axis._fields, INTEGER),
    **{"first_source": INTEGER, "samples": INTEGER},
}
_TRANSFORM: Final[Mapping[str, Argument]] = {
    **{"job": JOB, "table": Array("int16"), "scratch": SCRATCH},
    **dict.fromkeys(("source0", "source1", "source2"), BYTES),
    **dict.fromkeys(("target0", "target1", "target2"), MEMORY),
}
_LISTS: Final[Mapping[str, Argument]] = {"commands": NUMBERS, "glyphs": NUMBERS, "coverage": BYTES}
_SURFACE: Final = Array("int64", least={"": target.TARGET_SIZE})
_COMPOSE: Final[Mapping[str, Argument]] = {
    "boxes": Array("float32", least={"capacity": 10}),
    "capacity": INTEGER,
    "rows": NUMBERS,
    "style_of": Array("int32", least={"rows": 1}),
    "styles": NUMBERS,
    "codes": Array("uint32"),
    "first_sprite": NUMBERS,
    "sprites": NUMBERS,
    "width": INTEGER,
    "height": INTEGER,
    "clamp_labels": Number("bool"),
    "line_ends": Array("int32", written=True, least={"": 1, "codes": 1}),
    "glyphs": Array("int32", written=True, least={"codes": display_list.GLYPH_SIZE}),
    "commands": Array(
        "int32", written=True, least={"rows": display_list.COMMANDS_PER_OBJECT * display_list.COMMAND_SIZE}
    ),
}
_FRAME: Final[Mapping[str, Argument]] = {
    "boxes": _COMPOSE["boxes"],
    **{"capacity": INTEGER, "count": INTEGER},
    **{"ids": Array("int64", least={"count": 1}), "track_ids": Array("int64", least={"count": 1})},
    **{"confidences": Array("float64", least={"count": 1}), "look_of": Array("int32", least={"count": 1})},
    **dict.fromkeys(("looks", "styles", "tokens"), NUMBERS),
    **{"texts": Array("uint32"), "text_ends": NUMBERS, "first_sprite": NUMBERS, "sprites": NUMBERS},
    **{"width": INTEGER, "height": INTEGER, "clamp_labels": Number("bool")},
    **{"codes": Array("uint32", written=True, scratch=True, least={"letters": 1}), "letters": INTEGER},
    "scratch": Array("int32", written=True, scratch=True, least={"": 1, "count": 2, "letters": 1}),
    "lists": Array(
        "int32",
        written=True,
        least={
            "": compose_frame.LISTS_UNIT,
            "count": display_list.COMMANDS_PER_OBJECT * display_list.COMMAND_SIZE,
            "letters": display_list.GLYPH_SIZE,
        },
    ),
}
_RUNS: Final[Mapping[str, Argument]] = {
    **{"width": INTEGER, "height": INTEGER, "glyphs": Array("int32", written=True)},
    "commands": Array("int32", written=True),
}
_COVER: Final[Mapping[str, Argument]] = {
    "vertices": Array("float64"),
    "points": Array("int32", written=True, scratch=True, least={"vertices": 1}),
    **{"contour_ends": NUMBERS, "shape_ends": NUMBERS, "colors": Array("int32", least={"shape_ends": 1})},
    **{"even_odd": Number("bool"), "width": INTEGER, "height": INTEGER},
    "heads": Array("int32", written=True, least={"": 1, "width": 1, "height": 1}),
    "cells": Array("int32", written=True, scratch=True),
    "spots": MEMORY,
    "glyphs": Array("int32", written=True),
    "commands": Array("int32", written=True, least={"shape_ends": display_list.COMMAND_SIZE}),
}
_RINGS: Final[Mapping[str, Argument]] = {
    "rings": Array("float64", least={"colors": rings.RING_SIZE}),
    **{"colors": NUMBERS, "arc": Array("float64", least={"": rings.ARC_SIZE})},
    **{"width": INTEGER, "height": INTEGER, "spots": MEMORY, "glyphs": Array("int32", written=True)},
    "sizes": Array("int32", written=True, least={"": 2}),
    "commands": Array("int32", written=True, least={"colors": display_list.COMMAND_SIZE}),
}
_PLACES: Final = Array("int64")
_SHAPES: Final[Mapping[str, Argument]] = {
    "shapes": Array("float64", least={"colors": compose.SHAPE_SIZE}),
    **{"colors": NUMBERS, "kind": INTEGER, "width": INTEGER, "height": INTEGER},
    "commands": Array("int32", written=True, least={"colors": display_list.COMMAND_SIZE}),
}
_CANDIDATES: Final[Mapping[str, Argument]] = {
    "scores": NUMBERS,
    **dict.fromkeys(("first", "pitch", "classes", "count", "floor"), INTEGER),
    "best": Array("int32", written=True, scratch=True, least={"": scores.SEGMENT}),
    "found": Array("int32", written=True, least={"count": scores.CANDIDATE}),
}
_SUPPRESS: Final[Mapping[str, Argument]] = {
    "boxes": Array("float64", least={"count": overlap.BOX}),
    "groups": Array("int64", least={"count": 1}),
    "share": Array("float64", least={"": 1}),
    "count": INTEGER,
    "kept": Array("int32", written=True, least={"count": 1}),
}
_BOXES: Final[Mapping[str, Argument]] = {
    **{"corners": Array("float64", least={"colors": 4}), "colors": NUMBERS, "edges": Array("float64", least={"": 1})},
    **{"kind": INTEGER, "width": INTEGER, "height": INTEGER, "start": INTEGER},
    "commands": Array(
        "int32", written=True, least={"colors": display_list.COMMAND_SIZE, "start": display_list.COMMAND_SIZE}
    ),
}
_CALLS: Final[Mapping[str, Argument]] = {"calls": Array("int64", least={"count": calls.CALL_SIZE}), "count": INTEGER}
RASTER: Final = ("paint.raster", "paint.masks", "maths.memory")
BOXES: Final = ("paint.boxes", "paint.compose", "paint.display_list")
RINGS: Final = ("paint.rings", "paint.raster", "maths.memory")
_PIXELS: Final[Mapping[str, Argument]] = {"target": _SURFACE, "pixels": MEMORY, "scratch": SCRATCH}
_PLANES: Final[Mapping[str, Argument]] = {
    **{"target": _SURFACE, "luma": MEMORY, "blue": MEMORY, "red": MEMORY, "scratch": SCRATCH},
}

ENTRIES: Final[Mapping[Callable[..., Any], Entry]] = {
    entry.kernel: entry
    for entry in (
        Entry(transform.transform_frame, _TRANSFORM),
        Entry(painter.paint_planes, {**_LISTS, **_PLANES}, inline=painter.INLINE),
        Entry(painter.paint_pixels, {**_LISTS, **_PIXELS}, inline=painter.INLINE),
        Entry(compose.compose, _COMPOSE, returns=INTEGER, keep_gil=True),
        Entry(compose_frame.compose_frame, _FRAME, returns=INTEGER, inline=compose_frame.INLINE, keep_gil=True),
        Entry(compose.put_shapes, _SHAPES, returns=INTEGER, keep_gil=True),
        Entry(boxes.put_boxes, _BOXES, returns=INTEGER, inline=BOXES, keep_gil=True),
        Entry(raster.cover_shapes, _COVER, returns=INTEGER, inline=RASTER, keep_gil=True),
        Entry(rings.cover_rings, _RINGS, returns=INTEGER, inline=RINGS, keep_gil=True),
        Entry(masks.scan_bitmaps, {"memory": BYTES, "bitmaps": _PLACES, **_RUNS}, returns=INTEGER, inline=RASTER),
        Entry(masks.stretch_grids, {"runs": NUMBERS, "grids": _PLACES, **_RUNS}, returns=INTEGER, inline=RASTER),
        Entry(scores.find_candidates, _CANDIDATES, returns=INTEGER),
        Entry(overlap.suppress, _SUPPRESS, returns=INTEGER),
        Entry(axis.fill_nearest, _FILL),
        Entry(axis.fill_bilinear, _FILL),
        Entry(calls.make_calls, _CALLS, returns=INTEGER, keep_gil=True, has_effects=True),
    )
}
"""By their plain functions."""
