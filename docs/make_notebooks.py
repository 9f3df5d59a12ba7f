"""Make the notebooks of docs/notebooks of the scripts beside them, and run them: ``make_notebooks.py [name]``.

A script is the source of a notebook: ``# %%`` begins a cell of code, ``# %% [markdown]`` one of text, as editors and
jupytext have it. Needs ``pip install 'picasso-engine[notebooks]'``.
"""

from __future__ import annotations

import base64
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent / "notebooks"
HELPER = FOLDER / "street.py"
LARGEST_PNG = 60_000
"""Bytes of a picture that is kept as PNG; larger ones become JPEG."""


def scripts() -> list[Path]:
    """Return the sources of the notebooks."""
    return sorted(path for path in FOLDER.glob("*.py") if path != HELPER)


def cells_of(script: str) -> Iterator[Any]:
    """Yield the cells of a script, without outputs."""
    _, *parts = ("\n" + script).split("\n# %%")
    for number, part in enumerate(parts):
        kind, _, text = part.partition("\n")
        if kind.strip() == "[markdown]":
            text = "\n".join(line.removeprefix("#").removeprefix(" ") for line in text.strip().splitlines())
            cell = nbformat.v4.new_markdown_cell(text)
        else:
            cell = nbformat.v4.new_code_cell(text.strip())
        cell.id = f"cell-{number}"
        yield cell


def notebook_of(script: Path) -> Any:
    """Return the notebook of a script, not run."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=list(cells_of(script.read_text())), metadata={"kernelspec": kernel})


def run(notebook: Any, folder: Path) -> Any:
    """Run a notebook in an empty folder, and return it with its outputs.

    Raises:
        CellExecutionError: A cell raises.
    """
    (folder / "notebooks").mkdir()
    shutil.copy(HELPER, folder / "notebooks")
    shutil.copy(FOLDER.parent / "gpu.json", folder)
    client = NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(folder / "notebooks")}})
    return client.execute()


def small(notebook: Any) -> Any:
    """Make outputs small: a picture once, as JPEG where PNG takes much; no times of execution, no warnings."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type != "code":
            continue
        cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
        for data in (one["data"] for one in cell.outputs if "data" in one):
            if "image/png" not in data:
                continue
            data.pop("text/html", None)
            png = base64.b64decode(data["image/png"])
            if len(png) > LARGEST_PNG:
                jpeg = io.BytesIO()
                Image.open(io.BytesIO(png)).convert("RGB").save(jpeg, "JPEG", quality=85)
                data["image/jpeg"] = base64.b64encode(jpeg.getvalue()).decode()
                del data["image/png"]
    return notebook


def main() -> None:
    """Make those that are named, or all."""
    wanted = sys.argv[1:]
    for script in scripts():
        if wanted and script.stem not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = small(run(notebook_of(script), Path(folder)))
        target = script.with_suffix(".ipynb")
        nbformat.write(made, target)
        print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
