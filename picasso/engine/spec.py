"""What the user says: the engine's general spec, and the spec of each source.

Specs are copied wherever they are handed over: changing one afterwards changes nothing but itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypedDict, Unpack, final

from picasso.draw import ObjectDrawSpec
from picasso.encode import EncoderConfig, validate
from picasso.engine import checks
from picasso.engine.checks import Checked, optional
from picasso.engine.policies import NS_PER_S, CallbackInvocationOrder, IdleTimeout, OverflowPolicy, PtsResetPolicy
from picasso.engine.settings import Encoding, Mode, SourceSettings
from picasso.errors import SpecError
from picasso.transform import Placement, TransformConfig


@final
@dataclass(slots=True, repr=False)
class GeneralSpec(Checked):
    """What holds for all sources of an engine, which copies it when it is made."""

    _checks: ClassVar = {
        "name": checks.is_a(str),
        "idle_timeout_secs": checks.seconds,
        "inflight_queue_size": checks.count,
        "pts_reset_policy": checks.is_a(PtsResetPolicy),
        "max_computing": optional(checks.count),
    }
    name: str = "picasso"
    """Label of the engine in logs; an empty one reads ``picasso``."""
    idle_timeout_secs: float = 30
    """Seconds without a message after which ``on_eviction`` is asked about a source, greater than 0."""
    inflight_queue_size: int = 8
    """Frames of one source that may wait, at least 1."""
    pts_reset_policy: PtsResetPolicy = field(default_factory=PtsResetPolicy.eos_on_decreasing_pts)
    """What an encoded source does when its timestamps do not rise."""
    max_computing: int | None = None
    """Sources that may transform, draw or encode at once, first come, first served; at least 1. None: one more than the
    processors that this process may use."""

    def copy(self) -> GeneralSpec:
        """Return an equal one that changes on its own."""
        return GeneralSpec(
            self.name, self.idle_timeout_secs, self.inflight_queue_size, self.pts_reset_policy, self.max_computing
        )

    def __repr__(self) -> str:
        return (
            f'GeneralSpec(name="{self.name}", idle_timeout_secs={self.idle_timeout_secs}, '
            f"inflight_queue_size={self.inflight_queue_size}, pts_reset_policy={self.pts_reset_policy!r}"
            f"{'' if self.max_computing is None else f', max_computing={self.max_computing}'})"
        )


@final
@dataclass(slots=True)
class ConditionalSpec(Checked):
    """Gates: what a frame must carry to be processed, and to be drawn on."""

    _checks: ClassVar = {
        "encode_attribute": optional(checks.attribute_key),
        "render_attribute": optional(checks.attribute_key),
    }
    encode_attribute: tuple[str, str] | None = None
    """``(namespace, name)`` without which a frame is held back, in every mode: ``on_gated_frame`` gets it, or it is
    discarded where there is none. None lets all pass. Frames of ``send_metadata`` pass in any case."""
    render_attribute: tuple[str, str] | None = None
    """``(namespace, name)`` that decides whether a frame is drawn on. None: it is if there is anything to draw."""

    def copy(self) -> ConditionalSpec:
        """Return an equal one that changes on its own."""
        return ConditionalSpec(self.encode_attribute, self.render_attribute)


@final
@dataclass(frozen=True, slots=True, repr=False)
class CodecSpec:
    """What to do with a source's frames; made by one of its class methods, never changed."""

    _mode: Mode
    _encoding: Encoding | None = None

    @classmethod
    def drop_frames(cls) -> Self:
        """Discard every frame."""
        return cls(Mode.DROP)

    @classmethod
    def bypass(cls) -> Self:
        """Move the boxes back to the original picture, and pass the frame on to ``on_bypass_frame``."""
        return cls(Mode.BYPASS)

    @classmethod
    def pass_through(cls) -> Self:
        """Move the boxes back to the original picture, and pass the frame on to ``on_encoded_frame`` as it was coded.

        The payload comes with ``PicassoEngine.send_payload``, or is the content of a frame that ``send_frame`` gets,
        whose pixels are let go. Times stay as they are.
        """
        return cls(Mode.PASS_THROUGH)

    @classmethod
    def encode(cls, transform: TransformConfig, encoder: EncoderConfig) -> Self:
        """Fit the frame into the encoder's size, draw on it, encode it, and pass it on to ``on_encoded_frame``.

        Both arguments are copied.

        Raises:
            SpecError: The encoder can never be opened: ``codec mismatch``, ``platform mismatch``, ``Unsupported codec``
                and everything else that ``picasso.encode.validate`` finds.
            GeometryError: The inset of ``transform`` leaves less than 16 x 16 pixels of the encoder's size.
        """
        checks.is_a(TransformConfig)("CodecSpec.encode(transform)", transform)
        checks.is_a(EncoderConfig)("CodecSpec.encode(encoder)", encoder)
        validate(encoder)
        size_wh = (encoder.width, encoder.height)
        Placement.compute(size_wh, size_wh, transform)
        return cls(Mode.ENCODE, Encoding(transform.copy(), encoder.copy()))

    @property
    def is_drop(self) -> bool:
        """Whether frames are discarded."""
        return self._mode is Mode.DROP

    @property
    def is_bypass(self) -> bool:
        """Whether frames are passed on."""
        return self._mode is Mode.BYPASS

    @property
    def is_pass_through(self) -> bool:
        """Whether frames are passed on with the bytes that they were coded as."""
        return self._mode is Mode.PASS_THROUGH

    @property
    def is_encode(self) -> bool:
        """Whether frames are encoded."""
        return self._mode is Mode.ENCODE

    def __repr__(self) -> str:
        encoding = self._encoding
        return f"CodecSpec.{self._mode.value}({f'{encoding.transform!r}, {encoding.encoder!r}' if encoding else ''})"


