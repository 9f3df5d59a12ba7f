"""Builds the documentation site into out/site: `python docs/site`; warnings and dead links fail it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from check import faults
from pages import ROOT, lay_out
from reference import write


def main() -> int:
    """Lay the pages out, build them, check what was built."""
    begun = time.monotonic()
    source, site = ROOT / "out" / "site-source", ROOT / "out" / "site"
    lay_out(source)
    write(source / "api")
    options = ["-E", "-q", "-W", "--keep-going", "-j", "auto", "-b", "html", "-c", str(Path(__file__).parent)]
    command = [sys.executable, "-m", "sphinx", *options, *sys.argv[1:]]
    built = subprocess.run([*command, str(source), str(site)], check=False)
    if built.returncode:
        return built.returncode
    found = faults(site)
    print(*found, sep="\n", file=sys.stderr)
    pages = len(list(site.rglob("*.html")))
    print(f"{site}/index.html: {pages} pages in {time.monotonic() - begun:.0f} s, {len(found)} faults")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
