"""How much may wait in the queues of a module, where nothing is set, and what a frame's payload is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from picasso.observe.levels import Limit, PoolUse, QueueUse

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

DECODER_LENGTH: Final = 5
"""Decoded frames of a source that wait for the elements beyond its pool, where nothing is set."""
INGRESS_LENGTH: Final = 200
"""Frames or packets of a source that wait for its decoder, where nothing is set."""


def payload_bytes(frame: VideoFrame, surface: SurfaceView | None) -> int:
    """Return the bytes of a frame's payload: the encoded one where it brings one, else its pixels."""
    if frame.content.is_internal():
        return len(frame.content.get_data())
    if surface is None or not surface:
        return 0
    width, height = surface.size_wh
    if surface.is_cuda:
        return width * height * (2 * surface.channels or 3) // 2  # NV12 where there are several planes
    return sum(plane.nbytes for plane in surface.planes)


__all__ = ["DECODER_LENGTH", "INGRESS_LENGTH", "Limit", "PoolUse", "QueueUse", "payload_bytes"]
