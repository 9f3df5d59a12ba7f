"""The names of ``savant_rs.match_query``: which objects are meant."""

from __future__ import annotations

from picasso.primitives import MatchQuery

__all__ = [
    "MatchQuery",
]
