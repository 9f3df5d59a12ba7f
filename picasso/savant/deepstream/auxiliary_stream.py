"""The names of ``savant.deepstream.auxiliary_stream``."""

from __future__ import annotations

from picasso.module.elements import AuxiliaryStream

__all__ = ["AuxiliaryStream"]
