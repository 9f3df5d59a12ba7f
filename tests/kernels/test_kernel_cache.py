"""The cache of compiled kernels: no one else writes it, damage costs one compile, and what no one uses goes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from picasso_kernels.cache import folder as places
from picasso_kernels.cache import store
from picasso_kernels.cache.store import Name

NAME = Name("blur-0123", "sources1", "tools1")
CONTENT = bytes(range(256)) * 8
DAY_S = 86_400
RUN = """
import numpy, picasso_kernels.processes.pending
from picasso_kernels.maths.axis import fill_nearest
from picasso_kernels.cpu.compile import host
from picasso_kernels.cache.folder import cache_folder
table = numpy.zeros(5, numpy.int16)
kernel = host(fill_nearest)
kernel(table, 0, 5, 0, 0, 5, 1, 0, 10, 1, 0, 10)
how = [made.how for made in picasso_kernels.processes.pending.MADE]
print(*table, how.count("compiled") + how.count("compiled here"), cache_folder())
"""
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with an empty home, where the package is somewhere that has no cache yet."""
    (tmp_path / "package").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(places, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PICASSO_KERNELS", "jit")  # what came with the package needs no cache
    places.cache_folder.cache_clear()
    places.say_once.forget()
    yield tmp_path
    places.cache_folder.cache_clear()


@pytest.fixture
def path() -> Path:
    """The file of ``NAME``, written."""
    assert store.write(NAME, CONTENT)
    return places.cache_folder() / NAME.file


def test_what_is_written_is_read(path: Path) -> None:
    assert store.read(NAME) == CONTENT
    assert store.read(NAME._replace(sources="sources2")) is None


def test_the_folder_is_private(path: Path) -> None:
    assert path.parent.stat().st_mode & 0o777 == 0o700


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "garbled": lambda path: path.write_bytes(b"\x80\x04K" + os.urandom(2000)),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "cut off in its first line": lambda path: path.write_bytes(path.read_bytes()[:20]),
    "one bit turned": lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\0"),
    "of an earlier format": lambda path: path.write_bytes(path.read_bytes().replace(b"kernel 1", b"kernel 0", 1)),
    "another file's content": lambda path: (store.write(NAME._replace(kernel="x"), b"x"), shutil.copy(
        path.with_name(NAME._replace(kernel="x").file), path)),
    "a folder": lambda path: (path.unlink(), (path / "deep").mkdir(parents=True)),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link": lambda path: (path.rename(path.with_name("moved")), path.symlink_to("moved")),
    "a link to nowhere": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "writable by all": lambda path: path.chmod(0o666),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_passed_over_and_replaced(
    path: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    damage(path)
    for _ in range(3):
        assert store.read(NAME) is None
    assert len(caplog.messages) == 1  # said once
    assert str(path) in caplog.text
    assert store.write(NAME, CONTENT)
    assert store.read(NAME) == CONTENT


def test_content_that_cannot_be_loaded_is_removed(path: Path) -> None:
    pytest.importorskip("numba")
    from numba.core.registry import cpu_target

    from picasso_kernels.cpu.numba_adapter.cache import KernelCache
    from picasso_kernels.cpu.numba_adapter.extending import types

    cache = KernelCache("blur", "", "sources", "tools")
    target = cpu_target.target_context
    target.refresh()
    for nonsense in (b"", b"no pickle", b"\x80\x04K\x01."):
        name = cache.name((types.int64,), target.codegen())
        assert store.write(name, nonsense)
        assert cache.load_overload((types.int64,), target) is None
        assert not (path.parent / name.file).exists()


def test_a_file_that_went_is_absent(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.unlink()
    assert store.read(NAME) is None
    assert not caplog.messages


UNTRUSTED: dict[str, Callable[[Path], object]] = {
    "writable by all": lambda folder: folder.chmod(0o777),
    "writable by its group": lambda folder: folder.chmod(0o770),
    "a link": lambda folder: (folder.rename(folder.with_name("moved")), folder.symlink_to("moved")),
    "a file": lambda folder: (shutil.rmtree(folder), folder.touch()),
}


@pytest.mark.parametrize("spoil", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_folder_that_others_may_have_written_is_not_used(
    path: Path, spoil: Callable[[Path], object], caplog: pytest.LogCaptureFixture, home: Path
) -> None:
    spoil(path.parent)
    places.cache_folder.cache_clear()
    assert store.read(NAME) is None
    assert places.cache_folder() == home / "home" / ".cache" / "picasso" / "kernels"
    assert len(caplog.messages) <= 1
    assert store.write(NAME, CONTENT)
    assert store.read(NAME) == CONTENT


@needs_root
def test_what_belongs_to_somebody_else_is_not_used(path: Path, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.chown(path, 12345, 12345)
    assert store.read(NAME) is None
    os.chown(path, 0, 0)
    os.chown(path.parent, 12345, 12345)
    places.cache_folder.cache_clear()
    assert store.read(NAME) is None
    assert places.cache_folder() == home / "home" / ".cache" / "picasso" / "kernels"
    assert "belongs to user 12345" in caplog.text


@needs_root
def test_what_root_put_into_an_image_is_used_by_everybody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    path.parent.chmod(0o755)
    assert places.is_trusted(path.parent)
    assert store.read(NAME) == CONTENT
    path.parent.chmod(0o775)
    assert not places.is_trusted(path.parent)


def test_the_places_in_their_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = home / "blocked"
    blocked.touch()
    folder = places.cache_folder.__wrapped__
    monkeypatch.setenv(places.VARIABLE, str(home / "named"))
    assert folder() == home / "named"
    monkeypatch.setenv(places.VARIABLE, str(blocked / "named"))
    assert folder() == home / "package" / "__pycache__" / "kernels"
    monkeypatch.setattr(places, "_PACKAGE", blocked)
    assert folder() == home / "home" / ".cache" / "picasso" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert folder() == home / "xdg" / "picasso" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert folder() == home / "home" / ".cache" / "picasso" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert folder() == home / "tmp" / f"picasso-kernels-{os.getuid()}"
    (home / "tmp" / f"picasso-kernels-{os.getuid()}").chmod(0o777)
    last = folder()
    assert (last.parent, last.stat().st_mode & 0o777) == (home / "tmp", 0o700)


def test_a_read_only_place_is_still_read(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image whose root is read-only, with the cache made when it was built."""
    monkeypatch.setenv(places.VARIABLE, str(home / "elsewhere"))
    places.cache_folder.cache_clear()
    assert places.cache_folder() == home / "elsewhere"
    assert store.read(NAME) == CONTENT


@needs_root
def test_a_user_without_home_or_entry_has_a_place() -> None:
    code = (
        "import os, tempfile; from picasso_kernels.cache.folder import cache_folder;"
        "os.setgroups([]); os.setgid(12345); os.setuid(12345); print(cache_folder())"
    )
    env = {name: value for name, value in os.environ.items() if name not in {"HOME", "XDG_CACHE_HOME"}}
    with tempfile.TemporaryDirectory(dir="/tmp") as tmp:
        os.chmod(tmp, 0o777)
        run = subprocess.run(
            [sys.executable, "-c", code], env=env | {"TMPDIR": tmp}, capture_output=True, text=True, check=True
        )
    assert run.stdout.strip() == f"{tmp}/picasso-kernels-12345"


def test_what_nobody_uses_goes(path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = path.parent
    living, gone = home / "living", home / "gone"
    living.mkdir()
    kept = {path}

    def put(name: Name, *, package: Path = home, age_days: int = 0) -> Path:
        monkeypatch.setattr(store, "_package", lambda: package)
        made = folder / name.file
        store._write_whole(made, store._head(name, CONTENT) + CONTENT)
        os.utime(made, (time.time() - age_days * DAY_S,) * 2)
        return made

    changed = NAME._replace(sources="sources0")
    dropped = {
        put(changed),
        put(changed._replace(kernel="of-gone"), package=gone),
        put(changed._replace(kernel="long-unused"), package=living, age_days=31),
        put(NAME._replace(tools="tools0"), age_days=31),
        folder / "fill.py311.nbi",
        folder / "fill.py311.1.nbc",
        folder / ".unfinished-old",
        folder / changed._replace(kernel="damaged").file,
    }
    for left in dropped:
        left.touch()
    os.utime(folder / ".unfinished-old", (time.time() - DAY_S,) * 2)
    os.utime(folder / changed._replace(kernel="long-unused").file, (time.time() - 31 * DAY_S,) * 2)
    os.utime(folder / NAME._replace(tools="tools0").file, (time.time() - 31 * DAY_S,) * 2)
    kept |= {
        put(changed._replace(kernel="of-living"), package=living),
        put(NAME._replace(tools="another-processor"), age_days=29),
        put(NAME._replace(kind="cubin", sources="other"), age_days=1),
        put(NAME._replace(kernel="used"), age_days=99),
        folder / "notes.txt",
        folder / ".unfinished-new",
    }
    (folder / "notes.txt").touch()
    (folder / ".unfinished-new").touch()
    monkeypatch.setattr(store, "_package", lambda: home)
    assert store.write(NAME, CONTENT)
    assert set(folder.iterdir()) == kept


def test_what_earlier_versions_kept_in_the_home_goes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PACKAGE", home / "package.zip" / "kernels")
    (home / "package.zip").touch()
    user = home / "home" / ".cache" / "picasso"
    legacy, foreign = user / "0123456789ab", user / "notes"
    for folder in (legacy, foreign):
        folder.mkdir(parents=True)
        (folder / "fill.py311.nbi").touch()
    assert store.write(NAME, CONTENT)
    assert list(legacy.iterdir()) == []
    assert [path.name for path in foreign.iterdir()] == ["fill.py311.nbi"]


WHYS = {
    "none are kept in": lambda path: path.unlink(),
    "what is kept is damaged": lambda path: path.write_bytes(b""),
    "what is kept is for another processor, Python or Numba": lambda path: path.rename(
        path.with_name(NAME._replace(tools="tools2").file)
    ),
    "the kernels have changed since they were compiled": lambda path: path.rename(
        path.with_name(NAME._replace(sources="sources0").file)
    ),
}


@pytest.mark.parametrize(("why", "change"), WHYS.items(), ids=WHYS)
def test_the_log_can_say_why_a_kernel_is_compiled(path: Path, why: str, change: Callable[[Path], object]) -> None:
    change(path)
    assert store.read(NAME) is None
    assert store.why_absent(NAME).startswith(why)


def test_where_nothing_can_be_written_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "places", lambda: iter(()))
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert not store.write(NAME, CONTENT)
    assert not store.write(NAME, CONTENT)
    assert store.read(NAME) is None
    assert caplog.messages == [
        "compiled kernels are not kept: no folder can be written; PICASSO_CACHE_DIR may name one"
    ]


def test_a_file_in_use_stays_young(path: Path) -> None:
    os.utime(path, (0, 0))
    assert store.read(NAME) == CONTENT
    assert time.time() - path.stat().st_mtime < DAY_S


def _run(folder: Path, *, prelude: str = "") -> tuple[list[str], str]:
    """Compile with a copy of the kernels that nothing was compiled of."""
    ours, copy = Path(store.__file__).parents[1], folder.parent / "copy"
    if not copy.exists():
        shutil.copytree(ours, copy / ours.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    env = os.environ | {places.VARIABLE: str(folder), "PYTHONPATH": str(copy)}
    run = subprocess.run([sys.executable, "-c", prelude + RUN], env=env, capture_output=True, text=True, check=True)
    return run.stdout.split(), run.stderr


def test_a_process_replaces_a_damaged_kernel_and_the_next_one_loads_it(home: Path) -> None:
    folder = home / "cache"
    right = ["1", "3", "5", "7", "9"]
    assert _run(folder)[0] == [*right, "1", str(folder)]
    [file] = folder.glob("*.kernel")
    file.write_bytes(b"")
    out, err = _run(folder)
    assert out == [*right, "1", str(folder)]
    assert err.count("is damaged and is made again") == 1
    assert _run(folder) == ([*right, "0", str(folder)], "")


def test_a_full_disk_costs_the_cache_and_nothing_else(home: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
    out, err = _run(home / "cache", prelude=full)
    assert out[:6] == ["1", "3", "5", "7", "9", "1"]
    assert err.count("are not kept") == 1
    assert [path.name for path in (home / "cache").iterdir()] == [".fill_nearest.lock"]