def _idle_timeout(place: str, value: Any) -> float | IdleTimeout:
    return value if isinstance(value, IdleTimeout) else checks.seconds(place, value)


def _overflow(place: str, value: Any) -> OverflowPolicy:
    try:
        return OverflowPolicy(value)
    except ValueError:
        raise SpecError(f"{place} = {value!r}: expected one of {', '.join(OverflowPolicy)}") from None


class SourceChanges(TypedDict, total=False):
    """Fields of a ``SourceSpec``, any of them: what ``replace`` takes."""

    codec: CodecSpec | None
    conditional: ConditionalSpec | None
    draw: ObjectDrawSpec | None
    font_family: str
    idle_timeout_secs: float | IdleTimeout | None
    use_on_render: bool
    use_on_gpumat: bool
    callback_order: CallbackInvocationOrder
    overflow: OverflowPolicy | str


@final
class SourceSpec(Checked):
    """Everything that is said about one source. The default drops its frames."""

    __slots__ = (
        "_conditional",
        "_draw",
        "callback_order",
        "codec",
        "font_family",
        "idle_timeout_secs",
        "overflow",
        "use_on_gpumat",
        "use_on_render",
    )
    _checks: ClassVar = {
        "codec": checks.is_a(CodecSpec),
        "conditional": checks.copy_of(ConditionalSpec),
        "draw": checks.copy_of(ObjectDrawSpec),
        "font_family": checks.is_a(str),
        "idle_timeout_secs": optional(_idle_timeout),
        "use_on_render": checks.is_a(bool),
        "use_on_gpumat": checks.is_a(bool),
        "callback_order": checks.is_a(CallbackInvocationOrder),
        "overflow": _overflow,
    }
    codec: CodecSpec
    """What to do with frames."""
    font_family: str
    """Font of labels; an unknown one falls back to the font that ships with the package."""
    idle_timeout_secs: float | IdleTimeout | None
    """Seconds without a message until ``on_eviction``, greater than 0. None: the engine's default for a new source,
    what it has for a running one; ``IdleTimeout.ENGINE_DEFAULT`` returns a running one to the default."""
    use_on_render: bool
    """Whether ``on_render`` is called."""
    use_on_gpumat: bool
    """Whether ``on_gpumat`` is called."""
    callback_order: CallbackInvocationOrder
    """Where ``on_gpumat`` stands."""
    overflow: OverflowPolicy
    """What ``send_frame`` does when the queue is full; takes a member or its value, e.g. ``"drop_oldest"``."""

    def __init__(
        self,
        codec: CodecSpec | None = None,
        conditional: ConditionalSpec | None = None,
        draw: ObjectDrawSpec | None = None,
        font_family: str = "sans-serif",
        idle_timeout_secs: float | IdleTimeout | None = None,
        use_on_render: bool = False,
        use_on_gpumat: bool = False,
        callback_order: CallbackInvocationOrder = CallbackInvocationOrder.SkiaGpuMat,
        overflow: OverflowPolicy | str = OverflowPolicy.BLOCK,
    ) -> None:
        self.codec = CodecSpec.drop_frames() if codec is None else codec
        self.conditional = ConditionalSpec() if conditional is None else conditional
        self.draw = ObjectDrawSpec() if draw is None else draw
        self.font_family = font_family
        self.idle_timeout_secs = idle_timeout_secs
        self.use_on_render = use_on_render
        self.use_on_gpumat = use_on_gpumat
        self.callback_order = callback_order
        self.overflow = overflow  # type: ignore[assignment]  # the check makes a member of it

    @property
    def conditional(self) -> ConditionalSpec:
        """Gates. Copied in and out."""
        return self._conditional.copy()

    @conditional.setter
    def conditional(self, value: ConditionalSpec) -> None:
        self._conditional = value

    @property
    def draw(self) -> ObjectDrawSpec:
        """What to draw for each kind of object. Copied in and out."""
        return self._draw.copy()

    @draw.setter
    def draw(self, value: ObjectDrawSpec) -> None:
        self._draw = value

    def settings(self, default_idle_ns: int, current_idle_ns: int | None = None) -> SourceSettings:
        """Take a snapshot for a worker.

        Args:
            default_idle_ns: The engine's idle time-out.
            current_idle_ns: That of the source, if it runs.
        """
        idle_ns = default_idle_ns
        if self.idle_timeout_secs is None:
            idle_ns = default_idle_ns if current_idle_ns is None else current_idle_ns
        elif not isinstance(self.idle_timeout_secs, IdleTimeout):
            idle_ns = round(self.idle_timeout_secs * NS_PER_S)
        return SourceSettings(
            mode=self.codec._mode,
            encoding=self.codec._encoding,
            encode_attribute=self._conditional.encode_attribute,
            render_attribute=self._conditional.render_attribute,
            draw=self.draw,
            font_family=self.font_family,
            use_on_render=self.use_on_render,
            use_on_gpumat=self.use_on_gpumat,
            callback_order=self.callback_order,
            overflow=self.overflow,
            idle_timeout_ns=idle_ns,
        )

    def copy(self) -> SourceSpec:
        """Return an equal one that changes on its own."""
        return SourceSpec(
            self.codec,
            self._conditional,
            self._draw,
            self.font_family,
            self.idle_timeout_secs,
            self.use_on_render,
            self.use_on_gpumat,
            self.callback_order,
            self.overflow,
        )

    def replace(self, **changes: Unpack[SourceChanges]) -> SourceSpec:
        """Return a spec that differs in some fields: ``spec.replace(draw=draw, use_on_render=True)``.

        Args:
            changes: Fields and their values, as the constructor takes them; all others are as they are here.

        Raises:
            TypeError: There is no such field, or it does not take such a value.
            SpecError: A value is out of range.
        """
        unknown = sorted(changes.keys() - self._checks.keys())
        if unknown:
            raise TypeError(f"SourceSpec.replace: no field {', '.join(unknown)}; one of {', '.join(self._checks)}")
        fields: dict[str, Any] = {name: getattr(self, name) for name in self._checks}
        fields.update(changes)
        return SourceSpec(**fields)

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, slot) for slot in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceSpec) and self._key() == other._key()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return (
            f"SourceSpec(codec={self.codec!r}, conditional={self._conditional!r}, draw={self._draw!r}, "
            f'font_family="{self.font_family}", idle_timeout_secs={self.idle_timeout_secs!r}, '
            f"use_on_render={self.use_on_render}, use_on_gpumat={self.use_on_gpumat}, "
            f"callback_order={self.callback_order!r}, overflow={self.overflow.value!r})"
        )
