"""Where the frames of a module come from."""

from picasso.module.sources.at_most import AtMost, limited
from picasso.module.sources.guarded import GuardedSource
from picasso.module.sources.open import WIRE, guarded, open_source
from picasso.module.sources.testpattern import PatternSource
from picasso.module.sources.uri import UriSource

__all__ = [
    "WIRE",
    "AtMost",
    "GuardedSource",
    "PatternSource",
    "UriSource",
    "guarded",
    "limited",
    "open_source",
]
