"""The names of ``savant_rs.utils``: expressions."""

from __future__ import annotations

from picasso.module.params import eval_expr

__all__ = ["eval_expr"]
