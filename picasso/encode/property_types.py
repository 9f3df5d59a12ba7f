"""What each property of an encoder may hold, in one place for all codecs, and the base that checks it.

A field is declared by its type here (``bitrate: BitRate = None``); its rule rides along in the annotation and runs on
every assignment, in the constructor too. ``None`` always means "not set": the encoder's own default rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import Enum
from operator import index
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_type_hints

from picasso.encode.enums import (
    Codec,
    DgpuPreset,
    H264Profile,
    HevcProfile,
    JetsonPresetLevel,
    Platform,
    RateControl,
    TuningPreset,
)
from picasso.encode.property_texts import PROPERTY_TEXTS
from picasso.errors import SpecError

Kind = TypeVar("Kind", bound=Enum)
UINT32_MAX = 2**32 - 1
QP_MAX = 51
"""Largest quantiser of H.264 and HEVC at 8 bits."""
AV1_QP_MAX = 255
"""Largest quantiser index of AV1."""


class Rule(Protocol):
    """What a value must be."""

    def checked(self, place: str, value: Any) -> object:
        """Return the value to store; ``place`` is ``Class.field``.

        Raises:
            TypeError: Not the right kind of value.
            SpecError: The right kind, out of range.
        """


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in ``low..high``, ends included."""

    low: int
    high: int
    unit: str = ""

    def checked(self, place: str, value: Any) -> int:
        """Take anything with ``__index__`` but no bool."""
        if isinstance(value, (bool, Enum)) or not hasattr(value, "__index__"):
            raise TypeError(f"{place}: expected int, got {value!r}")
        number = index(value)
        if not self.low <= number <= self.high:
            raise SpecError(f"{place} = {number}: expected {self.low}..{self.high} {self.unit}".rstrip())
        return number


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or False."""

    def checked(self, place: str, value: Any) -> bool:
        """Take a bool only."""
        if not isinstance(value, bool):
            raise TypeError(f"{place}: expected bool, got {value!r}")
        return value


@dataclass(frozen=True, slots=True)
class Member(Generic[Kind]):
    """A member of one enumeration."""

    kind: type[Kind]

    def checked(self, place: str, value: Any) -> Kind:
        """Take a member, never its number."""
        if not isinstance(value, self.kind):
            name = self.kind.__name__
            hint = (
                f"; {name}.from_name({value!r})" if isinstance(value, str) and hasattr(self.kind, "from_name") else ""
            )
            raise TypeError(f"{place}: expected {name}, got {value!r}{hint}")
        return value


@dataclass(frozen=True, slots=True)
class Numbers:
    """Text that holds several whole numbers, such as ``"20:40"``."""

    names: tuple[str, ...]
    """What each number is, e.g. ``("min", "max")``."""
    high: int
    """The largest of each; the smallest is 0."""
    separator: str = ":"
    rising: bool = False
    """Whether no number may be less than the one before it."""

    def checked(self, place: str, value: Any) -> str:
        """Take text of exactly these numbers."""
        if not isinstance(value, str):
            raise TypeError(f"{place}: expected str, got {value!r}")
        form = self.separator.join(self.names)
        if not re.fullmatch(self.separator.join([r"\d{1,9}"] * len(self.names)), value, re.ASCII):
            raise SpecError(f"{place} = {value!r}: expected '{form}' in whole numbers")
        numbers = self.parse(value)
        if max(numbers) > self.high:
            raise SpecError(f"{place} = {value!r}: expected '{form}', each 0..{self.high}")
        if self.rising and list(numbers) != sorted(numbers):
            raise SpecError(f"{place} = {value!r}: expected '{form}' with {' <= '.join(self.names)}")
        return value

    def parse(self, text: str) -> tuple[int, ...]:
        """Split a checked text into its numbers."""
        return tuple(int(number) for number in text.split(self.separator))


QP_RANGE = Numbers(("min", "max"), QP_MAX, rising=True)
AV1_QP_RANGE = Numbers(("min", "max"), AV1_QP_MAX, rising=True)
QP_TRIPLE = Numbers(("I", "P", "B"), QP_MAX)
TILES = Numbers(("log2rows", "log2cols"), 6, separator=",")

Switch = Annotated[bool | None, Boolean()]
"""On, off."""
BitRate = Annotated[int | None, Integer(1000, UINT32_MAX, "bit/s")]
"""Bits per second; no library counts less than a thousand."""
Bits = Annotated[int | None, Integer(0, UINT32_MAX, "bits")]
"""Size or filling of the rate control's buffer, in bits; 0 leaves it to the encoder."""
Interval = Annotated[int | None, Integer(0, UINT32_MAX, "frames")]
"""Frames from one picture of a kind to the next; 0: only the first."""
QpRange = Annotated[str | None, QP_RANGE]
"""``"min:max"`` quantisers, 0..51."""
Av1QpRange = Annotated[str | None, AV1_QP_RANGE]
"""``"min:max"`` quantiser indices, 0..255."""
QpTriple = Annotated[str | None, QP_TRIPLE]
"""``"I:P:B"`` quantisers, 0..51; there are no B-frames, so the third is never used."""
Qp = Annotated[int | None, Integer(0, QP_MAX)]
"""One quantiser, 0..51."""
Av1Qp = Annotated[int | None, Integer(0, AV1_QP_MAX)]
"""One quantiser index, 0..255."""
Quality = Annotated[int | None, Integer(0, 51)]
"""Target quality of variable bit rate on the scale of quantisers, 0..51; 0 leaves it to the encoder."""
SpatialAq = Annotated[int | None, Integer(0, 15)]
"""Strength of spatial adaptive quantisation, 1..15; 0 leaves it to the encoder."""
References = Annotated[int | None, Integer(0, 8, "frames")]
"""Reference frames, 0..8; 0 leaves it to the encoder."""
Av1References = Annotated[int | None, Integer(0, 4, "frames")]
"""Reference frames, 0..4; 0 leaves it to the encoder."""
Tiles = Annotated[str | None, TILES]
"""``"log2rows,log2cols"``, e.g. ``"1,0"`` for two rows in one column."""
JpegQuality = Annotated[int | None, Integer(0, 100)]
"""0 (smallest) .. 100 (best)."""
PngLevel = Annotated[int | None, Integer(0, 9)]
"""0 (no compression) .. 9 (smallest, slowest)."""
ControlRate = Annotated[RateControl | None, Member(RateControl)]
"""What is held constant."""
H264ProfileName = Annotated[H264Profile | None, Member(H264Profile)]
"""Coding tools of H.264."""
HevcProfileName = Annotated[HevcProfile | None, Member(HevcProfile)]
"""Coding tools of HEVC."""
Preset = Annotated[DgpuPreset | None, Member(DgpuPreset)]
"""Effort, P1..P7."""
Tuning = Annotated[TuningPreset | None, Member(TuningPreset)]
"""What the stream is for."""
PresetLevel = Annotated[JetsonPresetLevel | None, Member(JetsonPresetLevel)]
"""Effort of a Jetson's encoder."""


