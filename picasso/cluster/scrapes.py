"""Metrics of many processes as one text for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable


def joined(texts: Iterable[str]) -> str:
    """Return texts in Prometheus' format as one: each family once, with the series of all.

    Series of different texts are told apart by their labels. ``HELP`` and ``TYPE`` of a family are those of the first
    text that has it.
    """
    heads: dict[str, list[str]] = {}
    series: dict[str, list[str]] = {}
    for text in texts:
        family = ""
        for line in text.splitlines():
            if line.startswith(("# HELP ", "# TYPE ")):
                kind, name = line[2:6], line.split(" ", 3)[2]
                family = name
                head = heads.setdefault(family, [])
                series.setdefault(family, [])
                if not any(one.startswith(f"# {kind} ") for one in head):
                    head.append(line)
            elif line and not line.startswith("#"):
                series.setdefault(family, []).append(line)
    lines = [line for family in series for line in [*heads.get(family, []), *series[family]]]
    return "\n".join([*lines, ""]) if lines else ""
