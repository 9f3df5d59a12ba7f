"""The GPU as an NVENC session uses it: a context, a stream, and surfaces that are ready to be read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from picasso.surface.cuda_memory import Uploader, new_stream, open_device

if TYPE_CHECKING:
    from picasso.surface.view import SurfaceView


class Gpu(Protocol):
    """What a session asks of the GPU it runs on."""

    context: int
    """Address of the CUDA context."""
    stream: int
    """Address of the session's own stream."""

    def ready(self, surface: SurfaceView) -> SurfaceView:
        """Return the surface in GPU memory, once its pixels are there."""

    def settle(self) -> None:
        """Wait until the session has read its input."""

    def at_rest(self) -> AbstractContextManager[None]:
        """Give the place from which what the session holds goes back, also when it is only dropped."""

    def close(self) -> None:
        """Give back what was taken."""


class CudaGpu:
    """A real one; it is the current device of the thread that opens, calls or closes its encoder, also afterwards.

    PyNvVideoCodec copies its input to memory of its own on its stream, or on the default one, and does not say when
    that is done, so both are waited for: an encoder's caller may write the next frame at once.
    """

    def __init__(self, gpu_id: int) -> None:
        self._device = open_device(gpu_id)
        self._device.make_current()
        self._stream = new_stream(gpu_id)
        self._uploader: Uploader | None = None
        self.context: int = int(self._device.context)
        self.stream: int = self._stream.address

    def ready(self, surface: SurfaceView) -> SurfaceView:
        """Bring what is in host memory or on another GPU, and wait for who makes the pixels."""
        self._device.make_current()
        if not surface.is_cuda or surface.gpu_id != self._device.index:
            self._uploader = self._uploader or Uploader(self._stream)
            surface = self._uploader.bring(surface)
        self._device.wait_for(surface.cuda_stream)
        return surface

    def settle(self) -> None:
        """Wait for the session's stream and the default one."""
        self._device.make_current()
        self._device.wait_for(self._stream.address)
        self._device.wait_for(0)

    def at_rest(self) -> AbstractContextManager[None]:
        """Be where all of the session's stream is done and its device is current."""
        return self._stream.at_rest()

    def close(self) -> None:
        """Let go of what it holds; the stream goes with it."""
        self._uploader = None
