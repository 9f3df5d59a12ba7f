"""What is done before the first frame, so that it does not wait: kernels, fonts, encoders, on the GPU as well."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from picasso.engine.callbacks import Callbacks, ErrorStage
from picasso.engine.engine import PicassoEngine
from picasso.engine.path.surfaces import works_on_gpu
from picasso.engine.settings import Mode, SourceSettings
from picasso.engine.spec import CodecSpec, ConditionalSpec, GeneralSpec, SourceSpec
from picasso.errors import MissingDependencyError, PicassoError
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import MemType, SurfaceView, VideoFormat

if TYPE_CHECKING:
    from picasso_kernels.processes.pending import Made

_SOURCE_FORMATS = (VideoFormat.RGB, VideoFormat.BGR, VideoFormat.RGBA, VideoFormat.NV12, VideoFormat.I420)


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What ``warm_up`` did."""

    kernels: tuple[Made, ...]
    """The kernels that became ready: ``kernel``, ``how`` ("loaded", "compiled" or "compiled here"), ``seconds``."""
    failures: tuple[str, ...]
    """What the first frame of a spec will fail with, if it is as it was now."""
    seconds: float
    """In all."""

    @property
    def compiled(self) -> int:
        """How many kernels a compiler was needed for."""
        return sum(made.how != "loaded" for made in self.kernels)

    def __str__(self) -> str:
        lines = [f"{made.kernel}: {made.how}, {made.seconds:.1f} s" for made in self.kernels] + list(self.failures)
        return "\n".join([*lines, f"ready after {self.seconds:.1f} s"])


def warm_up(
    specs: SourceSpec | Iterable[SourceSpec] | None = None,
    *,
    source_formats: Iterable[VideoFormat] = _SOURCE_FORMATS,
    source_size_wh: tuple[int, int] = (1280, 720),
    sources_on_gpu: bool = False,
) -> WarmUp:
    """Do now what the first frames of ``specs`` would wait for; afterwards they compile nothing.

    Compiles kernels, several at once, or loads them from disk; then sends frames through an engine of its own, which
    opens the encoders and loads the fonts. No callback of yours is called. Waits until all is done.

    Args:
        specs: One or several; those that encode nothing need nothing. None: every kernel of the CPU is made ready,
            and no encoder is opened: what an image is built with.
        source_formats: Of the frames that will be sent. They matter on a GPU, where each has kernels of its own.
        source_size_wh: Width and height of those frames, in pixels.
        sources_on_gpu: Whether those frames will be in GPU memory, where specs that leave open where they work follow
            them.

    Returns:
        What was done. A spec whose encoder cannot be opened, or that wants a canvas where Skia does not load, is one
        of its ``failures``.
    """
    from picasso_kernels.cpu.compile import prepare
    from picasso_kernels.processes.pending import MADE

    began_s, before = time.monotonic(), len(MADE)
    failures: list[str] = []
    if specs is None:
        from picasso_kernels.cpu.entries import ENTRIES

        prepare(*ENTRIES)
    else:
        kinds = _kinds([specs] if isinstance(specs, SourceSpec) else specs)
        if sources_on_gpu:
            kinds = [_on_gpu(kind) for kind in kinds]
        kernels: dict[Any, None] = {}
        for kind in kinds:
            try:
                kernels |= dict.fromkeys(_kernels_of(kind.settings(1)))
            except PicassoError:  # its frames will say so
                continue
        prepare(*kernels)
        for kind in kinds:
            failures += _send_frames(kind, tuple(source_formats), source_size_wh)
    return WarmUp(tuple(MADE[before:]), tuple(failures), time.monotonic() - began_s)


def _kinds(specs: Iterable[SourceSpec]) -> list[SourceSpec]:
    """Return one spec of each kind: of those that differ in nothing but gates, and in what is drawn on which object."""
    kinds: dict[object, SourceSpec] = {}
    for spec in specs:
        if spec.codec.is_encode:
            kind = (repr(spec.codec), spec.font_family, spec.use_on_render, spec.use_on_gpumat, spec.draw.is_empty())
            kinds.setdefault((*kind, spec.callback_order), spec)
    return list(kinds.values())


