"""Laws of placement: everyone has one home, loads are bounded, who need not move stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.cluster.placement import TOLERANCE, Move, assign, loads_of, rebalance, weigh, weight_of

NAMES = st.text("abcdefgh0123", min_size=1, max_size=4)
WEIGHTS = st.dictionaries(NAMES, st.floats(0.5, 1e9), max_size=40)
EQUAL = st.integers(1, 9).map(lambda count: {f"actor-{number}": 1.0 for number in range(count)})
UNEQUAL = st.dictionaries(st.sampled_from([f"actor-{n}" for n in range(6)]), st.floats(0.5, 8), min_size=1)
ACTORS = st.one_of(EQUAL, UNEQUAL)


@given(WEIGHTS, ACTORS, st.data())
def test_every_source_has_one_home_and_who_has_a_living_actor_keeps_it(weights, actors, data) -> None:
    homes = data.draw(st.dictionaries(NAMES, st.sampled_from([*actors, "gone"])))
    found = assign(weights, actors, homes)
    assert set(found) == set(weights)
    assert set(found.values()) <= set(actors)
    assert {name: found[name] for name in weights if homes.get(name) in actors} == {
        name: homes[name] for name in weights if homes.get(name) in actors
    }


@given(WEIGHTS, EQUAL)
def test_from_nothing_no_actor_carries_more_than_the_mean_and_its_share_of_the_heaviest(weights, actors) -> None:
    loads = loads_of(weights, assign(weights, actors, {}), actors)
    mean = sum(weights.values()) / len(actors)
    heaviest = max(weights.values(), default=0.0)
    assert max(loads.values()) <= (mean + (1 - 1 / len(actors)) * heaviest) * (1 + 1e-9)


@given(WEIGHTS, EQUAL, st.data())
def test_an_actor_that_receives_carries_at_most_the_mean_and_the_heaviest_that_came(weights, actors, data) -> None:
    homes = data.draw(st.dictionaries(NAMES, st.sampled_from([*actors, "gone"])))
    found = assign(weights, actors, homes)
    fresh = [name for name in weights if homes.get(name) not in actors]
    mean = sum(weights.values()) / len(actors)
    loads = loads_of(weights, found, actors)
    for name in {found[source_id] for source_id in fresh}:
        assert loads[name] <= (mean + max(weights[source_id] for source_id in fresh)) * (1 + 1e-9)


@given(WEIGHTS, ACTORS, st.randoms(use_true_random=False))
def test_the_order_of_the_mappings_decides_nothing(weights, actors, chance) -> None:
    def shuffled(table):
        items = list(table.items())
        chance.shuffle(items)
        return dict(items)

    homes = assign(weights, actors, {})
    assert assign(shuffled(weights), shuffled(actors), {}) == homes
    assert rebalance(shuffled(weights), shuffled(actors), shuffled(homes)) == rebalance(weights, actors, homes)


@given(WEIGHTS, st.integers(2, 9))
def test_when_an_actor_dies_only_its_sources_move(weights, count) -> None:
    actors = {f"actor-{number}": 1.0 for number in range(count)}
    before = assign(weights, actors, {})
    del actors["actor-0"]
    after = assign(weights, actors, before)
    assert {name for name in weights if before[name] != after[name]} == {
        name for name in weights if before[name] == "actor-0"
    }


@given(WEIGHTS, ACTORS, st.data())
def test_each_move_lowers_the_highest_of_two_loads_and_the_end_is_within_the_tolerance_or_helps_no_one(
    weights, actors, data
) -> None:
    homes = {name: data.draw(st.sampled_from(sorted(actors))) for name in weights}
    moves = rebalance(weights, actors, homes)
    for move in moves:
        before = loads_of(weights, homes, actors)
        assert homes[move.source_id] == move.old
        homes[move.source_id] = move.new
        after = loads_of(weights, homes, actors)
        assert before[move.old] == max(before.values())
        assert max(after[move.old], after[move.new]) < before[move.old]
    assert rebalance(weights, actors, homes) == []
    assert len(moves) <= len(weights) * max(len(actors), 1)


@given(WEIGHTS, EQUAL)
def test_who_is_within_the_tolerance_stays(weights, actors) -> None:
    homes = assign(weights, actors, {})
    loads = loads_of(weights, homes, actors)
    if max(loads.values()) <= sum(loads.values()) / len(loads) * (1 + TOLERANCE):
        assert rebalance(weights, actors, homes) == []


def test_an_actor_that_comes_gets_its_share_by_the_fewest_moves() -> None:
    weights = {f"camera-{number}": 1.0 for number in range(12)}
    homes = assign(weights, {"a": 1.0, "b": 1.0}, {})
    moves = rebalance(weights, {"a": 1.0, "b": 1.0, "c": 1.0}, homes)
    assert len(moves) == 2  # 5, 5 and 2: the highest is a quarter above the mean, and no more
    assert {move.new for move in moves} == {"c"}
    assert rebalance(weights, {"a": 1.0, "b": 1.0, "c": 1.0}, homes, most=1) == moves[:1]
    assert moves[0] == Move(moves[0].source_id, "b", "c")


def test_unequal_actors_carry_by_their_capacity() -> None:
    weights = {f"camera-{number}": 1.0 for number in range(30)}
    homes = assign(weights, {"small": 1.0, "large": 4.0}, {})
    assert sum(home == "large" for home in homes.values()) == 24


def test_without_actors_sources_have_no_home() -> None:
    assert assign({}, {}, {}) == {}
    with pytest.raises(ValueError, match="no actor"):
        assign({"a": 1.0}, {}, {})


def test_what_is_not_known_weighs_as_the_median() -> None:
    assert weight_of(30, (1280, 720)) == 27_648_000
    assert weigh({"a": 10.0, "b": None, "c": 30.0, "d": 20.0, "e": 0.0}) == {
        "a": 10.0, "b": 20.0, "c": 30.0, "d": 20.0, "e": 20.0,
    }  # fmt: skip
    assert weigh({"a": None}) == {"a": 1.0}
