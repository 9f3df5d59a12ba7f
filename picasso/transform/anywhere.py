"""A transform between surfaces wherever they are: the side of the target works, and the source is brought there."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from picasso.errors import SurfaceError
from picasso.surface import SurfaceView

if TYPE_CHECKING:
    from picasso.surface import VideoFormat
    from picasso.surface.cuda_memory import Uploader
    from picasso.transform.cuda import CudaTransformer
    from picasso.transform.fitting import Interpolation
    from picasso.transform.placement import Placement


def transform(source: SurfaceView, placement: Placement, target: SurfaceView, interpolation: Interpolation) -> None:
    """Write ``source`` into ``target``, on the GPU or the host, wherever the target is.

    A source in host memory or on another GPU is copied to the target's GPU, one on a GPU is downloaded for a target in
    host memory. A target on a GPU is ready on its own stream; one that names no stream is waited
    for.

    Args:
        source: What is read, of size ``placement.source_wh``.
        placement: Which rectangle of the source lands on which rectangle of the target.
        target: What is written, of size ``placement.target_wh``.
        interpolation: The filter.

    Raises:
        SurfaceError: A surface is of a format that cannot be read or written.
        GeometryError: A surface has another size than the placement says.
        DeviceError: The GPU cannot be used.
    """
    if target.is_cuda:
        _workshop(target.gpu_id).transform(source, placement, target, interpolation)
        return
    if source.is_cuda:
        from picasso.surface.cuda_memory import download

        source = download(source)
    from picasso.transform import cpu

    cpu.transform(source, placement, target, interpolation)


def upload_as(
    format: VideoFormat, source: SurfaceView, placement: Placement, interpolation: Interpolation, gpu_id: int = 0
) -> SurfaceView:
    """Return a picture in GPU memory of a source in host memory: uploaded as it is, and transformed there.

    Its pixels are ready. A source of the size and format that are asked for is only copied.

    Args:
        format: Of the result.
        source: In host memory, of size ``placement.source_wh``.
        placement: Which rectangle of the source lands on which rectangle of the result.
        interpolation: The filter.
        gpu_id: Which GPU.

    Raises:
        MissingDependencyError, DeviceError: The GPU cannot be used; the message says why.
        SurfaceError: The source is not in host memory, or of a format that cannot be read.
    """
    if source.is_cuda:
        raise SurfaceError("upload_as: the surface is in GPU memory already")
    return _workshop(gpu_id).uploaded(format, source, placement, interpolation)


class _Workshop:
    """The one transformer of a GPU for all who have none of their own; threads take turns, for microseconds."""

    def __init__(self, transformer: CudaTransformer, uploader: Uploader) -> None:
        self._transformer = transformer
        self._uploader = uploader
        self._turn = threading.Lock()

    def transform(
        self, source: SurfaceView, placement: Placement, target: SurfaceView, interpolation: Interpolation
    ) -> None:
        with self._turn:
            self._transformer.transform(self._uploader.bring(source), placement, target, interpolation)
            if not target.cuda_stream:
                self._transformer.wait()

    def uploaded(
        self, format: VideoFormat, source: SurfaceView, placement: Placement, interpolation: Interpolation
    ) -> SurfaceView:
        from picasso.surface.cuda_memory import allocate_on_device

        with self._turn:
            copy = self._uploader.upload(source)
            if source.format is not format or not placement.is_identity:
                target = allocate_on_device(format, placement.target_wh, self._transformer.stream)
                self._transformer.transform(copy, placement, target, interpolation)
                copy = target
            self._transformer.wait()
            return copy


@functools.cache
def _workshop(gpu_id: int) -> _Workshop:
    from picasso.surface.cuda_memory import Uploader, open_device

    open_device(gpu_id)  # says what is missing
    from picasso.transform.cuda import CudaTransformer

    transformer = CudaTransformer(gpu_id)
    return _Workshop(transformer, Uploader(transformer.stream))
