"""What a surface view has in one piece: its pixels, or nothing once it was consumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import ConsumedError

if TYPE_CHECKING:
    from picasso.surface.cuda import DevicePlane
    from picasso.surface.formats import ColorSpace, VideoFormat
    from picasso.surface.planes import Bytes


@final
class Pixels:
    """What a view has, in one piece: handing a view over moves this."""

    __slots__ = ("color", "cuda_stream", "format", "gpu_id", "planes", "size_wh")

    def __init__(
        self,
        planes: tuple[Bytes, ...] | tuple[DevicePlane, ...],
        format: VideoFormat,
        size_wh: tuple[int, int],
        color: ColorSpace | None,
        gpu_id: int,
        cuda_stream: int,
    ) -> None:
        self.planes = planes
        self.format = format
        self.size_wh = size_wh
        self.color = color
        self.gpu_id = gpu_id
        self.cuda_stream = cuda_stream


@final
class _NoPixels:
    """What a view has that was consumed. The views themselves have no such hook: it slows every access down."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in Pixels.__slots__:
            raise ConsumedError("SurfaceView has been consumed")
        return object.__getattribute__(self, name)  # which says what it lacks

    def __reduce__(self) -> str:
        return "CONSUMED"  # there is but one, also for copies of views


CONSUMED: Final[Any] = _NoPixels()
