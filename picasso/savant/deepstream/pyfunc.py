"""The names of ``savant.deepstream.pyfunc``."""

from __future__ import annotations

from picasso.module.elements import BasePyFuncPlugin as NvDsPyFuncPlugin

__all__ = ["NvDsPyFuncPlugin"]
