"""What ``send_frame`` takes for pixels, and whose they are afterwards."""

from __future__ import annotations

from picasso.errors import SurfaceError, SurfaceTypeError
from picasso.surface import SharedBuffer, SurfaceView


def view_of(buf: object) -> SurfaceView:
    """Return the engine's own view of the pixels of ``buf``; to be followed by ``accept`` or ``give_back``.

    Args:
        buf: A ``SurfaceView`` or ``SharedBuffer``, or any array object that ``SurfaceView.wrap`` takes.

    Raises:
        ConsumedError: The view or buffer was handed over already.
        SurfaceError: An array of the wrong dtype or shape, or a raw pointer.
        SurfaceTypeError: Anything else.
    """
    if isinstance(buf, SurfaceView):
        return buf.take()
    if isinstance(buf, SharedBuffer):
        return buf.view_slot()
    if isinstance(buf, int):
        if buf == 0:
            raise SurfaceError("buf_ptr is null")
        raise SurfaceError(f"buffer does not contain a valid NvBufSurface: {buf:#x} is only an address")
    try:
        return SurfaceView.wrap(buf)
    except SurfaceTypeError as error:
        wanted = "expected SharedBuffer or int (raw pointer), SurfaceView or an array"
        raise SurfaceTypeError(f"{wanted}: {error}") from None


def accept(buf: object) -> None:
    """Complete the hand-over: a ``SurfaceView`` or ``SharedBuffer`` is consumed now."""
    if isinstance(buf, SharedBuffer):
        buf.take()


def give_back(buf: object, surface: SurfaceView) -> None:
    """Undo ``view_of``: the frame was not accepted, ``buf`` is the caller's again."""
    if isinstance(buf, SurfaceView):
        buf.put_back(surface)
