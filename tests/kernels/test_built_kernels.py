"""Machine code that came with the package: what it takes and refuses, when it runs, and when it does not."""

from __future__ import annotations

import inspect
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from picasso_build import build, compiler
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu import forms, levels
from picasso_kernels.cpu.entries import ENTRIES, Number
from picasso_kernels.cpu.levels import LEVELS, level_of, missing_flags, processor_flags, processor_name
from picasso_kernels.maths.axis import fill_bilinear, fill_nearest
from picasso_kernels.paint.compose import compose

NUMBERS = (0, 5, 0, 0, 5, 1, 0, 10, 1, 0, 10)
ZEN4 = frozenset().union(*(level.flags for level in LEVELS))
SKYLAKE_X = ZEN4 - {"avx512vbmi", "avx512_vbmi2", "avx512_vnni", "avx512_bitalg", "avx512_vpopcntdq", "gfni"}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The extension of the lowest level, built here: of the entries that compile in no time."""
    try:
        command = compiler.find()
    except compiler.CompilerError as error:
        pytest.skip(f"no extension can be built here: {error}")
    folder = tmp_path_factory.mktemp("built")
    (path,) = build.build([level_of("v2")], folder, command, names={"fill_nearest", "fill_bilinear", "compose"})
    return forms.load("x86_64_v2", path)


def test_every_entry_has_the_arguments_of_its_function() -> None:
    for kernel, entry in ENTRIES.items():
        assert list(entry.arguments) == list(inspect.signature(kernel).parameters)
        assert (entry.returns is not None) == (inspect.signature(kernel).return_annotation != "None")


def test_what_sizes_depend_on_are_other_arguments() -> None:
    for entry in ENTRIES.values():
        for kind in entry.arguments.values():
            assert isinstance(kind, Number) or set(kind.least) <= {"", *entry.arguments}


def test_built_kernels_do_what_the_reference_does(module: Any) -> None:
    for kernel, entries in ((fill_nearest, 5), (fill_bilinear, 10)):
        built, plain = np.zeros(entries, np.int16), [0] * entries
        getattr(module, kernel.__name__)(built, *NUMBERS)
        kernel(plain, *NUMBERS)
        assert built.tolist() == plain


def table(**changes: Any) -> tuple[Any, ...]:
    values = {"table": np.zeros(5, np.int16), "numbers": NUMBERS} | changes
    return values["table"], *values["numbers"]


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (table(table=np.zeros(5, np.int32)), "table must be a 1-D C-contiguous array of int16, got entries of"),
        (table(table=np.zeros(5, np.uint16)), "got entries of format 'H'"),
        (table(table=np.zeros(5, ">i2")), "got entries of format '>h'"),
        (table(table=np.zeros((5, 1), np.int16)), "got 2 dimensions"),
        (table(table=np.zeros(10, np.int16)[::2]), "got a stride of 4 bytes"),
        (table(table=np.zeros(5, np.int16)[::-1]), "got a stride of -2 bytes"),
        (table(table=read_only(np.zeros(5, np.int16))), "table is written to, and is read-only"),
        (table(table=[0] * 5), "table must be a 1-D C-contiguous array of int16: a bytes-like object is required"),
        (table(table=None), "table must be a 1-D C-contiguous array of int16"),
        (table(numbers=NUMBERS[:-1]), "fill_nearest() takes 12 arguments, got 11"),
        (table(numbers=(*NUMBERS[:-1], "10")), "samples must be an integer, got '10'"),
        (table(numbers=(*NUMBERS[:-1], 10.0)), "samples must be an integer, got 10.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arguments_that_do_not_fit_are_refused(module: Any, args: tuple[Any, ...], says: str) -> None:
    with pytest.raises(TypeError) as caught:
        module.fill_nearest(*args)
    assert says in str(caught.value)


def test_numbers_may_be_numpy_ones_and_must_fit_64_bits(module: Any) -> None:
    built = np.zeros(5, np.int16)
    module.fill_nearest(built, *map(np.int64, NUMBERS))
    assert built.tolist() == [1, 3, 5, 7, 9]
    with pytest.raises(OverflowError):
        module.fill_nearest(built, *NUMBERS[:-1], 1 << 63)


def lists(**changes: Any) -> tuple[Any, ...]:
    """Arguments of ``compose`` for no object and one line without letters."""
    values = {name: np.zeros(256, kind.dtype) for name, kind in ENTRIES[compose].arguments.items()}
    values |= {"capacity": 1, "width": 64, "height": 64, "clamp_labels": False, "rows": np.zeros(0, np.int32)}
    return tuple((values | {"codes": np.zeros(3, np.uint32)} | changes).values())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"line_ends": np.zeros(3, np.int32)}, "line_ends must have at least 4 entries, got 3"),
        ({"glyphs": np.zeros(14, np.int32)}, "glyphs must have at least 15 entries, got 14"),
        ({"capacity": 26}, "boxes must have at least 260 entries, got 256"),
        ({"rows": np.zeros(3, np.int32)}, "commands must have at least 336 entries, got 256"),
        ({"codes": np.zeros(3, np.int32)}, "codes must be a 1-D C-contiguous array of uint32, got entries of format"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arrays_that_are_too_short_are_refused(module: Any, changes: dict[str, Any], says: str) -> None:
    assert module.compose(*lists()) == 0
    with pytest.raises(TypeError) as caught:
        module.compose(*lists(**changes))
    assert says in str(caught.value)


def test_refused_arrays_are_let_go(module: Any) -> None:
    """A buffer that is held cannot be resized."""
    held = bytearray(10)
    with pytest.raises(TypeError, match="entries of format"):
        module.fill_nearest(held, *NUMBERS)
    with pytest.raises(TypeError):
        module.fill_nearest(memoryview(held).cast("h"), *NUMBERS[:-1], None)
    module.fill_nearest(memoryview(held).cast("h"), *NUMBERS)
    held.append(0)


def was_let_in(call: Callable[[], object], turns: int) -> bool:
    """Whether a thread that waits for the GIL gets it in one of ``turns`` calls; no one else gives it away here."""
    gate, seen = threading.Lock(), []
    gate.acquire()

    def wait() -> None:
        with gate:
            seen.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e6)
    try:
        gate.release()
        for _ in range(turns):
            call()
            if seen:
                break
        let_in = bool(seen)
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    return let_in


def test_a_call_gives_the_gil_away_unless_its_entry_keeps_it(module: Any) -> None:
    table, numbers = np.zeros(1_000_000, np.int16), (0, 1_000_000, 0, 0, 1_000_000, 1, 0, 10, 1, 0, 10)
    assert was_let_in(lambda: module.fill_nearest(table, *numbers), 10_000)
    arguments = lists()
    assert not was_let_in(lambda: module.compose(*arguments), 1_000)


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[..., forms.Form]:
    """Decide as another machine would: its variable, the flags of its processor, the sources of what was built."""

    def decide(wanted: str | None, flags: frozenset[str], built: dict[str, str]) -> forms.Form:
        def load(name: str) -> Any:
            level = name.rpartition(".")[2]
            if level not in built:
                raise ModuleNotFoundError(name)
            return SimpleNamespace(sources=built[level])

        monkeypatch.setattr(forms, "processor_flags", lambda: flags)
        monkeypatch.setattr(forms, "levels_of_this_architecture", lambda: list(LEVELS[:3]))
        monkeypatch.setattr(forms.importlib, "import_module", load)
        monkeypatch.delenv(forms.VARIABLE, raising=False)
        if wanted is not None:
            monkeypatch.setenv(forms.VARIABLE, wanted)
        return forms.form.__wrapped__()

    return decide


OURS = source_key()
ALL = dict.fromkeys(("x86_64_v2", "x86_64_v3", "x86_64_v4"), OURS)
OLD = dict.fromkeys(ALL, "other")


@pytest.mark.parametrize(
    ("wanted", "flags", "built", "source", "level", "why"),
    [
        (None, ZEN4, ALL, "built", "v4", "v4 is the best that was built and that runs here"),
        ("", ZEN4, ALL, "built", "v4", "v4 is the best"),
        ("auto", SKYLAKE_X, ALL, "built", "v3", "v4: this processor has no avx512_bitalg, avx512_vbmi2"),
        (None, frozenset(level_of("v2").flags), ALL, "built", "v2", "v3: this processor has no abm, avx, avx2"),
        (None, frozenset({"sse2"}), ALL, "jit", None, "v2: this processor has no cx16, lahf_lm, pni, popcnt"),
        (None, frozenset(), ALL, "jit", None, "the system does not say"),
        (None, ZEN4, {}, "jit", None, "v4 was not built; v3 was not built; v2 was not built"),
        (None, ZEN4, {"x86_64_v3": OURS}, "built", "v3", "v4 was not built"),
        (None, ZEN4, OLD, "jit", None, "v4 was built from other sources"),
        ("v2", ZEN4, ALL, "built", "v2", "PICASSO_KERNELS=v2"),
        ("V3", ZEN4, ALL, "built", "v3", "PICASSO_KERNELS=v3"),
        ("jit", ZEN4, ALL, "jit", None, "PICASSO_KERNELS=jit"),
        ("pure", ZEN4, ALL, "pure", None, "PICASSO_KERNELS=pure"),
    ],
)
def test_which_form_runs_and_why(
    choose: Callable[..., forms.Form],
    wanted: str | None,
    flags: frozenset[str],
    built: dict[str, str],
    source: str,
    level: str | None,
    why: str,
) -> None:
    form = choose(wanted, flags, built)
    assert (form.source, form.level.name if form.level else None) == (source, level)
    assert why in form.reason


def test_why_nothing_was_built_is_part_of_the_reason(
    choose: Callable[..., forms.Form], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / forms.NOTE).write_text("no C compiler is installed\n")
    monkeypatch.setattr(forms, "__file__", str(tmp_path / "cpu" / "forms.py"))
    assert choose(None, ZEN4, {}).reason.endswith("v2 was not built; no C compiler is installed")


@pytest.mark.parametrize(
    ("wanted", "flags", "built", "error", "says"),
    [
        ("v5", ZEN4, ALL, ValueError, "no such form of the kernels; one of auto, v4, v3, v2"),
        ("v4", SKYLAKE_X, ALL, ImportError, "PICASSO_KERNELS=v4: v4: this processor has no"),
        ("v3", ZEN4, {}, ImportError, "v3 was not built"),
        ("v3", ZEN4, OLD, ImportError, "v3 was built from other sources"),
    ],
)
def test_a_form_that_was_asked_for_and_cannot_run_is_an_error(
    choose: Callable[..., forms.Form],
    wanted: str,
    flags: frozenset[str],
    built: dict[str, str],
    error: type[Exception],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        choose(wanted, flags, built)


def test_machine_code_of_other_sources_is_passed_over_with_a_word(
    choose: Callable[..., forms.Form], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        choose(None, ZEN4, {"x86_64_v4": "other", "x86_64_v3": OURS})
    assert [record.getMessage() for record in caplog.records] == [
        "machine code of level v4 is ignored: it was built from other sources of the kernels"
    ]


def test_flags_are_read_from_the_first_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text(
        "processor\t: 0\nmodel name\t: Some Processor: fast\nvmx flags\t: no\nflags\t\t: fpu sse2\n\n"
        "processor\t: 1\nmodel name\t: Another\nflags\t\t: avx\n"
    )
    monkeypatch.setattr(levels, "_CPUINFO", listing)
    assert processor_flags() == {"fpu", "sse2"}
    assert processor_name() == "Some Processor: fast"
    assert missing_flags(level_of("v2"), processor_flags())[0] == "cx16"
    listing.unlink()
    assert (processor_flags(), processor_name()) == (frozenset(), "")


ABSENT = """
import importlib.util
import sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "numba" else found(name, package)
from picasso_kernels.cpu.compile import host
from picasso_kernels.frame.transform import transform_frame
try:
    host(transform_frame)
