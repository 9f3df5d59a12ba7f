"""``--ray``, which may stand alone or before an address."""

from __future__ import annotations

import re
from typing import Any, Final

from typer.core import TyperCommand

RAY: Final = "--ray"
_ADDRESS: Final = re.compile(r"auto|local|(ray://)?[^/]+:\d+")


class RayCommand(TyperCommand):
    """A command with ``--ray [ADDRESS]``; without an address it means ``auto``.

    What follows it is an address where it looks like one: ``auto``, ``local``, ``host:port`` or ``ray://host:port``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write the address where there is none, then parse as ever."""
        return super().parse_args(ctx, with_address(args))


def with_address(args: list[str]) -> list[str]:
    """Return ``args`` with ``auto`` behind a ``--ray`` that has no address; what stands behind ``--`` stays."""
    options = args[: args.index("--")] if "--" in args else args
    made = []
    for index, word in enumerate(options):
        made.append(word)
        if word == RAY and not any(_ADDRESS.fullmatch(after) for after in options[index + 1 : index + 2]):
            made.append("auto")
    return made + args[len(options) :]
