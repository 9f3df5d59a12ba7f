"""Areas: what lies in them, and how lines meet them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.primitives import Intersection, IntersectionKind, Point, PolygonalArea, Segment

SQUARE = PolygonalArea([Point(0, 0), Point(10, 0), Point(10, 10), Point(0, 10)], ["top", "right", "bottom", "left"])
L_SHAPE = PolygonalArea([Point(x, y) for x, y in [(0, 0), (9, 0), (9, 9), (6, 9), (6, 3), (3, 3), (3, 9), (0, 9)]])
ENTER, INSIDE, LEAVE, CROSS, OUTSIDE = IntersectionKind
TAGS = SQUARE.tags


def line(x0: float, y0: float, x1: float, y1: float) -> Segment:
    return Segment(Point(x0, y0), Point(x1, y1))


@pytest.mark.parametrize(
    ("segment", "kind", "edges"),
    [
        (line(-5, 5, 5, 5), ENTER, [3]),
        (line(5, 5, 15, 5), LEAVE, [1]),
        (line(-5, 5, 15, 5), CROSS, [3, 1]),
        (line(15, 5, -5, 5), CROSS, [1, 3]),
        (line(2, 2, 8, 8), INSIDE, []),
        (line(0, 5, 5, 5), INSIDE, [3]),
        (line(0, 5, -5, 5), LEAVE, [3]),
        (line(-5, 0, 15, 0), CROSS, [0, 3, 1]),
        (line(2, 0, 8, 0), INSIDE, [0]),
        (line(-5, -5, 15, 15), CROSS, [0, 3, 1, 2]),
        (line(0, 0, -5, -5), LEAVE, [0, 3]),
        (line(-5, 5, 5, -5), CROSS, [0, 3]),
        (line(-5, 20, 15, 20), OUTSIDE, []),
        (line(-5, 5, -1, 5), OUTSIDE, []),
        (line(5, 5, 5, 5), INSIDE, []),
        (line(0, 0, 0, 0), INSIDE, [0, 3]),
        (line(20, 0, 20, 0), OUTSIDE, []),
        (line(20, 0, 15, 0), OUTSIDE, []),
    ],
)
def test_a_line_meets_a_square(segment: Segment, kind: IntersectionKind, edges: list[int]) -> None:
    assert SQUARE.crossed_by_segment(segment) == Intersection(kind, [(edge, TAGS[edge]) for edge in edges])
    assert SQUARE.crossed_by_segments([segment] * 2) == [SQUARE.crossed_by_segment(segment)] * 2


def test_a_line_that_leaves_and_comes_back_stays_inside() -> None:
    assert L_SHAPE.crossed_by_segment(line(1, 6, 8, 6)) == Intersection(INSIDE, [(5, None), (3, None)])


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(5, 5, True), (0, 5, False), (10, 10, False), (11, 5, False), (5, -1, False), (9.9, 0.1, True)],
)
def test_a_point_is_inside_when_it_is_not_on_an_edge(x: float, y: float, inside: bool) -> None:
    assert SQUARE.contains(Point(x, y)) is inside
    assert PolygonalArea.points_positions([SQUARE, L_SHAPE], [Point(x, y), Point(1, 1)]) == [
        [inside, True],
        [L_SHAPE.contains(Point(x, y)), True],
    ]


def test_lines_meet_several_areas() -> None:
    lines = [line(-5, 5, 5, 5), line(20, 20, 30, 30)]
    (of_square, of_shape) = PolygonalArea.segments_intersections([SQUARE, L_SHAPE], lines, no_gil=True)
    assert of_square == SQUARE.crossed_by_segments(lines)
    assert of_shape[1] == Intersection(OUTSIDE)


@pytest.mark.parametrize(
    ("corners", "crosses"),
    [
        ([(0, 0), (2, 2), (2, 0), (0, 2)], True),
        ([(0, 0), (2, 0), (2, 2), (0, 2)], False),
        ([(0, 0), (4, 0), (1, 0), (1, 1)], True),  # back along an edge
        ([(0, 0), (4, 0), (2, 2), (4, 4), (0, 4), (2, 2)], False),  # touches itself at a corner
        ([], False),
    ],
)
def test_an_outline_crosses_itself(corners: list[tuple[float, float]], crosses: bool) -> None:
    assert PolygonalArea([Point(*corner) for corner in corners]).is_self_intersecting() is crosses


def test_an_area_without_corners_holds_nothing() -> None:
    nothing = PolygonalArea([])
    assert not nothing.contains(Point(0, 0))
    assert nothing.crossed_by_segment(line(0, 0, 1, 1)) == Intersection(OUTSIDE)


def test_tags_are_those_of_edges() -> None:
    assert [SQUARE.get_tag(edge) for edge in range(4)] == list(TAGS)
    assert PolygonalArea(SQUARE.vertices).get_tag(77) is None
    with pytest.raises(ValueError, match="Index 4 out of range!"):
        SQUARE.get_tag(4)
    with pytest.raises(OverflowError, match="edge: must be at least 0, got -1"):
        SQUARE.get_tag(-1)
    assert SQUARE.build_polygon() is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Segment((0, 0), Point(1, 1)), "begin: expected Point, got tuple"),
        (lambda: SQUARE.contains((1, 1)), "expected Point, got tuple"),
        (lambda: SQUARE.crossed_by_segment(Point(1, 1)), "expected Segment, got Point"),
    ],
)
def test_what_is_no_shape_is_refused(call: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


COORDINATES = st.integers(-20, 20)


@given(COORDINATES, COORDINATES, COORDINATES, COORDINATES)
def test_a_line_backwards_touches_the_same_edges(x0: int, y0: int, x1: int, y1: int) -> None:
    there, back = SQUARE.crossed_by_segment(line(x0, y0, x1, y1)), SQUARE.crossed_by_segment(line(x1, y1, x0, y0))
    assert sorted(there.edges) == sorted(back.edges)
    turned = {ENTER: LEAVE, LEAVE: ENTER}
    assert back.kind == turned.get(there.kind, there.kind)
    assert there.kind in (INSIDE, OUTSIDE) or there.edges


@given(COORDINATES, COORDINATES)
def test_a_square_contains_what_its_sides_say(x: int, y: int) -> None:
    assert SQUARE.contains(Point(x, y)) == (0 < x < 10 and 0 < y < 10)
