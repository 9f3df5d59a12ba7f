"""The bill of materials of a wheel, as CycloneDX: what it holds that is not its own source, and what made it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import uuid
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from picasso_build.plan import BuildPlan
from picasso_kernels.cache.sources import source_key

_DEJAVU: Final = {"name": "Bitstream Vera and DejaVu licence", "url": "https://dejavu-fonts.github.io/License.html"}
_FONTS: Final = {
    "picasso/draw/fonts/DejaVuSans.ttf": ("2.37", _DEJAVU),
    "picasso/draw/fonts/Lohit-Devanagari.ttf": ("2.95.4", {"id": "OFL-1.1"}),
}
"""By path, version and licence of each font."""
_LEVELS: Final = "picasso_kernels/built"


def bill_of_materials(root: Path, name: str, number: str, plan: BuildPlan, made: Sequence[Path]) -> str:
    """Return the text of the bill; the same for equal wheels.

    Args:
        root: The project's folder.
        name: Of the distribution.
        number: Its version.
        plan: What was built.
        made: The files that were added to the sources.
    """
    package = f"pkg:pypi/{name}@{number}"
    fonts = [_font(root, place) for place in _FONTS]
    kernels = [_machine_code(path, number) for path in made if path.suffix == ".so"]
    parts = [*fonts, *kernels]
    bill: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "tools": {"components": _tools(plan) if kernels else []},
            "component": {
                "type": "library",
                "bom-ref": package,
                "name": name,
                "version": number,
                "purl": package,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "properties": [{"name": "picasso:kernels:sources", "value": source_key()}],
            },
        },
        "components": parts,
        "dependencies": [{"ref": package, "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    text = json.dumps(bill, sort_keys=True)
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, text)}"
    return json.dumps(bill, indent=2, sort_keys=True) + "\n"


def _font(root: Path, place: str) -> dict[str, Any]:
    number, licence = _FONTS[place]
    return {
        "type": "file",
        "bom-ref": place,
        "name": place,
        "version": number,
        "description": "A font of labels",
        "hashes": _hashes(root / place),
        "licenses": [{"license": licence}],
    }


def _machine_code(path: Path, number: str) -> dict[str, Any]:
    place = f"{_LEVELS}/{path.name}"
    return {
        "type": "file",
        "bom-ref": place,
        "name": place,
        "version": number,
        "description": "The kernels of picasso_kernels as machine code",
        "hashes": _hashes(path),
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }


def _hashes(path: Path) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def _tools(plan: BuildPlan) -> list[dict[str, Any]]:
    tools = []
    for name in ("hatchling", "llvmlite", "numba"):
        try:
            tools.append(_tool(name, version(name)) | {"purl": f"pkg:pypi/{name}@{version(name)}"})
        except PackageNotFoundError:  # built in this environment by hand, without it
            continue
    said = subprocess.run([*plan.command, "--version"], capture_output=True, text=True, check=False).stdout
    return [*tools, _tool("C compiler", said.splitlines()[0] if said else "unknown")]


def _tool(name: str, number: str) -> dict[str, Any]:
    return {"type": "application", "name": name, "version": number}
