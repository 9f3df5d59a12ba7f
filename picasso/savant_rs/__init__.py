"""A door for code that moves over from ``savant_rs``: change the import lines, keep the rest.

``from savant_rs.picasso import PicassoEngine`` becomes ``from picasso.savant_rs.picasso import PicassoEngine``. The
modules here hold our names under the module paths of the reference, and no logic.
"""

from __future__ import annotations

from picasso.trace import init_jaeger_tracer

__all__ = ["init_jaeger_tracer"]
