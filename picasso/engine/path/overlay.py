"""What is put on a source's pictures between the transform and the encoder: drawings and the user's own pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from picasso.draw.attached import ATTACHED, attached
from picasso.engine.path.unmatched import Unmatched
from picasso.engine.policies import CallbackInvocationOrder
from picasso.surface import SurfaceView, VideoFormat

if TYPE_CHECKING:
    from picasso.draw import ObjectDraw, Painter
    from picasso.engine.path.hooks import Hooks
    from picasso.engine.settings import SourceSettings
    from picasso.primitives import VideoFrame


_NO_OVERRIDES: Final[Mapping[int, ObjectDraw]] = MappingProxyType({})


@final
@dataclass(frozen=True, slots=True)
class Touch:
    """One change of a picture's pixels."""

    format: VideoFormat
    """The format in which it wants the pixels."""
    apply: Callable[[SurfaceView, VideoFrame], None]
    on_host: bool = False
    """Whether it can only work in host memory."""
    calls_user: bool = False
    """Whether the user's code runs in it, which may wait for other sources."""


@final
class Overlay:
    """Decides for each frame what is drawn and called, and does it. Lives as long as its source encodes."""

    __slots__ = (
        "_asks",
        "_brings_drawing",
        "_calls_on_render",
        "_hooks",
        "_objects_show",
        "_only_objects_decide",
        "_painter",
        "_planned",
        "_settings",
        "_unmatched",
        "_wanted",
    )

    def __init__(self, settings: SourceSettings, hooks: Hooks) -> None:
        self._hooks = hooks
        self._painter: Painter | None = None
        self._settings = settings
        self._unmatched = self._new_look(settings)
        self.update(settings)

    def update(self, settings: SourceSettings) -> None:
        """Go on under new settings, from the next frame on."""
        if settings.font_family != self._settings.font_family:
            self._painter = None
        elif self._painter:
            self._painter.set_specs(settings.draw)
        if settings.draw != self._settings.draw:
            self._unmatched = self._new_look(settings)
        self._settings = settings
        self._calls_on_render = settings.use_on_render and self._hooks.has_render
        self._brings_drawing = settings.render_attribute == ATTACHED
        self._asks = self._hooks.has_object_draw_spec
        self._wanted = settings.use_on_render or not settings.draw.is_empty()
        self._objects_show = self._asks or not settings.draw.is_empty()
        self._only_objects_decide = (
            settings.render_attribute is None and self._wanted and self._objects_show and not self._calls_on_render
        )
        self._planned: dict[bool, tuple[VideoFormat, VideoFormat, list[Touch]]] = {}
        """By whether a frame is drawn on: the formats and touches of the last such frame."""

    def _new_look(self, settings: SourceSettings) -> Unmatched | None:
        """Begin to look for entries of the drawing spec that match nothing."""
        return None if settings.draw.is_empty() else Unmatched(settings.draw, self._hooks.said_unmatched)

    def end_stream(self) -> None:
        """Say which entries of the drawing spec matched nothing."""
        if (unmatched := self._unmatched) is not None and (sentence := unmatched.sentence()):
            self._hooks.warn(sentence)

    def close(self) -> None:
        """Forget letters, styles and plans, which refer back to this; another frame makes them again."""
        self.end_stream()
        self._painter = None
        self._planned.clear()

    def touches(self, frame: VideoFrame, encoder_format: VideoFormat, config_format: VideoFormat) -> list[Touch]:
        """Return what happens to the pixels of ``frame``, in order; nothing for most frames of most sources.

        The list is used again: it must not be changed.

        Args:
            frame: The frame, before or after its boxes have moved.
            encoder_format: What the encoder reads: drawn on directly where that is possible.
            config_format: ``EncoderConfig.format``: what ``on_gpumat`` is promised.
        """
        renders = frame.has_objects() if self._only_objects_decide else self._renders(frame)
        if renders and self._unmatched is not None and not self._unmatched.look(frame):
            self.end_stream()
            self._unmatched = None
        planned = self._planned.get(renders)
        if planned is None or planned[0] is not encoder_format or planned[1] is not config_format:
            planned = encoder_format, config_format, self._plan(renders, encoder_format, config_format)
            self._planned[renders] = planned
        return planned[2]

    def painted_format(self, encoder_format: VideoFormat) -> VideoFormat | None:
        """Return the format that frames will be painted on in, None if nothing is to be drawn."""
        return None if self._settings.draw.is_empty() else self._drawing_format(encoder_format)

    def _plan(self, renders: bool, encoder_format: VideoFormat, config_format: VideoFormat) -> list[Touch]:
        settings, hooks = self._settings, self._hooks
        gpumat = (
            [Touch(config_format, self._gpumat, calls_user=True)] if settings.use_on_gpumat and hooks.has_gpumat else []
        )
        draw = []
        if renders:
            form = self._drawing_format(config_format if gpumat else encoder_format)
            on_render = self._calls_on_render
            calls_user = on_render or hooks.has_object_draw_spec
            apply = self._draw if calls_user or self._brings_drawing else self._draw_objects
            draw.append(Touch(form, apply, on_render, calls_user))
        match settings.callback_order:
            case CallbackInvocationOrder.SkiaGpuMat:
                return draw + gpumat
            case CallbackInvocationOrder.GpuMatSkia:
                return gpumat + draw
            case CallbackInvocationOrder.GpuMatSkiaGpuMat:
                return gpumat + draw + gpumat

    def _renders(self, frame: VideoFrame) -> bool:
        """Say whether ``frame`` is to be drawn on and anything could be drawn."""
        attribute = self._settings.render_attribute
        wanted = frame.has_attribute(*attribute) if attribute else self._wanted
        if not wanted or self._calls_on_render or self._brings_drawing:
            return wanted
        return self._objects_show and frame.has_objects()

    def _drawing_format(self, wish: VideoFormat) -> VideoFormat:
        """Return ``wish`` if it can be drawn on, else RGBA, which is also what a canvas for ``on_render`` needs."""
        return wish if not self._calls_on_render and wish in self._ready_painter().formats else VideoFormat.RGBA

    def _ready_painter(self) -> Painter:
        if self._painter is None:
            from picasso.draw import Painter

            self._painter = Painter(self._settings.font_family)
            self._painter.set_specs(self._settings.draw)
        return self._painter

    def _draw_objects(self, surface: SurfaceView, frame: VideoFrame) -> None:
        """Draw the objects as the specs say: all that most sources want."""
        (self._painter or self._ready_painter()).paint(surface, frame, _NO_OVERRIDES)

    def _draw(self, surface: SurfaceView, frame: VideoFrame) -> None:
        painter = self._ready_painter()
        drawing = attached(frame) if self._brings_drawing else None
        if drawing is None:
            painter.paint(surface, frame, self._overrides(frame) if self._asks else _NO_OVERRIDES)
        else:
            painter.paint_list(surface, drawing)
        if self._calls_on_render:
            with painter.canvas(surface):
                self._hooks.render(frame, surface.width, surface.height)

    def _overrides(self, frame: VideoFrame) -> dict[int, ObjectDraw]:
        """Ask ``on_object_draw_spec`` about every object, in the order of ids, before anything is drawn."""
        overrides: dict[int, ObjectDraw] = {}
        for obj in frame.get_all_objects().sorted_by_id:
            current = self._settings.draw.resolve(obj.namespace, obj.label)
            if draw := self._hooks.object_draw(frame, obj, current):
                overrides[obj.id] = draw
        return overrides

    def _gpumat(self, surface: SurfaceView, frame: VideoFrame) -> None:
        self._hooks.gpumat(frame, surface)
