"""Small font files for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

Box = tuple[int, int, int, int]
UPEM = 1000


def write_font(
    path: Path,
    family: str,
    glyph_of: Mapping[int, Box],
    *,
    style: str = "Regular",
    layers: Mapping[int, Sequence[tuple[Box, int]]] | None = None,
    palette: Sequence[tuple[float, float, float, float]] = (),
    upem: int = UPEM,
) -> Path:
    """Write a TrueType font whose letters are boxes.

    Args:
        path: Written.
        family: Its name.
        glyph_of: For each code point, the box ``x0 y0 x1 y1`` of its letter, which is one em wide.
        style: Of the family.
        layers: For code points that are coloured, a box and the number of its colour for each layer.
        palette: Red, green, blue, alpha in 0..1 of each colour.
        upem: Units of an em.
    """
    builder_of = pytest.importorskip("fontTools.fontBuilder").FontBuilder
    pen_of = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen
    boxes: dict[str, Box] = {".notdef": (100, 0, 900, 900)}
    boxes |= {f"u{code:X}": box for code, box in glyph_of.items()}
    colored: dict[str, list[tuple[str, int]]] = {}
    for code, parts in (layers or {}).items():
        names = [f"u{code:X}.{number}" for number in range(len(parts))]
        boxes |= dict(zip(names, (box for box, _ in parts), strict=True))
        colored[f"u{code:X}"] = list(zip(names, (color for _, color in parts), strict=True))
    builder = builder_of(upem, isTTF=True)
    builder.setupGlyphOrder(list(boxes))
    builder.setupCharacterMap({code: f"u{code:X}" for code in glyph_of})
    outlines = {}
    for name, (x0, y0, x1, y1) in boxes.items():
        pen = pen_of(None)
        pen.moveTo((x0, y0))
        for corner in ((x0, y1), (x1, y1), (x1, y0)):
            pen.lineTo(corner)
        pen.closePath()
        outlines[name] = pen.glyph()
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics({name: (upem, boxes[name][0]) for name in boxes})
    builder.setupHorizontalHeader(ascent=upem, descent=0)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2()
    builder.setupPost()
    if colored:
        builder.setupCOLR(colored)
        builder.setupCPAL([list(palette)])
    builder.save(path)
    return path
