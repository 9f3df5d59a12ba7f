"""Where points and lines lie to an outline: inside, on it, across which of its edges.

Convention: an outline is a ring of corners ``(x, y)``; edge *i* runs from corner *i* to the next, the last one closes
the ring. Coordinates are float32 values in Python floats, so that products of differences keep their sign.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TypeAlias

XY: TypeAlias = tuple[float, float]
Edge: TypeAlias = tuple[XY, XY]


def edges_of(ring: Sequence[XY]) -> Iterator[Edge]:
    """Yield the edges of a ring; none for an empty one."""
    for index, corner in enumerate(ring):
        yield corner, ring[index + 1 - len(ring)]


def is_on_edge(ring: Sequence[XY], point: XY) -> bool:
    """Say whether a point lies on an edge or a corner."""
    return any(_touches(edge, (point, point)) for edge in edges_of(ring))


def is_inside(ring: Sequence[XY], point: XY) -> bool:
    """Say whether a point lies strictly inside: a ray from it crosses the ring an odd number of times."""
    if is_on_edge(ring, point):
        return False
    x, y = point
    crossings = 0
    for start, end in edges_of(ring):
        if (start[1] > y) != (end[1] > y):
            upward = end[1] > start[1]
            crossings += (_side((start, end), (x, y)) > 0) is upward
    return crossings % 2 == 1


def touched_edges(ring: Sequence[XY], line: Edge) -> list[int]:
    """Return the edges that a line touches, the nearest to its beginning first; at the same place in their order."""
    touched = [(_way_to(edge, line), index) for index, edge in enumerate(edges_of(ring)) if _touches(edge, line)]
    return [index for _, index in sorted(touched)]


def crosses_itself(ring: Sequence[XY]) -> bool:
    """Say whether two edges cross between their ends, or lie on each other along a piece."""
    edges = list(edges_of(ring))
    return any(
        _crosses(first, second) or _overlaps(first, second)
        for index, first in enumerate(edges)
        for second in edges[index + 1 :]
    )


def _side(edge: Edge, point: XY) -> float:
    """Return > 0 on one side of a line, < 0 on the other, 0 on it."""
    (x0, y0), (x1, y1) = edge
    return (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)


def _sides(edge: Edge, line: Edge) -> tuple[float, float]:
    return _side(edge, line[0]), _side(edge, line[1])


def _touches(edge: Edge, line: Edge) -> bool:
    for axis in (0, 1):
        low, high = sorted((edge[0][axis], edge[1][axis]))
        other_low, other_high = sorted((line[0][axis], line[1][axis]))
        if low > other_high or other_low > high:
            return False
    return all(not (a > 0 < b or a < 0 > b) for a, b in (_sides(edge, line), _sides(line, edge)))


def _crosses(first: Edge, second: Edge) -> bool:
    return all(a < 0 < b or b < 0 < a for a, b in (_sides(first, second), _sides(second, first)))


def _overlaps(first: Edge, second: Edge) -> bool:
    """Say whether two edges on one line share more than a point."""
    if _sides(first, second) != (0, 0) or _sides(second, first) != (0, 0):
        return False
    axis = 0 if first[0][0] != first[1][0] else 1
    low = max(min(first[0][axis], first[1][axis]), min(second[0][axis], second[1][axis]))
    return low < min(max(first[0][axis], first[1][axis]), max(second[0][axis], second[1][axis]))


def _way_to(edge: Edge, line: Edge) -> float:
    """Return the part of a line's length, 0 … 1, before it touches an edge."""
    (x0, y0), (x1, y1) = line
    at_start, at_end = _sides(edge, line)
    if at_start != at_end:
        return at_start / (at_start - at_end)
    length = math.hypot(x1 - x0, y1 - y0)
    if length == 0:
        return 0.0
    ways = [((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length / length for x, y in edge]
    return max(0.0, min(ways))
