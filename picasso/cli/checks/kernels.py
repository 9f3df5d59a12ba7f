"""Who runs the kernels of the CPU, and where their machine code is kept."""

from __future__ import annotations

from collections.abc import Iterator

from picasso.cli.checks.finding import Finding, State

_MIB = 1 << 20


def check_kernel_cache() -> Iterator[Finding]:
    """The folder of compiled kernels: where, how large, and how many of those for this processor it holds."""
    try:
        from picasso_kernels import folder, store
        from picasso_kernels.compile import kept

        place, files = folder.writable_folder(), kept()
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
