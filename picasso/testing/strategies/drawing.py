"""What is drawn for objects."""

from __future__ import annotations

from hypothesis import strategies as st

from picasso.draw import (
    BBoxSource,
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
)
from picasso.draw.label import FIELDS
from picasso.testing.strategies.attributes import TEXTS

_BYTES = st.integers(0, 255)
_COLORS = st.builds(ColorDraw, _BYTES, _BYTES, _BYTES, _BYTES)
_MARGINS = st.integers(-100, 100)
_POSITIONS = st.builds(LabelPosition, st.sampled_from(list(LabelPositionKind)), _MARGINS, _MARGINS)


def label_lines(*, broken: bool = True) -> st.SearchStrategy[str]:
    """Make a line of a label template: text, escaped braces and ``{name}`` placeholders.

    Args:
        broken: Whether it may also be one that does not parse: unknown names, unclosed and stray braces.
    """
    names = st.sampled_from([f"{{{name}}}" for name in FIELDS] + ["{ label }", "{{", "}}", "%", "%s"])
    plain = st.text(st.characters(exclude_characters="{}"), max_size=5)
    parts = names | plain | st.text("{}% abel:.id", max_size=6) if broken else names | plain
    return st.lists(parts, max_size=4).map("".join)


@st.composite
def object_draws(draw: st.DrawFn, *, max_length: int = 20) -> ObjectDraw:
    """Make an ``ObjectDraw``: box, dot, label, blur, each there or not.

    Args:
        draw: Given by hypothesis.
        max_length: Longest padding, thickness and radius in pixels, 0 … 100; fonts are up to ``12 * max_length / 10``.
    """
    lengths = st.integers(0, max_length)
    paddings = st.builds(PaddingDraw, lengths, lengths, lengths, lengths)
    boxes = st.builds(BoundingBoxDraw, _COLORS, _COLORS, lengths, paddings)
    label = st.builds(
        LabelDraw,
        _COLORS,
        _COLORS,
        _COLORS,
        st.floats(0, max_length / 10),
        lengths,
        _POSITIONS,
        paddings,
        st.lists(label_lines(), max_size=3),
    )
    return ObjectDraw(
        draw(st.none() | boxes),
        draw(st.none() | st.builds(DotDraw, _COLORS, lengths)),
        draw(st.none() | label),
        draw(st.booleans()),
        draw(st.sampled_from(list(BBoxSource))),
    )


@st.composite
def draw_specs(draw: st.DrawFn, *, max_entries: int = 3, max_length: int = 20) -> ObjectDrawSpec:
    """Make an ``ObjectDrawSpec`` for up to ``max_entries`` pairs of namespace and label.

    Args:
        draw: Given by hypothesis.
        max_entries: Most entries.
        max_length: As for ``object_draws``.
    """
    spec = ObjectDrawSpec()
    for _ in range(draw(st.integers(0, max_entries))):
        spec.insert(draw(TEXTS), draw(TEXTS), draw(object_draws(max_length=max_length)))
    return spec
