"""For which processors there is machine code: levels, each a set of instructions, and which of them a processor has."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_V2: Final = {"cx16": "cx16", "lahf_lm": "sahf", "popcnt": "popcnt", "pni": "sse3"}
_V2.update({"ssse3": "ssse3", "sse4_1": "sse4.1", "sse4_2": "sse4.2"})
_V3: Final = _V2 | {"avx": "avx", "avx2": "avx2", "bmi1": "bmi", "bmi2": "bmi2", "f16c": "f16c", "fma": "fma"}
_V3.update({"abm": "lzcnt", "movbe": "movbe", "xsave": "xsave"})
_V4: Final = _V3 | {name: name for name in ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512ifma")}
_V4.update({"avx512vbmi": "avx512vbmi", "avx512_vbmi2": "avx512vbmi2", "avx512_vnni": "avx512vnni", "gfni": "gfni"})
_V4.update({"avx512_bitalg": "avx512bitalg", "avx512_vpopcntdq": "avx512vpopcntdq"})
_BASE: Final = "+64bit,+cmov,+cx8,+fxsr,+mmx,+sse,+sse2,+x87"

_CPUINFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Level:
    """A set of instructions that machine code may use."""

    name: str
    architecture: str
    """As ``platform.machine()`` says it."""
    cpu: str
    """LLVM's name of a processor like it: what is fast there, not what there is."""
    flags: tuple[str, ...]
    """What the processor must have, by Linux's names."""
    features: str
    """The same for LLVM."""

    @property
    def module(self) -> str:
        """Name of the extension module that holds the level's machine code."""
        return f"{self.architecture}_{self.name}"


def _x86(name: str, cpu: str, flags: dict[str, str], tuning: tuple[str, ...] = ()) -> Level:
    features = ",".join([_BASE, *sorted(f"+{feature}" for feature in flags.values()), *tuning])
    return Level(name, "x86_64", cpu, tuple(flags), features)


LEVELS: Final = (
    _x86("v4", "znver4", _V4, ("+prefer-256-bit",)),  # on Zen 4 up to 1.19 times as fast as "icelake-server"
    _x86("v3", "x86-64-v3", _V3),
    _x86("v2", "x86-64-v2", _V2),
    Level("neon", "aarch64", "generic", ("asimd",), "+fp-armv8,+neon"),
)
"""Best first, of each architecture. ``v4`` is what Intel has since Ice Lake and AMD since Zen 4: AVX-512 with VNNI and
VBMI; a processor whose AVX-512 has less runs ``v3``. ``neon`` is what every 64-bit ARM processor has."""


def level_of(name: str) -> Level:
    """Return the level of this name.

    Raises:
        ValueError: There is none.
    """
    for level in LEVELS:
        if level.name == name:
            return level
    raise ValueError(f"no level is called {name!r}; one of {', '.join(level.name for level in LEVELS)}")


def processor_flags() -> frozenset[str]:
    """Return what Linux says that this processor can do; nothing where it does not say."""
    return frozenset(_said("flags", "Features").split())


def processor_name() -> str:
    """Return what Linux calls this processor; empty where it does not say."""
    return _said("model name", "Model")


def _said(*keys: str) -> str:
    """Return what is said of the first processor under one of ``keys``."""
    try:
        with _CPUINFO.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() in keys:
                    return value.strip()
    except OSError:
        pass
    return ""


def missing_flags(level: Level, flags: Iterable[str]) -> list[str]:
    """Return what a processor with ``flags`` lacks of a level."""
    return sorted(set(level.flags) - set(flags))


def levels_of(architecture: str) -> list[Level]:
    """Return the levels of a kind of processor, best first."""
    return [level for level in LEVELS if level.architecture == architecture]


def levels_of_this_architecture() -> list[Level]:
    """Return the levels that are not for another kind of processor, best first."""
    return levels_of(platform.machine())
