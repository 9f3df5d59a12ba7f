"""``picasso warm-up``: compile the kernels now, so that no first frame waits for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from picasso.cli.progress import Progress
    from picasso.engine import WarmUp

_REFRESH_S = 0.1


def warm_up(*, quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False) -> None:
    """Compile every kernel of the CPU for this processor, and keep them on disk.

    For images of containers: run it when the image is built, see docs/deployment.md. Kernels that are kept already are
    loaded, which proves that they are whole. Exits with 1 when they cannot be kept.
    """
    from picasso.cli.console import progress, results
    from picasso.cli.progress import open_progress
    from picasso_kernels.cache import folder, store
    from picasso_kernels.cpu.compile import cached_files
    from picasso_kernels.cpu.forms import form

    console = results()
    if form().source != "jit":
        console.print(f"There is nothing to compile: {form().reason}.", markup=False)
        return
    console.print(str(_warm_up(open_progress(progress(), quiet=quiet).getting_ready())), markup=False)
    place, files = folder.writable_folder(), cached_files()
    found = {path.parent for path in files.values() if path}
    if None in files.values() or not found <= set(folder.places()):
        raise OSError(f"the kernels are not kept; let {folder.VARIABLE} name a folder that is yours alone")
    size_mib = sum(map(store.size_bytes, found)) / (1 << 20)
    console.print(
        f"{len(files)} kernels are kept in {' and '.join(map(str, found))}, {size_mib:.1f} MiB.", markup=False
    )
    if place not in found:
        console.print(f"New ones go to {place}.", markup=False)


def _warm_up(progress: Progress) -> WarmUp:
    """Make everything ready on a thread, so that Ctrl-C ends the command at once."""
    from picasso.engine import warm_up as make_ready

    results: list[WarmUp] = []
    thread = threading.Thread(target=lambda: results.append(make_ready()), name="warm-up", daemon=True)
    thread.start()
    with progress:
        while thread.is_alive():
            thread.join(_REFRESH_S)
            progress.show([])
    if not results:
        raise RuntimeError("the kernels cannot be compiled")
    return results[0]
