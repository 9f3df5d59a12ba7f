"""Streams of work on a GPU, as existing pyfuncs ask for them."""

from __future__ import annotations

from typing import Any, final


@final
class HostStream:
    """A stream where there is none: what was asked for is done when the call returns."""

    def waitForCompletion(self) -> None:  # noqa: N802 - OpenCV's name
        """Return at once."""

    def synchronize(self) -> None:
        """Return at once."""

    def queryIfComplete(self) -> bool:  # noqa: N802 - OpenCV's name
        """Tell that everything is done."""
        return True


def new_stream() -> Any:
    """Return a ``cv2.cuda.Stream`` where OpenCV has CUDA, else one that has nothing to wait for."""
    try:
        from picasso.module.arrays import opencv_cuda

        return opencv_cuda("a stream").cuda.Stream()
    except ImportError:
        return HostStream()
