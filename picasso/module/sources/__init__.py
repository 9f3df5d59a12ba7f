"""Where the frames of a module come from."""

from picasso.module.sources.open import WIRE, open_source
from picasso.module.sources.testpattern import PatternSource
from picasso.module.sources.uri import UriSource

__all__ = ["WIRE", "PatternSource", "UriSource", "open_source"]
