"""Planes are made of planes as the CPU makes them, wherever the picture lies in source and target."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from test_known_weights import check

from picasso.surface import VideoFormat
from picasso.transform import Placement

PAIRS = st.sampled_from([VideoFormat.NV12, VideoFormat.NV21])


@st.composite
def shrunk(draw: st.DrawFn) -> Placement:
    """Draw crops that shrink by more than 2 across, anywhere in the source, into bars that begin anywhere."""
    inner = [draw(st.integers(1, 9)), draw(st.integers(1, 6))]
    sizes = [inner[0] * 2 + draw(st.integers(6, 20)), draw(st.integers(4, 14))]
    starts = [draw(st.integers(0, 5)) for _ in sizes]
    before = [draw(st.integers(0, 6)) for _ in inner]
    source = [-(-(start + size) // 2) * 2 for start, size in zip(starts, sizes, strict=True)]
    target = [-(-(at + size + draw(st.integers(0, 5))) // 2) * 2 for at, size in zip(before, inner, strict=True)]
    crop, place = (*starts, *sizes), (*before, *inner)
    return Placement((source[0], source[1]), crop, (target[0], target[1]), place)


@given(shrunk(), PAIRS, PAIRS, st.integers(0, 9))
@settings(deadline=None)
def test_pictures_that_shrink_into_odd_bars_are_those_of_the_cpu(
    place: Placement, form: VideoFormat, into: VideoFormat, seed: int
) -> None:
    assert check(form, place, into, seed) in {"planes_spots", "planes_near", "planes_averaged"}
