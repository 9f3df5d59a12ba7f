"""Which files are to be done, and why."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from picasso.cluster.files.digests import is_same
from picasso.cluster.files.results import PlannedFile, Why

if TYPE_CHECKING:
    from picasso.cluster.files.inputs import InputFile
    from picasso.cluster.files.manifest import Manifest

_THREADS: Final = 8
"""Files that are looked at, or read, at once."""


def plan(files: Sequence[InputFile], manifest: Manifest, folder: Path, digest: str) -> list[PlannedFile]:
    """Say for each file whether it is done, and if not why it is to be done.

    Args:
        files: All of the run.
        manifest: What is done.
        folder: Where the results are.
        digest: Of the module.
    """

    def one(file: InputFile) -> PlannedFile:
        return PlannedFile(file.key, file.name, _why(file))

    def _why(file: InputFile) -> Why:
        record = manifest.done.get(file.key)
        if record is None:
            return "failed before" if file.key in manifest.failed else "new"
        if record.module != digest:
            return "the module has changed"
        if not all((folder / name).exists() for name in record.outputs):
            return "results are gone"
        try:
            return "done" if is_same(record.mark, file) else "the file has changed"
        except OSError:
            return "the file has changed"  # its job says what is wrong

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="plan") as pool:
        return list(pool.map(one, files))
