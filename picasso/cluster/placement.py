"""Which actor runs which source: pure functions of weights, homes and actors. They know no Ray and no clock.

The weight of a source is what it costs, in pixels a second. The load of an actor is the weight of its sources over its
capacity. Equal arguments give equal answers, in any order of the mappings.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

UNKNOWN: Final = 1.0
"""The weight of every source where none is known."""
TOLERANCE: Final = 0.25
"""How far above the mean the load of an actor may be before a source moves."""


@dataclass(frozen=True, slots=True)
class Move:
    """One source that changes its actor."""

    source_id: str
    old: str
    new: str


def weight_of(frames_per_s: float, size_wh: tuple[int, int]) -> float:
    """Return what a source costs: pixels a second."""
    return frames_per_s * size_wh[0] * size_wh[1]


def weigh(known: Mapping[str, float | None]) -> dict[str, float]:
    """Return a weight for every source: what is known, and for the others the median of what is known.

    Args:
        known: By source id; None or 0 where nothing is known.
    """
    found = [weight for weight in known.values() if weight]
    usual = median(found) if found else UNKNOWN
    return {name: weight or usual for name, weight in known.items()}


def loads_of(weights: Mapping[str, float], homes: Mapping[str, str], actors: Mapping[str, float]) -> dict[str, float]:
    """Return the load of each actor: the weight of its sources over its capacity."""
    carried = dict.fromkeys(sorted(actors), 0.0)
    for source_id in sorted(homes):
        if homes[source_id] in carried:
            carried[homes[source_id]] += weights[source_id]
    return {name: weight / actors[name] for name, weight in carried.items()}


def assign(weights: Mapping[str, float], actors: Mapping[str, float], homes: Mapping[str, str]) -> dict[str, str]:
    """Return a home for every source.

    A source whose actor is there stays. The others go, heaviest first, to the actor that is least loaded with them.
    So an actor that receives one carries at most the mean of all and the heaviest of those that came.

    Args:
        weights: Of every source, above 0.
        actors: The actors that are there, with their capacities, above 0; equal actors have equal ones.
        homes: Where sources are now; actors that are gone may stand there.

    Raises:
        ValueError: There is no actor, and there are sources.
    """
    if weights and not actors:
        raise ValueError("assign: there are sources, and no actor")
    kept = {name: homes[name] for name in weights if homes.get(name) in actors}
    loads = loads_of(weights, kept, actors)
    fresh = sorted((name for name in weights if name not in kept), key=lambda name: (-weights[name], name))
    if len(set(actors.values())) > 1:
        return kept | _onto_unequal(fresh, weights, actors, loads)
    line = [(load, name) for name, load in loads.items()]
    heapq.heapify(line)
    for source_id in fresh:
        load, name = line[0]
        kept[source_id] = name
        heapq.heapreplace(line, (load + weights[source_id] / actors[name], name))
    return kept


def _onto_unequal(
    fresh: Iterable[str], weights: Mapping[str, float], actors: Mapping[str, float], loads: dict[str, float]
) -> dict[str, str]:
    """Place sources on actors of different capacity: with the source, not without it, the load is to be the least."""
    found = {}
    for source_id in fresh:
        after = {name: load + weights[source_id] / actors[name] for name, load in loads.items()}
        name = min(after, key=lambda one: (after[one], one))
        found[source_id], loads[name] = name, after[name]
    return found


def rebalance(
    weights: Mapping[str, float],
    actors: Mapping[str, float],
    homes: Mapping[str, str],
    *,
    tolerance: float = TOLERANCE,
    most: int | None = None,
) -> list[Move]:
    """Return the moves that bring loads together; none where the highest is within the tolerance above the mean.

    Each move takes a source from the actor with the highest load to the one with the lowest, and lowers the higher of
    the two. A move costs a gap in a live source, so it is the one that comes nearest to the mean, and there are as few
    as that takes.

    Args:
        weights: Of every source, above 0.
        actors: The actors that are there, with their capacities, above 0.
        homes: Where every source is.
        tolerance: Share of the mean.
        most: Moves at most; None for all that help.
    """
    now = dict(homes)
    moves: list[Move] = []
    while most is None or len(moves) < most:
        move = _best_move(weights, actors, now, tolerance)
        if move is None:
            return moves
        now[move.source_id] = move.new
        moves.append(move)
    return moves


def _best_move(
    weights: Mapping[str, float], actors: Mapping[str, float], homes: Mapping[str, str], tolerance: float
) -> Move | None:
    loads = loads_of(weights, homes, actors)
    if len(loads) < 2:
        return None
    mean = sum(load * actors[name] for name, load in loads.items()) / sum(actors.values())
    high = max(loads, key=lambda name: (loads[name], name))
    low = min(loads, key=lambda name: (loads[name], name))
    if loads[high] <= mean * (1 + tolerance):
        return None
    movable = []
    for source_id in sorted(name for name, home in homes.items() if home == high):
        weight = weights[source_id]
        worst = max(loads[high] - weight / actors[high], loads[low] + weight / actors[low])
        if worst < loads[high] * (1 - 1e-9):  # what rounding gains is no gain: the next move would take it back
            movable.append((worst, source_id))
    return Move(min(movable)[1], high, low) if movable else None
