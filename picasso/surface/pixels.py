"""What a surface view has in one piece: its pixels, or nothing once it was consumed."""

from __future__ import annotations

import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from picasso.errors import ConsumedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from picasso.surface.cuda import DevicePlane
    from picasso.surface.formats import ColorSpace, VideoFormat
    from picasso.surface.planes import Bytes


SQUARE: Final = Fraction(1)
"""Shape of a pixel that is as wide as high."""


class Pixels(NamedTuple):
    """What a view has, in one piece: handing a view over moves this."""

    planes: tuple[Bytes, ...] | tuple[DevicePlane, ...]
    format: VideoFormat
    size_wh: tuple[int, int]
    color: ColorSpace | None
    gpu_id: int
    cuda_stream: int
    sample_aspect_ratio: Fraction = SQUARE


@final
class _NoPixels:
    """What a view has that was consumed. The views themselves have no such hook: it slows every access down."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in Pixels._fields:
            raise ConsumedError("SurfaceView has been consumed")
        return object.__getattribute__(self, name)  # which says what it lacks

    def __iter__(self) -> Any:
        raise ConsumedError("SurfaceView has been consumed")

    def __reduce__(self) -> str:
        return "CONSUMED"  # there is only one, also for copies of views


CONSUMED: Final[Any] = _NoPixels()

pixels_of: Final[Callable[[object], Pixels]] = operator.attrgetter("_pixels")
"""What a view has, or ``CONSUMED``; for many views at once, ``map`` calls it without a step of the interpreter."""
