"""A source's spec as its worker keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, final

from picasso.engine.policies import CallbackInvocationOrder, OverflowPolicy

if TYPE_CHECKING:
    from picasso.draw import ObjectDrawSpec
    from picasso.encode import EncoderConfig
    from picasso.transform import TransformConfig


class Mode(Enum):
    """What a source does with its frames."""

    DROP = "drop_frames"
    BYPASS = "bypass"
    PASS_THROUGH = "pass_through"
    ENCODE = "encode"


@final
@dataclass(frozen=True, slots=True)
class Encoding:
    """What is encoded, and how the source is fitted into it. Both belong to this object and never change."""

    transform: TransformConfig
    encoder: EncoderConfig


@final
@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A snapshot of a ``SourceSpec``, with the idle time decided. It is never changed."""

    mode: Mode
    encoding: Encoding | None
    """Not None if and only if ``mode`` is ``ENCODE``."""
    encode_attribute: tuple[str, str] | None
    render_attribute: tuple[str, str] | None
    draw: ObjectDrawSpec
    font_family: str
    use_on_render: bool
    use_on_gpumat: bool
    callback_order: CallbackInvocationOrder
    overflow: OverflowPolicy
    idle_timeout_ns: int
