"""What a module draws: the stock look of objects, drawers of the user's, and the artist that they draw with."""

from picasso.module.drawing.artist import Artist
from picasso.module.drawing.drawer import BaseNvDsDrawFunc, NvDsDrawFunc
from picasso.module.drawing.position import Position

__all__ = ["Artist", "BaseNvDsDrawFunc", "NvDsDrawFunc", "Position"]