except ImportError as error:
    print(error)
"""


def test_where_nothing_was_built_and_numba_is_missing_the_error_says_what_to_install() -> None:
    environment = {**os.environ, forms.VARIABLE: "jit"}
    run = subprocess.run([sys.executable, "-c", ABSENT], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == (
        "no machine code of the kernels serves here (PICASSO_KERNELS=jit), and Numba, which makes it, "
        "is not installed; pip install 'picasso-engine[jit]'\n"
    )


PURE = """
import sys
import numpy as np
from picasso_kernels.maths.axis import fill_nearest
from picasso_kernels.cpu.compile import host
table = np.zeros(5, np.int16)
host(fill_nearest)(table, 0, 5, 0, 0, 5, 1, 0, 10, 1, 0, 10)
print(table.tolist(), "numba" in sys.modules)
"""


def test_the_interpreter_runs_the_same_arrays_where_it_is_asked_to() -> None:
    environment = {**os.environ, forms.VARIABLE: "pure"}
    run = subprocess.run([sys.executable, "-c", PURE], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.split("] ") == ["[1, 3, 5, 7, 9", "False\n"]


def test_an_entry_that_does_not_compile_says_so(tmp_path: Path) -> None:
    with pytest.raises(build.BuildError, match=r"^v2: nothing: .*nothing"):
        build.build([level_of("v2")], tmp_path, ["cc"], names={"nothing"})


def test_a_compiler_that_refuses_is_quoted(tmp_path: Path) -> None:
    try:
        command = compiler.find()
    except compiler.CompilerError as error:
        pytest.skip(str(error))
    with pytest.raises(compiler.CompilerError, match="error"):
        compiler.link(command, "int broken(", [], tmp_path / "out.so")
    with pytest.raises(compiler.CompilerError, match="does not start"):
        compiler.link([str(tmp_path / "none")], "", [], tmp_path / "out.so")


def test_no_compiler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(compiler.CompilerError, match="no C compiler is installed"):
        compiler.find()
