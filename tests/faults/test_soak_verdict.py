"""What the soak says about growth: the figures of a run in, the verdict out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[2] / "bench"))
from soak_report import STRETCH, growth_failures, growth_mib


def run(rss_mib: Callable[[float], float], changes: int = 20_000, frames: int = 500_000) -> list[dict[str, Any]]:
    """The samples of a run of which ``rss_mib`` says how it grew, from 0 at its beginning to 1 at its end."""
    shares = [number / 359 for number in range(360)]
    return [
        {"rss_mib": rss_mib(share), "source changes": round(changes * share), "accepted": round(frames * share)}
        for share in shares
    ]


@pytest.mark.parametrize(
    ("rss_mib", "fails"),
    [
        (lambda _: 260, False),
        (lambda share: 260 + min(share, 0.08) * 500, False),  # warm-up
        (lambda share: 260 + 12 * share, False),  # 6 MiB over 10,000 changes
        (lambda share: 260 + 20 * share, True),  # a leak of 1 KiB a change
        (
            lambda share: 260 + 20 * min(max(share - 0.1, 0), 0.45),
            True,
        ),  # it stops in the middle: still too much
        (lambda share: 260 + 9 * (share > 0.9), True),  # one step, at the end
        (lambda share: 260 - 20 * share, False),
        (lambda share: 260 + 40 * (round(share * 359) % 36 == 0), False),  # a peak now and then is not growth
    ],
)
def test_growth_is_judged_over_the_worst_stretch_after_the_warm_up(
    rss_mib: Callable[[float], float], fails: bool
) -> None:
    assert bool(growth_failures(run(rss_mib))) == fails


@pytest.mark.parametrize(("changes", "frames"), [(9_000, 500_000), (20_000, 90_000)])
def test_a_run_without_enough_changes_or_frames_is_judged_as_a_whole(changes: int, frames: int) -> None:
    samples = run(lambda share: 260 + 12 * share, changes, frames)
    assert STRETCH not in growth_mib(samples)
    assert growth_failures(samples)