def _on_gpu(spec: SourceSpec) -> SourceSpec:
    """Return the spec as it is for sources on a GPU."""
    encoding = spec.settings(1).encoding
    assert encoding
    if not works_on_gpu(encoding.encoder, source_on_gpu=True) or encoding.encoder.memory_type is not MemType.DEFAULT:
        return spec
    moved = spec.copy()
    moved.codec = CodecSpec.encode(encoding.transform, encoding.encoder.copy().mem_type(MemType.CUDA_DEVICE))
    return moved


def _kernels_of(settings: SourceSettings) -> Iterator[Any]:
    """Yield the kernels that frames of a source need on the CPU.

    Raises:
        PicassoError: The encoder cannot be opened.
    """
    from picasso.draw.cpu import COMMON_FORMATS, kernel_for
    from picasso.encode import open_encoder
    from picasso_kernels.frame.transform import transform_frame
    from picasso_kernels.maths.axis import fill_bilinear, fill_nearest
    from picasso_kernels.maths.calls import make_calls
    from picasso_kernels.paint.compose import compose, put_shapes
    from picasso_kernels.paint.compose_frame import compose_frame
    from picasso_kernels.paint.masks import stretch_grids
    from picasso_kernels.paint.raster import cover_shapes

    assert settings.mode is Mode.ENCODE
    assert settings.encoding
    config = settings.encoding.encoder
    yield from (fill_nearest, fill_bilinear)
    if not settings.draw.is_empty():
        yield from (compose, compose_frame)
    looks = [draw for _, draw in (*settings.draw.items(), *settings.draw.defaults())]
    if any(draw.has_shapes for draw in looks):
        yield from (put_shapes, cover_shapes, stretch_grids)
    if works_on_gpu(config, source_on_gpu=False):
        yield make_calls
        return
    yield transform_frame
    if not settings.draw.is_empty():
        encoder = open_encoder(config)
        form = config.video_format if settings.use_on_gpumat else encoder.input_format
        encoder.close()
        yield kernel_for(form if form in COMMON_FORMATS and not settings.use_on_render else VideoFormat.RGBA)


def _send_frames(spec: SourceSpec, formats: tuple[VideoFormat, ...], size_wh: tuple[int, int]) -> list[str]:
    """Send a frame of each format through an engine; return the first thing that went wrong, if any did."""
    config = spec.settings(1).encoding
    assert config
    name = f"{config.encoder.codec.name()} {config.encoder.width}x{config.encoder.height}"
    failures: list[str] = []

    def fail(_source_id: str, stage: ErrorStage, error: BaseException, _frame: object) -> None:
        failures.append(f"{name}: {stage.value}: {error}")

    callbacks = Callbacks(on_encoded_frame=_ignore, on_error=fail, on_render=_ignore, on_gpumat=_ignore)
    ungated = spec.copy()
    ungated.conditional = ConditionalSpec()
    box = RBBox(size_wh[0] / 2, size_wh[1] / 2, size_wh[0] / 4, size_wh[1] / 4)
    with PicassoEngine(GeneralSpec("warm-up"), callbacks) as engine:
        try:
            engine.set_source_spec("warm-up", ungated)
        except MissingDependencyError as error:
            return [f"{name}: {error}"]
        for number, form in enumerate(formats):
            frame = VideoFrame("warm-up", "30/1", *size_wh, time_base=(1, 30), pts=number)
            defaults = [(namespace, "warm-up") for namespace, _draw in spec.draw.defaults()]
            for key in [*(key for key, _draw in spec.draw.items()), *defaults]:
                frame.create_object(*key, detection_box=box)
            engine.send_frame("warm-up", frame, SurfaceView.allocate(form, size_wh))
    return failures[:1]


def _ignore(*_arguments: object) -> None:
    """Stand where a callback of the user's will."""