_rules: dict[type, dict[str, Rule]] = {}


def rules_of(kind: type[Props]) -> dict[str, Rule]:
    """Collect the rule of every field of ``kind``, in the order of its constructor."""
    if kind not in _rules:
        hints = get_type_hints(kind, include_extras=True)
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kind is a dataclass
        _rules[kind] = {name: get_args(hints[name])[1] for name in names}
    return _rules[kind]


class Props:
    """Base of the properties of one codec on one platform: a dataclass whose fields check what they are given.

    Assigning a value of the wrong kind raises ``TypeError``, one out of range ``ValueError``; both name the field.
    """

    __slots__ = ()
    _field_texts: ClassVar[dict[str, str]] = PROPERTY_TEXTS
    codec: ClassVar[Codec]
    """What these properties are for."""
    platform: ClassVar[Platform | None] = None
    """Whose encoder they are written for; None: anybody's."""

    def __setattr__(self, name: str, value: object) -> None:
        rule = rules_of(type(self)).get(name)
        if rule is not None and value is not None:
            value = rule.checked(f"{type(self).__name__}.{name}", value)
        object.__setattr__(self, name, value)

    def given(self) -> dict[str, Any]:
        """Return the fields that are set, in the order of the constructor."""
        return {name: value for name in rules_of(type(self)) if (value := getattr(self, name)) is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.given().items())})"
