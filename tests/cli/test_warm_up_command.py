"""``picasso warm-up`` in an image: kernels are kept where the next user finds them, or the build fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from picasso.cli.checks import Finding, State
from picasso.cli.checks.kernels import check_kernel_cache
from picasso_kernels.cache import folder as places
from picasso_kernels.cpu import compile as compiling
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.maths.axis import fill_bilinear, fill_nearest

SMALL = """
import sys
import picasso_kernels.cpu.entries as signatures
small = {kernel: entry for kernel, entry in signatures.ENTRIES.items() if kernel.__name__.startswith("fill")}
signatures.ENTRIES = small  # the others take half a minute
from picasso.cli import main
sys.argv[1:] = ["warm-up"]
main()
"""


def warm_up(cache: Path, **env: str) -> subprocess.CompletedProcess[str]:
    told = os.environ | {places.VARIABLE: str(cache), "PICASSO_KERNELS": "jit"} | env
    return subprocess.run([sys.executable, "-c", SMALL], env=told, capture_output=True, text=True, check=False)


def test_kernels_are_compiled_once_and_then_loaded(tmp_path: Path) -> None:
    first, second = (warm_up(tmp_path / "cache", PICASSO_COMPILERS="0") for _ in range(2))
    for done in (first, second):
        assert done.returncode == 0
        assert "2 kernels are kept in" in done.stdout
        assert "ready after" in done.stdout
    assert second.stdout.count(": loaded,") == 2
    assert second.stderr == ""


def test_where_nothing_is_kept_it_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    blocked = (
        f"import picasso_kernels.cache.folder as f; f.places = lambda: iter([f.Path({str(tmp_path / 'file')!r})])\n"
    )
    told = os.environ | {"PICASSO_KERNELS": "jit", "PICASSO_COMPILERS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", blocked + SMALL], env=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "let PICASSO_CACHE_DIR name a folder that is yours alone" in done.stderr


def test_where_machine_code_came_with_the_package_there_is_nothing_to_do(tmp_path: Path) -> None:
    done = warm_up(tmp_path, PICASSO_KERNELS="pure")
    assert (done.returncode, done.stdout) == (0, "There is nothing to compile: PICASSO_KERNELS=pure.\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(places.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(compiling, "cached_files", lambda: dict.fromkeys(entry.name for entry in ENTRIES.values()))
    monkeypatch.setattr(forms, "form", lambda: forms.Form("jit", "nothing was built"))
    places.cache_folder.cache_clear()
    return tmp_path / "cache"


def found() -> Finding:
    try:
        return next(check_kernel_cache())
    finally:
        places.cache_folder.cache_clear()


def test_the_doctor_shows_the_cache(place: Path) -> None:
    finding = found()
    assert (finding.area, finding.name, finding.state) == ("kernels", "cache", State.OK)
    assert finding.detail == f"{place}, 0.0 MiB, 0 of {len(ENTRIES)} kernels for this processor"
    assert finding.fix == "picasso warm-up compiles the others"


def test_the_doctor_shows_no_cache_where_the_kernels_were_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "form", lambda: forms.Form("built", "the best that this processor has"))
    assert list(check_kernel_cache()) == []


def test_the_doctor_says_where_nothing_can_be_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "places", lambda: iter(()))
    finding = found()
    assert finding.state is State.ABSENT
    assert "goes with each process" in finding.detail
    assert "PICASSO_CACHE_DIR" in (finding.fix or "")


def test_the_small_kernels_are_entries() -> None:
    assert {fill_nearest, fill_bilinear} <= set(ENTRIES)
