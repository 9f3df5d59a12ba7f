"""Running the command in this process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from typer.testing import CliRunner

from picasso.cli.app import app


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one sentence of a failure."""
        lines = [line for line in self.err.splitlines() if not line.startswith("Fontconfig")]
        assert len(lines) == 1, self.err
        match = re.fullmatch(r"picasso: (\S.*)", lines[0])
        assert match is not None, self.err
        assert "Traceback" not in self.out + self.err
        return match[1]


def picasso(*arguments: object) -> Done:
    """Run ``picasso`` with these arguments."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="picasso")
    assert result.exception is None or isinstance(result.exception, SystemExit), "a traceback escaped"
    return Done(result.exit_code, result.stdout, result.stderr)
