"""The share of public names whose types a type checker knows without guessing, by ``pyright --verifytypes``.

Run as a program it fails where the share is below ``AT_LEAST``, and lists each name that lacks a type. What other
packages leave open is not counted: with it NumPy's arrays and the standard library's ``Fraction`` would be unknown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Final

AT_LEAST: Final = 0.98


def report() -> dict[str, Any]:
    """Ask pyright about the package that this interpreter imports."""
    beside = os.path.dirname(sys.executable)
    environment = {
        **os.environ,
        "PATH": beside + os.pathsep + os.environ["PATH"],
        "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
    }
    command = [sys.executable, "-m", "pyright", "--outputjson", "--ignoreexternal", "--verifytypes", "picasso"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"pyright said: {done.stdout}{done.stderr}")
    complete: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    return complete


def gaps(complete: dict[str, Any]) -> list[str]:
    """Describe the names of ours whose type is unknown, or a matter of how it is inferred."""
    unknown = [symbol for symbol in complete["symbols"] if not symbol["isTypeKnown"] and symbol["diagnostics"]]
    return [f"{symbol['name']}: {' '.join(symbol['diagnostics'][0]['message'].split())}" for symbol in unknown]


def main() -> int:
    """Print what lacks a type, and the share; fail where it is too small."""
    complete = report()
    for gap in gaps(complete):
        print(gap)
    counts, share = complete["exportedSymbolCounts"], complete["completenessScore"]
    print(f"{share:.2%} of {sum(counts.values())} public names have a type that is known; at least {AT_LEAST:.1%} must")
    return share < AT_LEAST


if __name__ == "__main__":
    sys.exit(main())
