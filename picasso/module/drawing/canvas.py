"""What an artist draws on: a frame, which takes lists along to the engine, or pixels, which are painted at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, final

import numpy as np
import numpy.typing as npt

from picasso.draw import Painter
from picasso.draw.cpu import CpuPainter
from picasso.module.meta import Frame
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.draw import DisplayList

Bytes = npt.NDArray[np.uint8]
_CHANNELS: Final = {"rgba": 4, "rgb": 3}


class Canvas(Protocol):
    """Where drawings go."""

    size_wh: tuple[int, int]

    def paint(self, drawing: DisplayList) -> None:
        """Take the last of what is drawn."""

    def paint_now(self, drawing: DisplayList) -> None:
        """Have it on the pixels."""

    def blend(self, image: Any, left: int, top: int) -> None:
        """Lay a picture over the pixels, its corner at ``(left, top)``."""

    def copy(self, rows: slice, columns: slice) -> Any:
        """Return a copy of some pixels."""


@final
class FrameCanvas:
    """A frame in a module: its pixels are asked for only when they are needed."""

    def __init__(self, frame: Frame) -> None:
        """Draw on ``frame``."""
        self._frame = frame
        self.size_wh: tuple[int, int] = frame.width, frame.height

    def paint(self, drawing: DisplayList) -> None:
        """Give ``drawing`` to the frame, to be painted before it is encoded."""
        self._frame.add_drawing(drawing)

    def paint_now(self, drawing: DisplayList) -> None:
        """Paint on the RGBA picture, which is what is encoded from now on."""
        with self._frame.edit_image() as pixels:
            PixelCanvas(pixels).paint(drawing)

    def blend(self, image: Any, left: int, top: int) -> None:
        """Do it on the RGBA picture."""
        check_graphic(image)
        with self._frame.edit_image() as pixels:
            blend(pixels, image, left, top)

    def copy(self, rows: slice, columns: slice) -> Any:
        """Return a copy of some pixels of the RGBA picture."""
        return np.array(self._frame.image()[rows, columns])


@final
class PixelCanvas:
    """An RGBA picture: an array, or a surface on a GPU."""

    def __init__(self, pixels: Any) -> None:
        """Draw on ``pixels``, ``(height, width, 4)``."""
        self._pixels = pixels
        self._surface = pixels if isinstance(pixels, SurfaceView) else SurfaceView.wrap(_as_surface(pixels))
        self.size_wh: tuple[int, int] = self._surface.size_wh

    def paint(self, drawing: DisplayList) -> None:
        """Paint it."""
        if self._surface.is_cuda:
            Painter().paint_list(self._surface, drawing)
        else:
            CpuPainter().paint(self._surface, drawing)

    paint_now = paint

    def blend(self, image: Any, left: int, top: int) -> None:
        """Do it."""
        check_graphic(image)
        blend(self._pixels, image, left, top)

    def copy(self, rows: slice, columns: slice) -> Any:
        """Return a copy."""
        pixels = self._surface.to_numpy() if self._surface.is_cuda else self._pixels
        return np.array(pixels[rows, columns])


def canvas_of(target: Any) -> FrameCanvas | PixelCanvas:
    """Return what draws on a frame or on pixels."""
    return FrameCanvas(target) if isinstance(target, Frame) else PixelCanvas(target)


def check_graphic(image: Any) -> None:
    """See whether a picture can be laid over a frame.

    Raises:
        TypeError: It is not an array of uint8.
        ValueError: Its shape is not ``(height, width, 4)`` or ``(height, width, 3)``.
    """
    kind, shape = getattr(image, "dtype", None), getattr(image, "shape", None)
    if str(kind) not in ("uint8", "torch.uint8") or shape is None:
        raise TypeError(f"image: expected an array of uint8, got {type(image).__name__} of {kind}")
    if len(shape) != 3 or shape[2] not in _CHANNELS.values():
        raise ValueError(f"image: expected shape (height, width, 4) or (height, width, 3), got {tuple(shape)}")


def blend(pixels: Any, image: Any, left: int, top: int) -> None:
    """Lay ``image`` over ``pixels`` at ``(left, top)``, by its alpha; what is outside is left out.

    Rounded to the nearest level; the alpha of ``pixels`` stays. A surface on a GPU is read and written as a whole.
    """
    if isinstance(pixels, SurfaceView) and pixels.is_cuda:
        whole = np.array(pixels.to_numpy())
        blend(whole, image, left, top)
        pixels.upload(whole)
        return
    if not isinstance(image, np.ndarray):
        image = np.asarray(image.get() if hasattr(image, "get") else image)
    height, width = pixels.shape[:2]
    first_row, first_column = max(-top, 0), max(-left, 0)
    rows = min(image.shape[0], height - top) - first_row
    columns = min(image.shape[1], width - left) - first_column
    if rows <= 0 or columns <= 0:
        return
    part = image[first_row : first_row + rows, first_column : first_column + columns]
    target = pixels[top + first_row :, left + first_column :][:rows, :columns, :3]
    if part.shape[2] == _CHANNELS["rgb"]:
        target[...] = part
        return
    alpha = part[..., 3:].astype(np.uint16)
    target[...] = (part[..., :3] * alpha + target * (255 - alpha) + 127) // 255


def _as_surface(pixels: Any) -> Any:
    return pixels.view(np.ndarray) if isinstance(pixels, np.ndarray) else pixels
