"""What travels through a module with a frame although no element works on it: its trace, its labels, its past.

It lies in a temporary attribute, which never leaves the module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from picasso.primitives import Attribute, AttributeValue

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame, VideoFrameTransformation

NAMESPACE: Final = "picasso.module"
NAME: Final = "baggage"


@dataclass(frozen=True, slots=True)
class Baggage:
    """What came with a frame."""

    trace: Mapping[str, str] = field(default_factory=dict)
    """The propagated context of its trace."""
    labels: Sequence[str] = ()
    """Routing labels of its message."""
    chain: Sequence[VideoFrameTransformation] = ()
    """What was done to its picture before it came."""

    def __bool__(self) -> bool:
        return bool(self.trace or self.labels or self.chain)


def give(frame: VideoFrame, baggage: Baggage) -> None:
    """Let a ``frame`` carry its ``baggage``; nothing is written where there is none."""
    if baggage:
        value: Any = AttributeValue.temporary_python_object(baggage)
        frame.set_attribute(Attribute(NAMESPACE, NAME, [value], None, False, True))


def baggage_of(frame: VideoFrame) -> Baggage:
    """Return what a ``frame`` carries; empty where it carries nothing."""
    attribute = frame.get_attribute(NAMESPACE, NAME)
    if attribute is None:
        return Baggage()
    found: Any = attribute.values[0].as_temporary_python_object()
    return found if isinstance(found, Baggage) else Baggage()
