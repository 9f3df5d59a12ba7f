"""Who runs the kernels of the CPU, and why; and where what is compiled here is kept."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from picasso.cli.checks.finding import Finding, State

_MIB = 1 << 20
_JIT_EXTRA = "pip install 'picasso-engine[jit]'"
_SOURCES = {
    "built": "level {}, built with the package",
    "jit": "compiled here by Numba on first use, then cached",
    "pure": "run by the interpreter, thousands of times slower",
}


def check_kernels() -> Iterator[Finding]:
    """What runs the kernels, and Numba, which is needed where nothing was built for this processor."""
    is_needed = True
    try:
        from picasso_kernels.cpu.forms import form

        running = form()
        is_needed = running.source == "jit"
        what = _SOURCES[running.source].format(running.level.name if running.level else "")
        yield Finding("kernels", "form", State.OK, f"{what}: {running.reason}")
    except Exception as error:  # noqa: BLE001 - the finding is why none runs
        yield Finding.failed("kernels", "form", error, needed=True)
    try:
        import numba  # noqa: F401  # whether it loads is the question

        from picasso_kernels.cpu.numba_adapter.check import obstacle

        how = "not needed here"
        if is_needed:
            reason = obstacle()
            how = f"compiled by numba.njit, which is slower: {reason}" if reason else "compiles the kernels as expected"
        yield Finding("kernels", "numba", State.OK, f"{version('numba')}, {how}")
    except Exception as error:  # noqa: BLE001 - what it raises while it loads is the finding
        yield Finding.failed("kernels", "numba", error, needed=is_needed, fix=_JIT_EXTRA if is_needed else None)


def check_kernel_cache() -> Iterator[Finding]:
    """The folder of compiled kernels: where, how large, and how many of those for this processor it holds.

    Nothing where the kernels were built with the package: nothing is compiled then.
    """
    try:
        from picasso_kernels.cache import folder, store
        from picasso_kernels.cpu.compile import cached_files
        from picasso_kernels.cpu.forms import form

        if form().source != "jit":
            return
        place, files = folder.writable_folder(), cached_files()
        found = [path for path in files.values() if path]
        detail = f"{len(found)} of {len(files)} kernels for this processor"
        others = sorted({str(path.parent) for path in found if path.parent != place})
        if others:
            detail += f", some in {' and '.join(others)}"
        if place is None or place not in folder.places():
            where = "nothing is kept" if place is None else f"{place} goes with each process"
            fix = f"let {folder.VARIABLE} name a folder that is yours alone"
            yield Finding("kernels", "cache", State.ABSENT, f"{where}, {detail}", fix)
            return
        size = f"{store.size_bytes(place) / _MIB:.1f} MiB"
    except Exception as error:  # noqa: BLE001 - the finding is what is wrong with it
        yield Finding.failed("kernels", "cache", error, needed=False)
    else:
        advice = "picasso warm-up compiles the others" if len(found) < len(files) else None
        yield Finding("kernels", "cache", State.OK, f"{place}, {size}, {detail}", advice)
