"""The pixels of a frame in a module: converted when someone asks, and encoded from there only if someone wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from picasso.errors import DeviceError, MissingDependencyError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement, TransformConfig
from picasso.transform.cpu import transform

if TYPE_CHECKING:
    from picasso.surface.tensor import DeviceTensor  # noqa: F401 - what device arrays look like

Image = npt.NDArray[np.uint8]
"""``(height, width, 4)`` RGBA."""


class FramePixels:
    """What the decoder made, and the RGBA picture of the total size that elements see.

    One thread at a time.
    """

    __slots__ = ("_image", "_interpolation", "_is_edited", "_on_gpu", "_picture", "placement", "source")

    def __init__(
        self, source: SurfaceView, placement: Placement, interpolation: Interpolation = Interpolation.BILINEAR
    ) -> None:
        """Hold the pixels; nothing is converted yet.

        Args:
            source: What the decoder made, on the host or on a GPU.
            placement: Where its pixels land in the total frame.
            interpolation: The filter.
        """
        self.source: SurfaceView = source
        self.placement: Placement = placement
        self._interpolation = interpolation
        self._picture: SurfaceView | None = None
        self._image: Image | None = None
        self._on_gpu: SurfaceView | None = None
        """A copy for a GPU of what is in host memory."""
        self._is_edited = False

    @classmethod
    def of_picture(cls, picture: SurfaceView) -> Self:
        """Hold an RGBA ``picture`` that is what elements see, and what is encoded."""
        width, height = picture.size_wh
        pixels = cls(picture, Placement.compute((width, height), (width, height), TransformConfig()))
        pixels._picture = picture
        pixels._is_edited = True
        if not picture.is_cuda:
            pixels._image = picture.planes[0].reshape(height, width, 4)
        return pixels

    @property
    def is_converted(self) -> bool:
        """Whether the RGBA picture was made."""
        return self._picture is not None

    @property
    def is_edited(self) -> bool:
        """Whether someone wrote to it, so that it is what gets encoded."""
        return self._is_edited

    def image(self) -> Image:
        """Return the picture in host memory, read-only; it is converted by the first call.

        One on a GPU is copied by every call; ``cuda()`` gives it where it is.
        """
        picture = self._make()
        view = picture.to_numpy() if self._image is None else self._image.view()
        view.flags.writeable = False
        return view

    def cuda(self) -> SurfaceView:
        """Return the picture in GPU memory, as an object with ``__cuda_array_interface__``; only for reading.

        Of a frame that was decoded on the CPU the first call uploads it: what the decoder made where nothing was
        converted yet, else the picture. What is written to it is not encoded; ``edit`` gives the picture for that.

        Raises:
            MissingDependencyError, DeviceError: There is no GPU for a frame that was decoded on the CPU.
        """
        if self.source.is_cuda:
            return self._make()
        if self._on_gpu is None:
            self._on_gpu = self._uploaded()
        return self._on_gpu

    @contextmanager
    def edit(self) -> Iterator[Any]:
        """Give the picture for writing: an array on the host, a device array on a GPU. The frame is encoded from it."""
        picture = self._make()
        self._is_edited = True
        try:
            yield picture if self._image is None else self._image
        finally:
            self._on_gpu = None  # it shows what was there before

    def surface(self) -> SurfaceView:
        """Return what is encoded: the picture that was written to, or else what the decoder made."""
        return self._picture if self._is_edited and self._picture is not None else self.source

    def _make(self) -> SurfaceView:
        if self._picture is None:
            self._picture = self._converted()
            if not self._picture.is_cuda:
                self._image = self._picture.planes[0].reshape(*reversed(self._picture.size_wh), 4)
        return self._picture

    def _uploaded(self) -> SurfaceView:
        from picasso.transform.anywhere import upload_as

        source, placement = self.source, self.placement
        if self._picture is not None:
            source, placement = self._picture, Placement.identity(self._picture.size_wh)
        try:
            return upload_as(VideoFormat.RGBA, source, placement, self._interpolation)
        except (MissingDependencyError, DeviceError) as error:
            text = f"this frame was decoded on the CPU, and no GPU takes it: {error}; image() gives it in host memory"
            raise type(error)(text) from error

    def _converted(self) -> SurfaceView:
        size_wh = self.placement.target_wh
        if not self.source.is_cuda:
            picture = SurfaceView.allocate(VideoFormat.RGBA, size_wh)
            transform(self.source, self.placement, picture, self._interpolation)
            return picture
        from picasso.surface.cuda_memory import allocate_on_device
        from picasso.transform.cuda import CudaTransformer

        transformer = CudaTransformer(self.source.gpu_id)
        picture = allocate_on_device(VideoFormat.RGBA, size_wh, transformer.stream)
        transformer.transform(self.source, self.placement, picture, self._interpolation)
        transformer.wait()
        return picture
