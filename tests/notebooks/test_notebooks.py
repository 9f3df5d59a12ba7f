"""The notebooks of docs/notebooks run without a network, and show what is stored in them."""

from __future__ import annotations

import base64
import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("onnxruntime")
MOST_BYTES, MOST_PICTURE_BYTES = 1_000_000, 200_000
NO_NETWORK = """
import socket
def _refuse(self, address, *rest):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise OSError(f"the notebook asks the network for {address}")
    return _connect(self, address, *rest)
_connect, socket.socket.connect = socket.socket.connect, _refuse
"""


def maker() -> Any:
    name = "make_notebooks"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


SCRIPTS = sorted(path for path in (ROOT / "docs" / "notebooks").glob("*.py") if path.name != "street.py")


def stored(script: Path) -> Any:
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def outputs_of(cell: Any) -> list[dict[str, Any]]:
    """What a cell shows, each as its kinds: text, tables, pictures. A line of the log may part what is printed."""
    shown: list[dict[str, Any]] = []
    printed = False
    for one in cell.get("outputs", ()):
        if one.get("name") == "stderr":
            continue
        if printed and one.get("name") == "stdout":
            shown[-1]["text/plain"] += one["text"]
            continue
        printed = one.get("name") == "stdout"
        shown.append(dict(one["data"]) if "data" in one else {"text/plain": one.get("text", "")})
    return shown


def pictures_of(notebook: Any) -> Iterator[bytes]:
    for cell in notebook.cells:
        for data in outputs_of(cell):
            for kind in ("image/png", "image/jpeg"):
                if kind in data:
                    yield base64.b64decode(data[kind])


def pixels_of(picture: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(float)


def test_there_are_six_of_them() -> None:
    names = {script.stem for script in SCRIPTS}
    assert names == {
        *("ten_minutes", "detector_to_video", "geometry", "property_testing", "many_sources", "gpu"),
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_is_what_its_script_says_and_small(script: Path) -> None:
    notebook, path = stored(script), script.with_suffix(".ipynb")
    nbformat.validate(notebook)
    made = maker().notebook_of(script)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in made.cells
    ], f"run: python docs/make_notebooks.py {script.stem}"
    assert path.stat().st_size <= MOST_BYTES
    assert all(len(picture) <= MOST_PICTURE_BYTES for picture in pictures_of(notebook))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_stored(script: Path, tmp_path: Path) -> None:
    """No cell fails, also by its own assertions; outputs are of the same kinds, and pictures look the same."""
    made = maker()
    fresh = made.notebook_of(script)
    fresh.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    fresh = made.run(fresh, tmp_path)
    del fresh.cells[0]
    made.small(fresh)
    for cell, kept in zip(fresh.cells, stored(script).cells, strict=True):
        shown, expected = outputs_of(cell), outputs_of(kept)
        assert [set(one) for one in shown] == [set(one) for one in expected], cell.source
        assert not any(one.get("output_type") == "error" for one in cell.get("outputs", ()))
    mine, theirs = list(pictures_of(fresh)), list(pictures_of(stored(script)))
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        pixels, expected = pixels_of(one), pixels_of(other)
        assert pixels.std() > 5, "a picture is empty"
        assert pixels.shape[2] == expected.shape[2]
        assert abs(pixels.shape[1] - expected.shape[1]) <= 0.1 * expected.shape[1]
        assert np.abs(pixels.mean((0, 1)) - expected.mean((0, 1))).max() < 12
