"""The names of ``savant_rs.gstreamer``: codecs."""

from __future__ import annotations

from picasso.encode import Codec

__all__ = [
    "Codec",
]
