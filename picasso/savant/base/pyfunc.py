"""The names of ``savant.base.pyfunc``."""

from __future__ import annotations

from picasso.module.elements import BasePyFuncCallableImpl, BasePyFuncImpl, BasePyFuncPlugin

__all__ = ["BasePyFuncCallableImpl", "BasePyFuncImpl", "BasePyFuncPlugin"]
